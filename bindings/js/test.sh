#!/usr/bin/env bash
# Compiles this folder into build/js, where the names of the originals lead to it, and runs its tests there.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
out=$PWD/../../build/js
bin=$PWD/../../node_modules/.bin

rm -rf "$out"
mkdir -p "$out"
echo '{ "type": "module" }' >"$out/package.json"
for name in react-native-tim-js @tencentcloud/chat; do
  folder=$out/node_modules/$name
  mkdir -p "$folder"
  echo '{ "type": "module", "exports": "./index.js" }' >"$folder/package.json"
  echo "export * from '$out/test/under-test.js'; export { default } from '$out/test/under-test.js';" >"$folder/index.js"
done

"$bin/tsc" --noEmit -p tsconfig.json
"$bin/tsc" --noEmit -p test/types/original/tsconfig.json
"$bin/tsc" --noEmit false --outDir "$out" -p test/tsconfig.json
node --test "$@" "$out"/test/*.test.js
"$bin/typedoc" --options ../node/typedoc.json --logLevel Warn # into build/docs/node; a warning fails
