#!/usr/bin/env bash
# Compiles this folder into build/usersig and runs its tests there; those against Go need go.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$PWD/../../build/usersig

rm -rf "$out"
mkdir -p "$out"
echo '{ "type": "commonjs" }' >"$out/package.json"
../../node_modules/.bin/tsc --noEmit false --outDir "$out" -p tsconfig.json
node --test "$@" "$out"/test/*.test.js
../../node_modules/.bin/typedoc --options typedoc.json --logLevel Warn # into build/docs/usersig; a warning fails
