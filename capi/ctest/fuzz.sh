#!/usr/bin/env bash
# Fuzzes the C face, and then has a melee around it, for as long: fuzz.sh SECONDS. What crashes is kept as build/fuzz/crash-*; run the program with such a file to see it
# again, and move the file to capi/ctest/fuzz/ when it is mended: all of them are run first, each time.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
work=build/fuzz
mkdir -p "$work/corpus" capi/ctest/fuzz
go build -o "$work/fakeserver" ./capi/ctest/fakeserver
export CC=${CLANG:-clang} CGO_ENABLED=1
source capi/go.sh

# The C half is instrumented for coverage and addresses; Go's half looks after itself. Not with fuzzer-no-link, which
# counts the depth of stacks in a way that the Go linker cannot read.
export CGO_CFLAGS="-g -O1 -fsanitize=address -fsanitize-coverage=inline-8bit-counters,indirect-calls,trace-cmp,pc-table"
export CGO_LDFLAGS="-fsanitize=address"
bash capi/overlay.sh "$PWD/$work/overlay"
overlay=$PWD/$work/overlay/overlay.json
go_library c-archive "$work/libtim.a" tim_unguarded ""
"${go_library_command[@]}"
"${CC/clang/clang++}" -std=c++17 -g -O1 -Wall -Wextra -fsanitize=fuzzer,address -Iinclude -DTIM_STATIC capi/ctest/fuzz.cc -o "$work/fuzz" \
  "$work/libtim.a" -lpthread -lresolv

coproc SERVER { exec "$work/fakeserver"; }
trap 'kill "$SERVER_PID" 2> /dev/null || true' EXIT
read -r TIM_FUZZ_URL <&"${SERVER[0]}"
export TIM_FUZZ_URL
# Leaks are the stress program's to find: here, memory that only Go knows would look like one.
"$work/fuzz" -detect_leaks=0 -max_len=400 -timeout=20 -rss_limit_mb=4096 -max_total_time="${1:?SECONDS}" -print_final_stats=1 \
  -artifact_prefix="$work/" "$work/corpus" capi/ctest/fuzz 2>&1 | grep -v -e NEW -e REDUCE -e pulse

# The same library, with many threads instead of many inputs.
"$CC" -std=gnu11 -g -O1 -Wall -Wextra -fsanitize=address -Iinclude -DTIM_STATIC capi/ctest/melee.c -o "$work/melee" "$work/libtim.a" \
  -lpthread -lresolv
ASAN_OPTIONS=detect_leaks=0 bash capi/ctest/melee.sh "$work/melee" "$1"
