#!/usr/bin/env bash
# Builds the packages as they are published, into build/node:
#
#   build/node/node                    @opentim/node: JavaScript and declarations
#   build/node/node-PLATFORM-ARCH      @opentim/node-PLATFORM-ARCH: the addon, with libtim beside it
#
#   bindings/node/build.sh [--dry-run] [TARGET...]
#
# A target is linux-x64, linux-arm64 or win32-x64 (on Linux, with Debian's cross compilers), or darwin-x64 or darwin-arm64 (on a
# Mac); without one it is this machine. --dry-run prints what would be compiled and how.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export CGO_ENABLED=1
source capi/target.sh
out=build/node
headers=node_modules/node-api-headers
version=$(tr -d '[:space:]' <VERSION)

dry=""
if [ "${1:-}" = --dry-run ]; then dry=yes && shift; fi
run() { if [ -n "$dry" ]; then echo "$*"; else "$@"; fi; }

compile=(-std=c11 -D_GNU_SOURCE -DNAPI_VERSION=8 -O2 -Wall -Wextra -Werror -fvisibility=hidden -isystem "$headers/include" -Iinclude)
sources=(bindings/node/src/*.c)

# On Linux it finds libtim in its own folder, and no other version of it; -z nodelete because Node unloads addons.
link_linux() {
  run env CC="$CC" bash capi/glibc.sh "$2/glibc"
  run "$CC" "${compile[@]}" -fPIC -shared "${sources[@]}" -o "$1/tim.node" "$1/$library" -L"$2/glibc" -lpthread -ldl \
    "-Wl,-rpath,\$ORIGIN" -Wl,-z,nodelete -Wl,-z,now -s
}

# On Windows Node-API is in the program that loads the addon; see src/windows.
link_windows() {
  run node_api_def "$2/node.def"
  run x86_64-w64-mingw32-dlltool -d "$2/node.def" -D node.exe -y "$2/libnode.a"
  run "$CC" "${compile[@]}" -shared "${sources[@]}" bindings/node/src/windows/*.c -o "$1/tim.node" "$1/$library" \
    -L"$2" -lnode -ldelayimp -lpthread -static -s
}

node_api_def() {
  { echo "LIBRARY node.exe" && echo EXPORTS && grep -h '^n' "$headers"/def/*.def; } >"$1"
}

link_darwin() {
  # shellcheck disable=SC2086 # CC has a flag
  run $CC "${compile[@]}" -fPIC -bundle -undefined dynamic_lookup "${sources[@]}" -o "$1/tim.node" "$1/$library" -Wl,-rpath,@loader_path
}

# addon TARGET
addon() {
  local dir=$out/node-$1 work=$out/making/$1 lib=build/targets/$1
  if [ "$1" = "$(this_machine)" ] && [ "$GOOS" = linux ]; then
    run bash capi/build.sh && lib=build/lib
  else
    run bash capi/build.sh target "$1"
  fi
  run rm -rf "$dir"
  run mkdir -p "$dir" "$work"
  run cp "$lib/$library" "$dir/"
  "link_$GOOS" "$dir" "$work"
  [ -z "$dry" ] || return 0
  cp LICENSE "$dir/"
  licences >"$dir/THIRD-PARTY-LICENSES"
  platform_files "$1" >"$dir/package.json"
  printf '# @opentim/node-%s\n\nThe addon of [@opentim/node](https://www.npmjs.com/package/@opentim/node) for %s. Install that one instead.\n' \
    "$1" "$1" >"$dir/README.md"
}

# Whoever gets libtim gets the licences of what is in it.
licences() {
  local module dir
  go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' ./capi | sort -u | while read -r module dir; do
    printf -- '---- %s\n\n%s\n\n' "$module" "$(cat "$dir/LICENSE")"
  done
  printf -- '---- Go\n\n%s\n' "$(cat "$(go env GOROOT)/LICENSE")"
}

platform_files() {
  cat <<END_OF_JSON
{
  "name": "@opentim/node-$1",
  "version": "$version",
  "description": "The addon of @opentim/node for $1. Install @opentim/node instead.",
  "license": "Apache-2.0",
  "repository": { "type": "git", "url": "git+https://github.com/opentim/tim.git", "directory": "bindings/node" },
  "type": "commonjs",
  "main": "./tim.node",
  "files": ["tim.node", "$library", "THIRD-PARTY-LICENSES"],
  "os": ["${1%-*}"],
  "cpu": ["${1#*-}"],
$([ "$GOOS" != linux ] || echo '  "libc": ["glibc"],')
  "engines": { "node": ">=18" },
  "preferUnplugged": true
}
END_OF_JSON
}

javascript() {
  local dir=$out/node
  rm -rf "$dir"
  mkdir -p "$dir"
  node_modules/.bin/tsc -p bindings/node/tsconfig.build.json --outDir "$dir/dist"
  cp bindings/node/src/esm.mjs bindings/node/src/esm.d.mts "$dir/dist/node/src/"
  cp LICENSE bindings/node/package.json bindings/node/README.md "$dir/"
}

[ $# -gt 0 ] || set -- "$(this_machine)"
for name in "$@"; do
  target "$name"
  addon "$name"
done
[ -n "$dry" ] || javascript
