#!/usr/bin/env bash
# Builds libtim into build/: lib/libtim.so and lib/libtim.a, the headers, and what pkg-config and CMake need to find them.
# Does nothing if nothing changed.
#
#   capi/build.sh                  the library for this machine
#   capi/build.sh target NAME      only the shared library, in build/targets/NAME: linux-x64, linux-arm64 and win32-x64 with
#                                  Debian's cross compilers, darwin-x64 and darwin-arm64 on a Mac
#   capi/build.sh variant NAME     a libtim.so for tests in build/variants/NAME: asan, tsan (sanitizers in its C half, and
#                                  for asan in its Go half; both with capi/testing.go) or unguarded (as go build makes it)
#
# CC and GOOS/GOARCH are respected. On Linux the library needs glibc 2.28 or newer (see glibc.sh).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
export CGO_ENABLED=1
source capi/go.sh
source capi/target.sh

version=$(tr -d '[:space:]' < VERSION)
cc=${CC:-$(go env CC)}
soname=libtim.so.$version
work=build/capi
mkdir -p "$work"

# Go's build cache sees only headers of the package's own folder, and a copy there would go stale: they are links.
for header in tim.h tim_codes.gen.h; do
  if [ ! -L "capi/$header" ]; then
    echo "capi/build.sh: capi/$header must be a link: ln -sf ../include/$header capi/$header" >&2
    exit 1
  fi
done

version_script() {
  local abi
  abi=$(sed -n 's/^#define TIM_ABI_VERSION //p' include/tim.h)
  echo "TIM_$abi {"
  echo "  global:"
  header_names "$@" | sed 's/.*/    &;/'
  echo "  local: *;"
  echo "};"
}

# What the result depends on: the toolchain, this folder, and all of our packages that capi is made of.
fingerprint() {
  go env GOVERSION GOOS GOARCH CGO_CFLAGS CGO_LDFLAGS
  go env GOFLAGS | sed 's/-buildvcs=false//' | xargs echo # which is set below
  $cc --version
  go list -deps -f '{{if .Module}}{{if .Module.Main}}{{.Dir}}{{end}}{{end}}' ./capi | while read -r dir; do
    find -L "$dir" -maxdepth 1 -type f ! -name '*_test.go' -print0
  done | sort -z | xargs -0 sha256sum
  sha256sum go.mod go.sum VERSION
}

# is_current DIR FINGERPRINT
is_current() { [ -e "$1/.made-from" ] && [ "$2" = "$(cat "$1/.made-from")" ]; }

# build_go MODE OUTPUT TAGS LINKER_FLAGS
build_go() {
  go_library "$@"
  "${go_library_command[@]}"
  rm -f "${2%.*}.h" # what cgo writes is for nobody
}

make_overlay() {
  bash capi/overlay.sh "$root/$work/overlay"
  overlay=$root/$work/overlay/overlay.json
}

# Links against what glibc 2.28 has. What it calls __res_search, the headers of a new one call res_search.
make_glibc() {
  glibc=$root/$work/glibc-$(go env GOARCH)
  CC=$cc bash capi/glibc.sh "$glibc"
}

# shared_library DIR TAGS HEADER... exports what the headers declare. -z pack-relative-relocs would save 9 % of the size, and
# ask for glibc 2.36.
shared_library() {
  local dir=$1 tags=$2 map
  map=$work/$(basename "$dir").map
  shift 2
  version_script "$@" > "$map"
  CGO_CFLAGS="$(go env CGO_CFLAGS) ${glibc:+-Dres_search=__res_search}" build_go c-shared "$dir/$soname" "$tags" \
    "-Wl,--version-script=$root/$map -Wl,-soname,$soname -Wl,-z,now -Wl,-z,defs ${glibc:+-L$glibc}"
  ln -sf "$soname" "$dir/libtim.so"
}

# The archive holds one object: the signal masks of sigmask.c around all else, so that the order is right whatever order a
# host links in, and only the public names visible, so that a second Go archive can be linked beside it.
static_library() {
  local raw=$work/raw.a
  build_go c-archive "$raw" tim_unguarded ""
  "$cc" -O2 -fPIC -c -DTIM_SIGMASK_FIRST capi/sigmask.c -o "$work/first.o"
  "$cc" -O2 -fPIC -c -DTIM_SIGMASK_LAST capi/sigmask.c -o "$work/last.o"
  "$cc" -r -Wl,-d -nostdlib -o "$work/tim.o" "$work/first.o" -Wl,--whole-archive "$raw" -Wl,--no-whole-archive "$work/last.o"
  header_names include/tim.h > "$work/names"
  objcopy --strip-debug --keep-global-symbols="$work/names" "$work/tim.o"
  rm -f "$1/libtim.a"
  ar rcs "$1/libtim.a" "$work/tim.o"
}

# package_files PREFIX
package_files() {
  local in
  mkdir -p "$1/include" "$1/lib/pkgconfig" "$1/lib/cmake/Tim"
  cp include/tim.h include/tim_codes.gen.h "$1/include/"
  for in in capi/package/*.in; do
    case $in in
      *.pc.in) sed "s/@VERSION@/$version/g" "$in" > "$1/lib/pkgconfig/$(basename "$in" .in)" ;;
      *) sed "s/@VERSION@/$version/g" "$in" > "$1/lib/cmake/Tim/$(basename "$in" .in)" ;;
    esac
  done
}

glibc_floor() { objdump -T "$1" | grep -oP 'GLIBC_\K[0-9.]+' | sort -uV | tail -n 1; }
megabytes() { wc -c < "$1" | awk '{ printf "%.2f MB", $1 / 1e6 }'; }

# The new library takes the place of the old one when it is complete, so nobody finds half of it.
build_library() {
  local made=$work/made now
  now=$(fingerprint)
  if is_current build/lib "$now"; then
    echo "libtim $version is up to date in build/lib"
    return
  fi
  rm -rf "$made"
  mkdir -p "$made/lib"
  make_overlay
  make_glibc
  shared_library "$made/lib" "" include/tim.h
  static_library "$made/lib"
  package_files "$made"
  echo "$now" > "$made/lib/.made-from"
  rm -rf build/lib build/include
  mv "$made/lib" "$made/include" build/
  echo "build/lib/$soname: $(megabytes "build/lib/$soname"), needs glibc $(glibc_floor "build/lib/$soname")"
  echo "build/lib/libtim.a: $(megabytes build/lib/libtim.a)"
}

# ---- other machines ---------------------------------------------------------------------------------------------------

# Windows has no signals. Everything that is not part of Windows goes into the DLL.
dll() { build_go c-shared "$1/$library" "" "-static -Wl,--out-implib,$root/$1/tim.dll.a"; }

# On macOS constructors run in the order of the link, so the masks of sigmask.c go around the rest, as in the archive.
dylib() {
  make_overlay
  build_go c-archive "$work/raw.a" tim_unguarded ""
  $CC -O2 -fPIC -c -DTIM_SIGMASK_FIRST capi/sigmask.c -o "$work/first.o"
  $CC -O2 -fPIC -c -DTIM_SIGMASK_LAST capi/sigmask.c -o "$work/last.o"
  header_names include/tim.h | sed 's/^/_/' > "$work/names"
  $CC -dynamiclib "$work/first.o" -Wl,-force_load,"$work/raw.a" "$work/last.o" -o "$1/$library" \
    -install_name "@rpath/$library" -Wl,-exported_symbols_list,"$work/names" \
    -framework CoreFoundation -framework Security -lresolv
}

build_target() {
  local dir=build/targets/$1 now
  target "$1"
  cc=$CC
  now=$(fingerprint)
  if is_current "$dir" "$now"; then return; fi
  rm -rf "$dir"
  mkdir -p "$dir"
  case $GOOS in
    linux) make_overlay && make_glibc && shared_library "$dir" "" include/tim.h ;;
    windows) dll "$dir" ;;
    darwin) dylib "$dir" ;;
  esac
  echo "$now" > "$dir/.made-from"
  echo "$dir/$library: $(megabytes "$dir/$library")"
}

build_variant() {
  local dir=build/variants/$1 now testing=(timtesting include/tim.h capi/tim_testing.h)
  now=$(fingerprint)
  if is_current "$dir" "$now"; then return; fi
  rm -rf "$dir"
  mkdir -p "$dir"
  case $1 in
    asan) make_overlay && sanitize=-asan shared_library "$dir" "${testing[@]}" ;;
    tsan)
      make_overlay
      CGO_CFLAGS="-O2 -g -fsanitize=thread" CGO_LDFLAGS=-fsanitize=thread shared_library "$dir" "${testing[@]}"
      ;;
    unguarded) shared_library "$dir" tim_unguarded include/tim.h ;;
    *) echo "capi/build.sh: there is no variant $1" >&2 && exit 2 ;;
  esac
  echo "$now" > "$dir/.made-from"
}

exec 9> "$work/lock" # one at a time
if command -v flock > /dev/null; then flock 9; fi
case ${1:-} in
  "") build_library ;;
  target) build_target "$2" ;;
  variant) build_variant "$2" ;;
  *) echo "usage: capi/build.sh [target NAME | variant asan|tsan|unguarded]" >&2 && exit 2 ;;
esac
