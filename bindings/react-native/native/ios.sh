#!/usr/bin/env bash
# Builds libtim for iPhones, iPads and their simulators, into build/ios/Tim.xcframework, which @opentim/react-native ships.
#
#   ./build.sh ios            needs a Mac with Xcode
#   ./build.sh ios --dry-run  prints every command instead
#
# Each slice is one object in an archive: sigmask.c around all else, as capi/build.sh explains, with only the functions of
# tim.h visible, so that an app may hold a second Go library.
# shellcheck disable=SC2154 # variables that capi/go.sh and common.sh share with us
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source bindings/react-native/native/common.sh

least_ios=15.1 # what React Native 0.80 and newer ask for
out=${OUT:-build}/ios

case ${1:-} in
  "") ;;
  --dry-run) dry=1 ;;
  *) usage ;;
esac

check_tools() {
  local sdk
  need_go
  need xcrun "xcrun: install Xcode 16 or newer from the App Store, then: sudo xcode-select -s /Applications/Xcode.app"
  need xcodebuild "xcodebuild: it comes with Xcode; the command line tools alone do not have it"
  if command -v xcrun > /dev/null; then
    for sdk in iphoneos iphonesimulator; do
      xcrun --sdk $sdk --show-sdk-path > /dev/null 2>&1 || missing+=("the SDK $sdk: xcodebuild -downloadPlatform iOS")
    done
  fi
  tools_or_stop
}

# slice NAME SDK GOARCH TARGET builds build/ios/NAME/libtim.a.
slice() {
  local dir=$out/$1 sdk=$2 cc="xcrun --sdk $2 clang -target $4"
  note "$1"
  run mkdir -p "$dir"
  go_library c-archive "$dir/raw.a" tim_unguarded ""
  run env CGO_ENABLED=1 GOOS=ios GOARCH="$3" CC="$cc" "${go_library_command[@]}"
  # shellcheck disable=SC2086 # one word for each flag
  {
    run $cc -O2 -c -DTIM_SIGMASK_FIRST capi/sigmask.c -o "$dir/first.o"
    run $cc -O2 -c -DTIM_SIGMASK_LAST capi/sigmask.c -o "$dir/last.o"
    run $cc -r -nostdlib "-Wl,-exported_symbols_list,$out/names" -o "$dir/tim.o" \
      "$dir/first.o" "-Wl,-force_load,$dir/raw.a" "$dir/last.o"
  }
  run xcrun --sdk "$sdk" strip -S "$dir/tim.o"
  run rm -f "$dir/raw.h" "$dir/libtim.a"
  run xcrun --sdk "$sdk" libtool -static -o "$dir/libtim.a" "$dir/tim.o"
  [ -n "$dry" ] || check "$dir/libtim.a" "$sdk"
}

# check ARCHIVE SDK: nothing is visible but what tim.h declares.
check() {
  xcrun --sdk "$2" nm -gUj "$1" | sed -n 's/^_//p' | same_names "$1"
  echo "   $1: $(megabytes "$1")"
}

check_tools
mkdir -p "$out"
header_names include/tim.h | sed 's/^/_/' > "$out/names"
overlay_for ios "$out"
slice device iphoneos arm64 arm64-apple-ios$least_ios
slice simulator-arm64 iphonesimulator arm64 arm64-apple-ios$least_ios-simulator
slice simulator-x86_64 iphonesimulator amd64 x86_64-apple-ios$least_ios-simulator
note "Tim.xcframework"
run mkdir -p "$out/simulator" "$out/include"
run xcrun lipo -create "$out/simulator-arm64/libtim.a" "$out/simulator-x86_64/libtim.a" -output "$out/simulator/libtim.a"
run cp include/tim.h include/tim_codes.gen.h "$out/include/"
run rm -rf "$out/Tim.xcframework"
run xcodebuild -create-xcframework -output "$out/Tim.xcframework" \
  -library "$out/device/libtim.a" -headers "$out/include" -library "$out/simulator/libtim.a" -headers "$out/include"
