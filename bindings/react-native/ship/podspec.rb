# podspec.rb FILE evaluates a podspec without CocoaPods: every attribute that it has to set is set, and every pattern of files
# in it finds some.
require "json"

class Spec
  attr_reader :attributes

  def initialize
    @attributes = {}
    yield self
  end

  def method_missing(name, *values)
    if name.end_with?("=")
      @attributes[name.to_s.chomp("=")] = values.first
    elsif values.empty? && @attributes.key?(name.to_s)
      @attributes[name.to_s]
    else
      abort "the podspec uses #{name}, which this check does not know"
    end
  end

  def respond_to_missing?(*) = true
end

module Pod
  module Spec
    def self.new(&block) = $spec = ::Spec.new(&block)
  end
end

# What React Native defines around the podspecs of an app.
def min_ios_version_supported = "15.1"
def install_modules_dependencies(spec) = $installed = spec

path = File.expand_path(ARGV.fetch(0))
eval(File.read(path), TOPLEVEL_BINDING, path)
found = $spec.attributes
wrong = []
wrong << "the name is not that of the file" unless found["name"] == File.basename(path, ".podspec")
wrong << "install_modules_dependencies is not called" unless $installed.equal?($spec)
%w[name version summary homepage license authors platforms source source_files frameworks].each do |key|
  wrong << "#{key} is missing" if found[key].to_s.empty?
end
wrong << "the source has no tag" unless found["source"][:tag] == "v#{found["version"]}"
patterns = %w[source_files private_header_files vendored_frameworks].flat_map { |key| found[key] } + found["resource_bundles"].values
counts = patterns.to_h { |pattern| [pattern, Dir.glob(File.join(File.dirname(path), pattern)).length] }
counts.each { |pattern, count| wrong << "#{pattern} finds nothing" if count.zero? }
abort wrong.join("\n") unless wrong.empty?
puts "the podspec is complete; #{counts.values.sum} files by #{counts.length} patterns"
