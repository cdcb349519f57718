require "json"

package = JSON.parse(File.read(File.join(__dir__, "package.json")))
unless File.exist?(File.join(__dir__, "ios/Tim.xcframework"))
  raise "@opentim/react-native has no libtim for iOS: ios/Tim.xcframework is missing. It was packed without; its README says how to build it."
end

Pod::Spec.new do |s|
  s.name = "opentim-react-native"
  s.version = package["version"]
  s.summary = package["description"]
  s.homepage = package["homepage"]
  s.license = package["license"]
  s.authors = package["author"]
  s.platforms = { :ios => min_ios_version_supported }
  s.source = { :git => package["repository"]["url"].delete_prefix("git+"), :tag => "v#{s.version}" }

  s.source_files = "ios/*.mm", "cpp/*.{h,cpp}", "include/*.{h,hpp}", "ios/generated/**/*.{h,cpp,mm}"
  s.private_header_files = "cpp/*.h", "include/*.{h,hpp}", "ios/generated/**/*.h"
  s.vendored_frameworks = "ios/Tim.xcframework"
  s.resource_bundles = { "opentim-react-native-privacy" => "ios/PrivacyInfo.xcprivacy" }
  s.frameworks = "CoreFoundation", "Security" # what libtim imports from, besides libSystem

  install_modules_dependencies(s)
end
