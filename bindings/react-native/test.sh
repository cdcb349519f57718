#!/usr/bin/env bash
# Builds the package, installs it in an app, bundles the app for production, and runs it in JavaScriptCore against a real timd.
#
#   bindings/react-native/test.sh [NODE_TEST_FLAG...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
here=$root/bindings/react-native
out=$root/build/react-native
bin=$root/node_modules/.bin
app=$out/app

# The app imports the packages that it was written for, by their own names; NetInfo is a stand-in that a test can change.
install_app() {
  rm -rf "$app"
  mkdir -p "$app"
  echo '{ "private": true, "dependencies": { "react-native-tim-js": "file:../opentim-react-native.tgz" } }' >"$app/package.json"
  npm install --prefix "$app" --ignore-scripts --legacy-peer-deps --no-package-lock --silent
  module @tencentcloud/chat "export * from 'react-native-tim-js'; export { default } from 'react-native-tim-js';"
}
module() {
  mkdir -p "$app/node_modules/$1"
  echo "$2" >"$app/node_modules/$1/index.js"
}

bundle() { node "$here/test/bundle.mjs" "$app" "$1" "$2" "$3"; }

bash capi/build.sh
bash "$here/build.sh"
install_app
"$bin/tsc" --noEmit false --outDir "$app/src" -p "$here/test/app/tsconfig.json"
bundle ios "$app/src/react-native/test/app/stories.js" "$app/ios.bundle.js"
mkdir -p "$app/node_modules/@react-native-community"
cp -r "$here/test/app/netinfo" "$app/node_modules/@react-native-community/"
bundle android "$app/src/react-native/test/app/stories.js" "$app/android.bundle.js"
make -s -j2 -f "$here/test/host/Makefile" RN="$root/node_modules/react-native" \
  GENERATED="$out/package/ios/generated/ReactCodegen" OUT="$out/host"

rm -rf "$out/test"
"$bin/tsc" --noEmit false --outDir "$out/test" -p "$here/test/tsconfig.json"
go build -o "$out/timd" ./cmd/timd
export TIMD=$out/timd HOST=$out/host/host APP=$app
node --test "$@" "$out"/test/react-native/test/*.test.js
