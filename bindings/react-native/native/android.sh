#!/usr/bin/env bash
# Builds libtim for Android, into build/android: libs/ABI/libtim.so, which @opentim/react-native ships, and
# symbols/ABI/libtim.so, the same with its symbols, for reading crash reports.
#
#   ./build.sh android [ABI...]            ABI: arm64-v8a armeabi-v7a x86_64 x86
#   ./build.sh android --dry-run [ABI...]  prints every command instead
#
# ANDROID_NDK_HOME says where the NDK is, where it is not found by itself. ANDROID_API (24) is the oldest Android it loads on.
# shellcheck disable=SC2034,SC2154 # variables that capi/go.sh and common.sh share with us
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
source bindings/react-native/native/common.sh

api=${ANDROID_API:-24}
least_ndk=27 # what React Native 0.80 and newer use
out=${OUT:-build}/android
abis=()

newest() { [ ! -d "$1" ] || find "$1" -mindepth 1 -maxdepth 1 | sort -V | tail -n 1; }

find_ndk() {
  local sdk
  for ndk in "${ANDROID_NDK_HOME:-}" "${ANDROID_NDK_ROOT:-}"; do
    [ -z "$ndk" ] || return 0
  done
  for sdk in "${ANDROID_HOME:-}" "${ANDROID_SDK_ROOT:-}" "$HOME/Library/Android/sdk" "$HOME/Android/Sdk"; do
    ndk=$(newest "$sdk/ndk")
    [ -z "$ndk" ] || return 0
  done
  ndk=""
}

check_tools() {
  local major host=linux-x86_64
  need_go
  find_ndk
  [ "$(uname -s)" != Darwin ] || host=darwin-x86_64 # for Apple's own processors, too
  if [ -z "$ndk" ]; then
    missing+=("the Android NDK: install it with sdkmanager 'ndk;27.1.12297006' or Android Studio, and set ANDROID_NDK_HOME")
    ndk=/path/to/ndk
  else
    major=$(sed -n 's/^Pkg\.Revision *= *\([0-9]*\).*/\1/p' "$ndk/source.properties" 2> /dev/null || true)
    [ "${major:-0}" -ge $least_ndk ] || missing+=("NDK $least_ndk or newer: $ndk is ${major:-none}")
  fi
  bin=$ndk/toolchains/llvm/prebuilt/$host/bin
  tools_or_stop
}

# What an ABI is for Go and for clang.
describe() {
  case $1 in
    arm64-v8a) goarch=arm64 triple=aarch64-linux-android ;;
    armeabi-v7a) goarch=arm triple=armv7a-linux-androideabi ;;
    x86_64) goarch=amd64 triple=x86_64-linux-android ;;
    x86) goarch=386 triple=i686-linux-android ;;
    *) fail "there is no ABI $1: use arm64-v8a, armeabi-v7a, x86_64 or x86" ;;
  esac
}

# What the oldest Android that is asked for can read. Packed relocations save 0.5 MB of 5.9; RELR saves 0.1 MB more, and is read
# from API 28 on. Before API 29 a crash report ends at a library that keeps its constants in a segment of their own.
for_the_oldest() {
  local relr="" segments=""
  [ "$api" -lt 28 ] || relr="+relr -Wl,--use-android-relr-tags"
  [ "$api" -ge 29 ] || segments=" -Wl,--no-rosegment"
  echo "-Wl,--pack-dyn-relocs=android$relr$segments"
}

# The name has no version: an app packages the file as libtim.so, and Android finds it by that name. Pages of 16 KB are what
# newer phones have; libraries for them load on older ones, too.
build() {
  local abi=$1 goarch triple flags symbols=""
  describe "$abi"
  note "$abi"
  flags="-Wl,-soname,libtim.so -Wl,-z,max-page-size=16384 $(for_the_oldest)"
  flags="$flags -Wl,-z,now -Wl,-z,defs -Wl,--version-script=$PWD/$out/names.map"
  go_library c-shared "$out/symbols/$abi/libtim.so" "" "$flags"
  run env CGO_ENABLED=1 GOOS=android GOARCH="$goarch" GOARM=7 CC="$bin/$triple$api-clang" "${go_library_command[@]}"
  run rm -f "$out/symbols/$abi/libtim.h"
  run mkdir -p "$out/libs/$abi"
  run "$bin/llvm-strip" --strip-unneeded -o "$out/libs/$abi/libtim.so" "$out/symbols/$abi/libtim.so"
  [ -n "$dry" ] || check "$out/libs/$abi/libtim.so" "$out/symbols/$abi/libtim.so"
}

# check LIBRARY WITH_SYMBOLS: what can be wrong with it and shows only on a phone, or in its crash reports.
check() {
  local dynamic segments id
  dynamic=$("$bin/llvm-readelf" -dW "$1")
  segments=$("$bin/llvm-readelf" -lW "$1")
  [ "$api" -ge 29 ] || ! grep -q ' R  *0x4000$' <<< "$segments" || fail "$1 has constants in a segment of their own"
  id=$(build_id "$1")
  [ "${id:-none}" = "$(build_id "$2")" ] || fail "$1 has another build ID than $2"
  grep -q 'SONAME.*\[libtim.so\]' <<< "$dynamic" || fail "$1 has another SONAME"
  grep -q TEXTREL <<< "$dynamic" && fail "$1 has text relocations: Android does not load it"
  grep -q 'ANDROID_REL' <<< "$dynamic" || fail "$1 has relocations that are not packed"
  awk '$1 == "LOAD" && $NF != "0x4000"' <<< "$segments" | grep . && fail "$1 is not aligned for pages of 16 KB"
  grep -q '^ *TLS' <<< "$segments" && fail "$1 has thread-local storage, with which it may not load late"
  sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' <<< "$dynamic" | grep -Evx 'lib(c|dl|m|log)\.so' && fail "$1 needs the library above"
  "$bin/llvm-nm" -D --defined-only --format=just-symbols "$1" | same_names "$1"
  echo "   $1: $(megabytes "$1")"
}

build_id() { "$bin/llvm-readelf" -n "$1" | sed -n 's/.*Build ID: //p'; }

for argument in "$@"; do
  case $argument in
    --dry-run) dry=1 ;;
    -*) usage ;;
    *) abis+=("$argument") ;;
  esac
done
[ ${#abis[@]} != 0 ] || abis=(arm64-v8a armeabi-v7a x86_64 x86)
for abi in "${abis[@]}"; do describe "$abi"; done

check_tools
mkdir -p "$out"
printf '{ global: %s local: *; };\n' "$(header_names include/tim.h | sed 's/$/;/' | tr '\n' ' ')" > "$out/names.map"
overlay_for android "$out"
for abi in "${abis[@]}"; do build "$abi"; done
