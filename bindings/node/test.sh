#!/usr/bin/env bash
# Builds the packages, compiles the tests into build/node/test, where the names of the originals lead to @opentim/node, and
# runs them against a real timd.
#
#   bindings/node/test.sh            all parts
#   bindings/node/test.sh PART...    some of them. Two at a time: they wait most of the time.
#
#   node       every test but those of other parts, with the Node that is installed, or with NODE=/path/to/node; only
#              test/NAME.test.ts with TESTS=NAME
#   runtimes   Bun and Deno
#   versions   the addon, how processes and workers end, and the seeds' samples, on Node 18, 20, 22, 24 and 26
#   storms     signals, child processes, and 45 s (STORM_MS) of ordinary use while users log in and out, on Node 20 and 24
#   files      which glibc the built files need; what would be compiled on a Mac
#   install    the packed packages, with npm, pnpm and yarn, and what linters say of them
#   arm64      linux-arm64, under qemu, where starting a Node takes too long for the tests of processes
#   windows    win32-x64, under wine
#
# Every Node, package manager and linter but the first Node is pinned in test/tools. Debian's packages for cross builds are
# those of ../../build.sh.
set -euo pipefail
self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/test.sh
cd "$(dirname "$self")/../.."
out=$PWD/build/node
tests=$out/test/node/test
tools=$out/tools/node_modules
parts=(storms install arm64 windows node versions runtimes files) # the longest first
life=(process seeds addon)                 # what differs between Nodes
stories=(table sessions seeds traps addon) # what differs between platforms

fail() {
  echo "bindings/node/test.sh: $*" >&2
  exit 1
}

# ---- running test files -----------------------------------------------------------------------------------------------

# each LABEL JOBS NAME... -- COMMAND... runs test files, some at once, each as COMMAND FILE.
each() {
  local label=$1 jobs=$2 names=()
  shift 2
  while [ "$1" != -- ]; do names+=("$1") && shift; done
  shift
  printf '%s\n' "${names[@]}" | xargs -P "$jobs" -I{} bash "$self" --file "$label" {} "$@"
}

# one_file LABEL NAME COMMAND... says how many tests passed, or what failed. What fails may hold its process.
one_file() {
  local label=$1 name=$2 log=$out/logs/$1-$2.log
  shift 2
  if ! TEST_OUTPUT=$log timeout 30m "$@" "$tests/$name.test.js" >"$log" 2>&1 || ! grep -q '^# pass [1-9]' "$log"; then
    grep -A 80 '^ *not ok' "$log" | head -n 240 || tail -n 40 "$log"
    fail "$label: $name failed; all of it is in $log"
  fi
  echo "  $label $name: $(sed -n 's/^# pass //p' "$log") passed, $(sed -n 's/^# skipped //p' "$log") skipped"
}

tap=--test-reporter=tap
node_of() { echo "$tools/node$1/bin/node"; }

# ---- the parts --------------------------------------------------------------------------------------------------------

test_node() {
  local names=() file
  sanitized
  for file in "$tests"/${TESTS:-*}.test.js; do
    case $(basename "$file" .test.js) in
      install | lint | managers | missing | storm) ;;
      *) names+=("$(basename "$file" .test.js)") ;;
    esac
  done
  each installed 5 "${names[@]}" -- "${NODE:-node}" $tap
}

# sanitized makes the addon with what finds wrong uses of memory, and leaks.
sanitized() {
  gcc -std=c11 -D_GNU_SOURCE -DNAPI_VERSION=8 -g -O1 -fPIC -shared -fsanitize=address,undefined -fno-sanitize-recover=all \
    -isystem node_modules/node-api-headers/include -Iinclude bindings/node/src/*.c "$PWD"/build/lib/libtim.so \
    -Wl,-rpath,"$PWD/build/lib" -Wl,-z,nodelete -o "$out/making/sanitized.node"
  export TEST_SANITIZED=$out/making/sanitized.node
  TEST_SANITIZERS=$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libubsan.so)
  export TEST_SANITIZERS
}

test_runtimes() { bash bindings/node/test/runtimes.sh; }

test_versions() {
  local name version
  for name in "${life[@]}"; do
    for version in 18 20 22 24 26; do printf "node%s %s '%s' %s\n" $version "$name" "$(node_of $version)" $tap; done
  done | xargs -P 5 -L 1 bash "$self" --file
}

# Beside the addon, a libtim without its guards shows what the guards do.
test_storms() {
  local unguarded=$out/making/unguarded
  bash capi/build.sh variant unguarded
  mkdir -p "$unguarded"
  cp "$out/node-linux-x64/tim.node" build/variants/unguarded/libtim.so.* "$unguarded/"
  export TEST_UNGUARDED=$unguarded/tim.node
  printf '%s\n' 20 24 | xargs -P 2 -I{} bash "$self" --file node{} storm "$tools/node{}/bin/node" $tap
}

test_files() {
  local file floor
  for file in "$out"/node-linux-*/{tim.node,libtim.so.*}; do
    floor=$(readelf -V "$file" | grep -o 'Name: GLIBC_[0-9.]*' | sed 's/.*_//' | sort -uV | tail -n 1)
    [ -n "$floor" ] || fail "no version of glibc is to be read in $file"
    [ "$(printf '%s\n' "$floor" 2.28 | sort -V | tail -n 1)" = 2.28 ] || fail "$file needs glibc $floor"
    # not grep -q: it ends early, and then readelf ends badly
    readelf -dV "$file" | grep 'stdc++\|GLIBCXX' >/dev/null && fail "$file needs libstdc++"
    echo "  ${file#"$out"/} needs glibc $floor"
  done
  [ "$(bash bindings/node/build.sh --dry-run darwin-arm64 darwin-x64 | grep -c '^clang .*tim.node')" = 2 ] ||
    fail "build.sh would not compile for two kinds of Mac"
}

test_install() { each installed 2 install managers missing lint -- "${NODE:-node}" $tap; }

test_arm64() {
  local node=$out/making/node-arm64
  printf '#!/bin/sh\nexec qemu-aarch64 -L /usr/aarch64-linux-gnu "%s" "$@"\n' "$(node_of 20-arm64)" >"$node"
  chmod +x "$node"
  each arm64 5 "${stories[@]}" -- "$node" $tap
}

test_windows() {
  export WINEPREFIX=$out/wine WINEDEBUG=-all WINEARCH=win64
  [ -e "$WINEPREFIX/.ready" ] || make_windows >"$out/logs/wine.log" 2>&1 || fail "wine: $(tail -n 20 "$out/logs/wine.log")"
  each windows 6 process "${stories[@]}" -- node "$tests/serve.js" "$wine" "$(node_of 20-win).exe" $tap
}

# Wine of Debian 12 is no Windows 10 yet: it has not the one function that Go takes its random numbers from.
wine=/usr/lib/wine/wine64
make_windows() {
  rm -rf "$WINEPREFIX"
  mkdir -p "$WINEPREFIX"
  "$wine" wineboot -i
  "$wine" reg add 'HKCU\Software\Wine' /v Version /d win10 /f
  /usr/lib/wine/wineserver64 -w
  x86_64-w64-mingw32-gcc -shared -O2 bindings/node/test/wine/bcryptprimitives.c \
    -o "$WINEPREFIX/drive_c/windows/system32/bcryptprimitives.dll" -ladvapi32
  touch "$WINEPREFIX/.ready"
}

# one_part NAME says what its files said, all at once: another part runs beside it.
one_part() {
  local log=$out/logs/part-$1.log code=0
  SECONDS=0
  set +e # in a condition, test_$1 would go on after an error
  (set -e && "test_$1") >"$log" 2>&1
  code=$?
  echo "- $1, $SECONDS s" && cat "$log"
  return $code
}

# ---- what the parts need ----------------------------------------------------------------------------------------------

# module NAME TARGET: a package that exports what TARGET exports.
module() {
  mkdir -p "$out/node_modules/$1"
  echo "module.exports = require('$2');" >"$out/node_modules/$1/index.js"
}

compile() {
  local folder
  rm -rf "$out/test" "$out/node_modules"
  mkdir -p "$out/node_modules/@opentim"
  for folder in "$out"/node "$out"/node-*; do ln -s "$folder" "$out/node_modules/@opentim/"; done
  module react-native-tim-js @opentim/node
  module @tencentcloud/chat @opentim/node
  node_modules/.bin/tsc --noEmit false --outDir "$out/test" -p bindings/node/tsconfig.json
}

# pack makes of the packages what is published, as build/node/packed/NAME.tgz.
pack() {
  rm -rf "$out/packed"
  mkdir -p "$out/packed"
  npm pack --silent --offline --pack-destination "$out/packed" "$out"/node "$out"/node-* "$PWD/bindings/usersig" >/dev/null
}

install_tools() {
  local pinned=bindings/node/test/tools
  if cmp -s "$pinned/package-lock.json" "$out/tools/.installed"; then return; fi
  mkdir -p "$out/tools"
  cp "$pinned"/package*.json "$out/tools/"
  # Forced, because some of it is for other platforms. Not npm ci, which misses those builds of pnpm that no registry has.
  (cd "$out/tools" && npm install --force --ignore-scripts --no-fund --no-audit --loglevel=error)
  cp "$pinned/package-lock.json" "$out/tools/.installed"
}

case ${1:-} in
  --file) one_file "${@:2}" && exit ;;
  --part) one_part "$2" && exit || exit 1 ;;
esac
if [ -n "${TESTS:-}${NODE:-}" ]; then parts=(node); fi
[ $# -gt 0 ] || set -- "${parts[@]}"
targets=(linux-x64)
for part in "$@"; do
  declare -F "test_$part" >/dev/null || fail "there is no part $part: use ${parts[*]}"
  case $part in
    files) targets+=(linux-arm64) ;;
    install) targets+=(linux-arm64 win32-x64) ;;
    arm64) targets+=(linux-arm64) ;;
    windows) targets+=(win32-x64) ;;
  esac
done
mapfile -t targets < <(printf '%s\n' "${targets[@]}" | sort -u)
mkdir -p "$out/logs" "$out/making"
bash bindings/node/build.sh "${targets[@]}"
compile
pack
install_tools
go build -o "$out/timd" ./cmd/timd
export TIMD=$out/timd TOOLS=$tools
printf '%s\n' "$@" | xargs -P 2 -I{} bash "$self" --part {}
