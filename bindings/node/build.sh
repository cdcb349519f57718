#!/usr/bin/env bash
# Builds the two packages as they are published, for this machine, into build/node:
#
#   build/node/node            @opentim/node: JavaScript and declarations
#   build/node/node-linux-x64  @opentim/node-linux-x64: the addon, with libtim beside it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
out=build/node
version=$(tr -d '[:space:]' <VERSION)
soname=libtim.so.$version

bash capi/build.sh

# The addon. It finds libtim in its own folder, and no other version of it; -z nodelete because Node unloads addons.
addon() {
  local dir=$out/node-linux-x64
  mkdir -p "$dir"
  cp "build/lib/$soname" "$dir/"
  "${CC:-gcc}" -std=c11 -D_GNU_SOURCE -DNAPI_VERSION=8 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \
    -isystem node_modules/node-api-headers/include -Iinclude bindings/node/src/*.c -o "$dir/tim.node" \
    -L"$dir" "-l:$soname" -lpthread -ldl "-Wl,-rpath,\$ORIGIN" -Wl,-z,nodelete -Wl,-z,now -s
  cp LICENSE "$dir/"
  cat >"$dir/package.json" <<END
{
  "name": "@opentim/node-linux-x64",
  "version": "$version",
  "description": "The addon of @opentim/node for Linux on x64 with glibc. Install @opentim/node instead.",
  "license": "Apache-2.0",
  "repository": { "type": "git", "url": "git+https://github.com/opentim/tim.git", "directory": "bindings/node" },
  "type": "commonjs",
  "main": "./tim.node",
  "files": ["tim.node", "$soname"],
  "os": ["linux"],
  "cpu": ["x64"],
  "libc": ["glibc"],
  "preferUnplugged": true
}
END
}

javascript() {
  local dir=$out/node
  mkdir -p "$dir"
  node_modules/.bin/tsc -p bindings/node/tsconfig.build.json --outDir "$dir/dist"
  cp bindings/node/src/esm.mjs bindings/node/src/esm.d.mts "$dir/dist/node/src/"
  cp LICENSE bindings/node/package.json bindings/node/README.md "$dir/"
}

[ "$(uname -sm)" = "Linux x86_64" ] || { echo "bindings/node/build.sh: only linux-x64 is built so far" >&2 && exit 1; }
rm -rf "$out/node" "$out/node-linux-x64"
addon
javascript
