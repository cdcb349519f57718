#!/usr/bin/env bash
# Builds the package, installs it in an app, bundles the app for production, and runs it in JavaScriptCore against a real timd.
#
#   bindings/react-native/test.sh                     with the React Native of package-lock.json, under sanitizers
#   bindings/react-native/test.sh matrix [VERSION…]   an Android app with each of these versions of React Native
#   bindings/react-native/test.sh bench               what calls cost
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD
here=$root/bindings/react-native
out=$root/build/react-native
bin=$root/node_modules/.bin
matrix=(0.80.3 0.83.10 0.88.1 0.89.0-rc.0) # the oldest that is supported, two in between, the newest there is

# new_app FOLDER DEPENDENCY… makes an app that imports the package by the names that it was written for.
new_app() {
  local app=$1
  shift
  rm -rf "$app"
  mkdir -p "$app"
  echo "{ \"private\": true, \"overrides\": {${overrides:-}} }" >"$app/package.json"
  npm install --prefix "$app" --save-exact --ignore-scripts --legacy-peer-deps --no-package-lock --loglevel=error --no-fund --no-audit \
    "react-native-tim-js@file:$out/opentim-react-native.tgz" "$@"
  module "$app" @tencentcloud/chat "export * from 'react-native-tim-js'; export { default } from 'react-native-tim-js';"
  "$bin/tsc" --noEmit false --outDir "$app/src" -p "$here/test/app/tsconfig.json"
  cp -r conformance/drivers "$app/src/"
}

# module FOLDER NAME SOURCE
module() {
  mkdir -p "$1/node_modules/$2"
  echo "$3" >"$1/node_modules/$2/index.js"
}

# bundle APP PLATFORM ENTRY NAME
bundle() { node "$here/test/bundle.mjs" "$1" "$2" "$1/src/$3" "$1/$4.bundle.js"; }

android_bundle() {
  module "$1" @react-native-community/netinfo "$(cat "$here/test/app/netinfo.js")"
  bundle "$1" android react-native/test/app/stories.js android
}

# host PROGRAM REACT_NATIVE FOLDER FLAGS [TIM=…]
host() {
  local program=$1 rn=$2 folder=$3 flags=$4 header=$out/package/ios/generated/ReactCodegen/TimSpecJSI.h
  shift 4
  mkdir -p "$out/generated"
  cmp -s "$header" "$out/generated/TimSpecJSI.h" || cp "$header" "$out/generated/"
  make --no-print-directory -s -j"$(nproc)" -f "$here/test/host/Makefile" PROGRAM="$program" RN="$rn" GENERATED="$out/generated" \
    OUT="$folder" FLAGS="$flags" "$@"
}

prepare() {
  bash capi/build.sh
  bash "$here/build.sh"
  rm -rf "$out/test"
  "$bin/tsc" --noEmit false --outDir "$out/test" -p "$here/test/tsconfig.json"
  go build -o "$out/timd" ./cmd/timd
  export TIMD=$out/timd
}

# What an app compiles against, as its author does it.
types() {
  cp bindings/js/test/types/v2tim-app.ts "$1/"
  for resolution in bundler nodenext; do
    "$bin/tsc" --ignoreConfig --noEmit --strict --target es2022 --module "${resolution/bundler/esnext}" \
      --moduleResolution "$resolution" "$1/v2tim-app.ts"
  done
}

# An app without the C++ of the package.
bare_app() {
  rm -rf "$out/bare"
  mkdir -p "$out/bare/node_modules/@opentim"
  cp -r "$out/package" "$out/bare/node_modules/@opentim/react-native"
  module "$out/bare" react-native "$(cat "$here/test/bare.mjs")"
  echo '{ "type": "module", "exports": "./index.js" }' >"$out/bare/node_modules/react-native/package.json"
}

test_one() {
  local app=$out/app rn=$root/node_modules/react-native program
  prepare
  new_app "$app"
  types "$app"
  bare_app
  (bundle "$app" ios react-native/test/app/stories.js ios && android_bundle "$app" && bundle "$app" android drivers/react-native/main.mjs driver) &
  bundling=$! # not local: the trap runs outside
  trap 'kill $bundling 2>/dev/null' EXIT
  g++ -std=c++20 -g -fPIC -shared -fsanitize=thread -Wall -Wextra -Werror -Iinclude "$here/test/host/fake_tim.cpp" -o "$out/libfake.so"
  g++ -std=c++20 -Wall -Wextra -Werror -I"$here/cpp" "$here"/test/host/folder.cpp "$here/cpp/TimFolder.cpp" -o "$out/folder"
  for program in mailbox reload; do host $program "$rn" "$out/tsan" -fsanitize=thread TIM="$out/libfake.so -Wl,-rpath,$out"; done
  # vptr: JavaScriptCore has no types to show.
  host reload "$rn" "$out/asan" "-fsanitize=address,undefined -fno-sanitize=vptr"
  host host "$rn" "$out/asan" "-fsanitize=address,undefined -fno-sanitize=vptr"
  wait $bundling
  trap - EXIT

  # Go and JavaScriptCore handle SIGSEGV themselves. JavaScriptCore is not compiled for ThreadSanitizer.
  echo 'called_from_lib:libjavascriptcoregtk-4.1.so' >"$out/tsan.supp"
  export ASAN_OPTIONS=detect_leaks=1:handle_segv=0 UBSAN_OPTIONS=halt_on_error=1 TSAN_OPTIONS=suppressions=$out/tsan.supp
  export APP=$app HOST=$out/asan/host PHONES='android-phone ios-phone ios-pad'
  export RELOAD=$here/test/host/reload.js RELOAD_ASAN=$out/asan/reload RELOAD_TSAN=$out/tsan/reload BARE=$out/bare
  "$out/folder"
  "$out/tsan/mailbox"
  node --test "$out"/test/react-native/test/*.test.js "$here"/test/*.test.mjs
  ln -s "$HOST" "$app/host"
  TIM_REACT_NATIVE=$app go test -count=1 -run 'Stories/React' ./conformance
}

# test_version VERSION: with the Metro, the presets and the codegen of that version.
test_version() {
  local version=$1 app=$out/matrix/$1/app presets=$1 overrides="" react
  case $version in *-rc.*) # some of what a release candidate asks for comes with the release
    presets=0.88.1
    overrides='"metro": "0.87.1", "metro-runtime": "0.87.1", "metro-source-map": "0.87.1"'
    ;;
  esac
  echo "-- React Native $version"
  react=$(npm view "react-native@$version" peerDependencies.react --loglevel=error)
  new_app "$app" "react-native@$version" "@react-native/metro-config@$presets" "@react-native/babel-preset@$presets" \
    "react@${react#^}"
  node "$app/node_modules/react-native/scripts/generate-codegen-artifacts.js" --path "$app" --targetPlatform ios \
    --outputPath "$app/generated" 2>&1 | tee "$app/codegen.log" | grep 'Processing TimSpec' >/dev/null ||
    { cat "$app/codegen.log" && return 1; }
  android_bundle "$app"
  host host "$app/node_modules/react-native" "$out/matrix/$version/host" ""
  APP=$app HOST=$out/matrix/$version/host/host PHONES=android-phone node --test "$out"/test/react-native/test/stories.test.js
}

test_matrix() {
  [ $# = 0 ] || matrix=("$@")
  prepare
  for version in "${matrix[@]}"; do test_version "$version"; done
}

test_bench() {
  local app=$out/app
  prepare
  new_app "$app"
  bundle "$app" android react-native/test/app/bench.js bench
  host host "$root/node_modules/react-native" "$out/plain" -O2
  node "$here/test/bench.mjs" "$TIMD" "$out/plain/host" "$app/bench.bundle.js"
}

case ${1:-} in
  "") test_one ;;
  matrix) test_matrix "${@:2}" ;;
  bench) test_bench ;;
  *) sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2 && exit 2 ;;
esac
