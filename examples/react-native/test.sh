#!/usr/bin/env bash
# Checks the example's types, renders its screens in Chromium over an engine in memory, and clicks through them. The pictures
# are in build/examples/react-native.
#
#   examples/react-native/test.sh [NODE_TEST_FLAG...]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
here=examples/react-native
bin=$PWD/node_modules/.bin
export OUT=$PWD/build/$here
mkdir -p "$OUT"

"$bin/tsc" --noEmit -p $here
"$bin/tsc" --noEmit -p $here/test
"$bin/esbuild" $here/test/page.tsx --bundle --outfile="$OUT/page.js" --jsx=automatic --target=chrome100 --log-level=warning \
  --define:process.env.NODE_ENV=\"production\" --define:__DEV__=false --tsconfig=$here/test/tsconfig.json \
  --alias:react-native=react-native-web
"$bin/esbuild" $here/test/screens.test.ts --bundle --outfile="$OUT/screens.test.cjs" --platform=node --log-level=warning \
  --external:playwright-core --external:axe-core/axe.min.js
node --test "$@" "$OUT/screens.test.cjs"
