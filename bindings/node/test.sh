#!/usr/bin/env bash
# Builds the packages, compiles the tests into build/node/test, where the names of the originals lead to @opentim/node, and
# runs them against a real timd.
#
#   bindings/node/test.sh [NODE_TEST_FLAG...]
#   NODE=/path/to/node bindings/node/test.sh    with another Node
#   TESTS=fuzz bindings/node/test.sh            only test/fuzz.test.ts, and not under Bun and Deno
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
bash bindings/node/build.sh
out=$PWD/build/node

# module NAME TARGET: a package that exports what TARGET exports.
module() {
  mkdir -p "$out/node_modules/$1"
  echo "module.exports = require('$2');" >"$out/node_modules/$1/index.js"
}

rm -rf "$out/test" "$out/node_modules"
mkdir -p "$out/node_modules/@opentim"
ln -s ../../node ../../node-linux-x64 "$out/node_modules/@opentim/"
module react-native-tim-js @opentim/node
module @tencentcloud/chat @opentim/node

node_modules/.bin/tsc --noEmit false --outDir "$out/test" -p bindings/node/tsconfig.json
go build -o "$out/timd" ./cmd/timd
export TIMD=$out/timd
# shellcheck disable=SC2086 # a pattern
"${NODE:-node}" --test --test-concurrency=5 "$@" "$out"/test/node/test/${TESTS:-*}.test.js
[ -n "${TESTS:-}${NODE:-}" ] || bash bindings/node/test/runtimes.sh
