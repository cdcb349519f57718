#!/usr/bin/env bash
# Checks what becomes of the packed package in an app, as far as it can be known without a phone, an NDK and Xcode.
#
#   bindings/react-native/ship.sh         what the tools of React Native and Expo find in it, the podspec, bundles, browsers
#   bindings/react-native/ship.sh all     also React Native's own CMake file, linked with its libraries for arm64 from Maven
#                                         Central, and the registration for iOS, compiled as Objective-C++ and run
#   bindings/react-native/ship.sh sizes   what the package adds to an app's bundle, beside @tencentcloud/chat
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
ship=$root/bindings/react-native/ship
work=$root/build/rn-ship
app=$work/app
package=$app/node_modules/@opentim/react-native
tarball=$root/build/react-native/opentim-react-native.tgz
hermesc=$root/node_modules/hermes-compiler/hermesc/linux64-bin/hermesc
source bindings/react-native/ship/app.sh

fail() {
  echo "ship.sh: $*" >&2
  exit 1
}

# Codegen says what fails in a log and goes on, so what it makes is looked at.
codegen_is_fresh() {
  local method file
  for file in ios/generated/ReactCodegen/TimSpecJSI.h android/generated/jni/react/renderer/components/TimSpec/TimSpecJSI.h; do
    while read -r method; do
      grep -q "\"$method\"" "$package/$file" || fail "$file knows nothing of $method"
    done < <(sed -n 's/^  \([a-zA-Z]*\)(.*: .*;$/\1/p' "$package/src/NativeTim.ts")
  done
  (cd "$app" && node "$root/node_modules/react-native/scripts/generate-codegen-artifacts.js" --path . --outputPath "$work/codegen" \
    --targetPlatform ios --source app > "$work/codegen.log" 2>&1) || fail "$(cat "$work/codegen.log")"
  grep -q 'Found.*@opentim/react-native' "$work/codegen.log" || fail "codegen does not find the package: $(cat "$work/codegen.log")"
  echo "codegen: the package has what its spec makes, and an app's codegen finds it"
}

# An app's package.json must name what its tools are to find.
found_by_the_tools() {
  local platform
  (cd "$app" && node node_modules/@react-native-community/cli/build/bin.js config) > "$work/cli.json" 2> "$work/cli.log" ||
    fail "$(cat "$work/cli.log")"
  node "$ship/config.mjs" cli "$work/cli.json"
  for platform in android ios; do
    (cd "$app" && node node_modules/expo-modules-autolinking/bin/expo-modules-autolinking.js react-native-config -p $platform -j) \
      > "$work/expo.json"
    node "$ship/config.mjs" expo "$work/expo.json"
  done
}

# includes prints what a compiler needs for the package's C++, with the sources of React Native from npm.
includes() {
  local common=$root/node_modules/react-native/ReactCommon folder
  for folder in "$root/bindings/react-native/test/host/shadow" "$package"/{cpp,include} \
    "$package/ios/generated/ReactCodegen" "$common" "$common"/{jsi,callinvoker,reactperflogger,react/nativemodule/core}; do
    case $folder in
      "$package"/*) echo "-I$folder" ;;
      *) echo "-isystem$folder" ;;
    esac
  done
}

# An Android app includes our header in a file of its own, with -Wall -Werror and clang.
header_has_no_warning() {
  local flags
  mapfile -t flags < <(includes)
  echo '#include <NativeTim.h>' | clang++-19 -std=c++20 -Wall -Werror -fsyntax-only -DREACT_NATIVE_PRODUCTION=1 "${flags[@]}" \
    -isystem /usr/lib/gcc/x86_64-linux-gnu/12/include -x c++ -
  echo "clang has nothing against the header that apps include"
}

# The xcframework is made on a Mac; a folder stands for it where there is none.
podspec_is_complete() {
  local said
  rm -rf "$package/ios/Tim.xcframework"
  said=$(ruby "$ship/podspec.rb" "$package/opentim-react-native.podspec" 2>&1) && fail "the podspec does not miss libtim"
  grep -q 'has no libtim for iOS' <<< "$said" || fail "the podspec says: $said"
  mkdir "$package/ios/Tim.xcframework"
  ruby "$ship/podspec.rb" "$package/opentim-react-native.podspec"
}

# What the phone runs is bytecode. The compiler is the one that this React Native has.
bundles() {
  local platform
  for platform in android ios; do
    node "$ship/bundle.mjs" "$app" $platform "$app/index.js" "$work/$platform.js"
    grep -q 'NativeTim' "$work/$platform.js" || fail "the bundle for $platform has no NativeTim"
    "$hermesc" -O -emit-binary -out "$work/$platform.hbc" "$work/$platform.js" 2> "$work/hermesc.log" || fail "$(cat "$work/hermesc.log")"
    echo "$platform: the example's bundle has $(wc -c < "$work/$platform.js") bytes, $(wc -c < "$work/$platform.hbc") as Hermes bytecode"
  done
}

# In a browser everything is there and says what is wrong.
says_so_in_browsers() {
  echo 'import { TencentImSDKPlugin } from "@opentim/react-native";
    TencentImSDKPlugin.v2TIMManager.getVersion().then(({ code, desc }) => console.log(code, desc));' > "$app/web.js"
  node_modules/.bin/esbuild "$app/web.js" --bundle --platform=browser --outfile="$work/web.js" --log-level=warning
  node "$work/web.js" | grep '^7013 .*does not run in browsers'
}

main() {
  [ "${1:-}" = "" ] || [ -e "$ship/$1.sh" ] || fail "there is no $1"
  bash bindings/react-native/build.sh
  make_app "$app" "$tarball"
  if [ "${1:-}" = sizes ]; then
    source bindings/react-native/ship/sizes.sh
    sizes
    return
  fi
  found_by_the_tools
  codegen_is_fresh
  podspec_is_complete
  header_has_no_warning
  bundles
  says_so_in_browsers
  [ "${1:-}" = all ] || return 0
  source bindings/react-native/ship/all.sh
  links_for_android
  registers_on_ios
}
mkdir -p "$work"
main "$@"
exit
