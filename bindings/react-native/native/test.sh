#!/usr/bin/env bash
# Tests android.sh and ios.sh as far as a Linux machine without an NDK and without Xcode can.
#
#   test.sh        what is said where tools are missing, every printed command, and libtim for one ABI with a stand-in NDK
#   test.sh all    all four ABIs; mistakes that must be found; the archives for iOS with a stand-in SDK, and what they import
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
native=bindings/react-native/native
work=$PWD/build/rn-native
llvm=/usr/lib/llvm-19/bin
mkdir -p "$work"
export OUT=build/rn-native/out # what a stand-in makes must not be packaged
unset ANDROID_NDK_HOME ANDROID_NDK_ROOT ANDROID_HOME ANDROID_SDK_ROOT

fail() {
  echo "native/test.sh: $*" >&2
  exit 1
}

# says WORDS COMMAND...: the command fails and says so in these words.
says() {
  local words=$1 output
  shift
  output=$("$@" 2>&1) && fail "$* did not fail"
  grep -q -- "$words" <<< "$output" || fail "$* does not say '$words' but: $output"
}

names_what_is_missing() {
  local old=$work/old-ndk
  mkdir -p "$old"
  echo "Pkg.Revision = 25.1.8937393" > "$old/source.properties"
  says "missing: the Android NDK: install it with" env HOME="$work" bash $native/android.sh
  says "missing: NDK 27 or newer: .* is 25" env ANDROID_NDK_HOME="$old" bash $native/android.sh
  says "there is no ABI mips" bash $native/android.sh --dry-run mips
  says "missing: xcrun: install Xcode" bash $native/ios.sh
  says "missing: xcodebuild: " bash $native/ios.sh
  says "missing: go: get Go 1" env PATH="$work/tools" /bin/bash $native/ios.sh
  echo "what is missing is named, with where to get it"
}

# tools without Go.
tools_without_go() {
  mkdir -p "$work/tools"
  for tool in bash dirname sed sort cat mkdir env uname find tail; do ln -sf "$(command -v $tool)" "$work/tools/$tool"; done
}

prints_every_command() {
  local abi printed=$work/android.commands
  bash $native/android.sh --dry-run > "$printed" 2> /dev/null
  for abi in arm64:aarch64-linux-android arm:armv7a-linux-androideabi amd64:x86_64-linux-android 386:i686-linux-android; do
    grep "^env CGO_ENABLED=1 GOOS=android GOARCH=${abi%%:*} GOARM=7 CC=/path/to/ndk/.*/${abi#*:}24-clang go build " "$printed" |
      grep -- '-Wl,-soname,libtim.so -Wl,-z,max-page-size=16384 -Wl,--pack-dyn-relocs=android -Wl,--no-rosegment ' |
      grep 'version-script' > /dev/null ||
      fail "no command for $abi in $printed"
  done
  [ "$(grep -c "llvm-strip --strip-unneeded -o $OUT/android/libs/" "$printed")" = 4 ] || fail "not every library is stripped"
  ANDROID_API=30 bash $native/android.sh --dry-run 2> /dev/null | grep -v rosegment | grep -c -- '-linux-android.*30-clang.*pack-dyn-relocs=android+relr ' |
    grep -qx 4 || fail "Android 11 gets no RELR, or what Android 9 needs"

  printed=$work/ios.commands
  bash $native/ios.sh --dry-run > "$printed" 2> /dev/null
  for abi in arm64-apple-ios15.1 arm64-apple-ios15.1-simulator x86_64-apple-ios15.1-simulator; do
    grep -q "clang -target $abi' go build .*-buildmode=c-archive" "$printed" || fail "no archive for $abi in $printed"
    grep -q "clang -target $abi -r .*-exported_symbols_list.*first.o -Wl,-force_load,.*raw.a .*last.o" "$printed" ||
      fail "no object for $abi in $printed"
  done
  grep -q '^xcodebuild -create-xcframework -output .*/ios/Tim.xcframework .*device/libtim.a .*simulator/libtim.a' "$printed" ||
    fail "no xcframework in $printed"
  grep -v '^#' "$work"/*.commands -h | bash -n
  echo "$(cat "$work"/*.commands | grep -vc '^#') commands are printed, and are what a shell can read"
}

builds_for_android() {
  ANDROID_NDK_HOME=$work/ndk bash $native/android.sh "$@"
  python3 $native/standin/order.py $llvm "$OUT"/android/symbols/arm64-v8a/libtim.so
}

# wrong FLAG WORDS: without the flag, the script finds fault.
wrong() {
  rm -rf "$OUT/android/symbols"
  says "$2" env ANDROID_NDK_HOME="$work/ndk" STANDIN_DROPS="$1" bash $native/android.sh arm64-v8a
  rm -rf "$OUT/android"
}

finds_mistakes() {
  wrong -Wl,-soname,libtim.so "has another SONAME"
  wrong -Wl,-z,max-page-size=16384 "is not aligned for pages of 16 KB"
  wrong -Wl,--pack-dyn-relocs=android "relocations that are not packed"
  wrong -Wl,--no-rosegment "constants in a segment of their own"
  echo "a wrong SONAME, small pages, loose relocations and what crash reports stumble over are found"
}

# The printed commands up to the archive are run, with Debian's clang and the headers of Apple's C library; and the only file of
# the package's C++ that differs on iOS is compiled.
builds_for_ios() {
  local slice
  bash $native/standin/xcode.sh "$work/xcode"
  bash $native/ios.sh --dry-run 2> /dev/null | sed -n '/^env \|^mkdir\|-DTIM_SIGMASK/p' > "$work/ios.commands"
  PATH=$work/xcode:$PATH bash -e "$work/ios.commands"
  for slice in device simulator-arm64 simulator-x86_64; do
    python3 $native/standin/imports.py $llvm bindings/react-native/ios/PrivacyInfo.xcprivacy "$OUT"/ios/$slice/raw.a
  done
  "$work/xcode/xcrun" --sdk iphoneos clang -target arm64-apple-ios15.1 --driver-mode=g++ -std=c++20 -Wall -Wextra -Werror \
    -nostdinc++ -isystem $llvm/../include/c++/v1 -c bindings/react-native/cpp/TimFolder.cpp -o "$work/TimFolder.o"
}

tools_without_go
names_what_is_missing
prints_every_command
rm -rf "$work/ndk" "$OUT/android" # Go takes a library that is there for up to date, whatever made it
bash $native/standin/ndk.sh "$work/ndk"
if [ "${1:-}" = all ]; then
  builds_for_android
  finds_mistakes
  builds_for_ios
else
  builds_for_android arm64-v8a
fi
