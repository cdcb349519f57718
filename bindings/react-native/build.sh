#!/usr/bin/env bash
# Builds the package as it is published into build/react-native/package, and packs it:
#
#   build/react-native/opentim-react-native.tgz
#
# What is built on other machines, libtim for phones, is in it if ./build.sh android and ./build.sh ios put it into build/ before.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=$PWD/build/react-native
package=$out/package

rm -rf "$package"
mkdir -p "$package/src" "$package/include"
cd bindings/react-native
../../node_modules/.bin/tsc -p tsconfig.build.json --outDir "$package/dist"
echo '{ "type": "module" }' >"$package/dist/package.json" # not above: React Native's tools read react-native.config.js as CommonJS
cp package.json ../../LICENSE "$package/"
cp -r cpp "$package/"
cp src/NativeTim.ts "$package/src/"
cp ../../include/tim.h ../../include/tim_codes.gen.h ../cpp/tim.hpp "$package/include/"
for part in README.md ios android react-native.config.js *.podspec; do
  if [ -e "$part" ]; then cp -r "$part" "$package/"; fi
done
if [ -d ../../build/android/libs ]; then cp -r ../../build/android/libs "$package/android/"; fi
if [ -d ../../build/ios/Tim.xcframework ]; then cp -r ../../build/ios/Tim.xcframework "$package/ios/"; fi
node ../../node_modules/react-native/scripts/generate-codegen-artifacts.js --path "$package" --targetPlatform all --source library \
  >"$out/codegen.log" || { cat "$out/codegen.log" && exit 1; }

cd "$out"
rm -f ./*.tgz
npm pack --silent "$package" >/dev/null
mv opentim-react-native-*.tgz opentim-react-native.tgz
