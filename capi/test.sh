#!/usr/bin/env bash
# Tests the C face.
#
#   capi/test.sh                 all of it, about four minutes
#   capi/test.sh PART...         some of: header names constants stories server sanitizers signals exits hosts consumers
#   capi/test.sh record          writes today's new constants into ctest/constants.txt, for good
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
work=$root/build/capi
parts=(header names constants stories server sanitizers signals exits hosts consumers)
stories=(main journal arguments login session life)
strict=(-Wall -Wextra -pedantic -Werror)
read -ra cc <<< "${CC:-gcc}"
ulimit -c 0 # some tests end in a crash, on purpose
trap 'jobs -p | xargs -r kill 2> /dev/null || true' EXIT

fail() {
  echo "capi/test.sh: $*" >&2
  exit 1
}

# compile OUTPUT LIBRARY_DIR FLAGS... -- NAME... makes a test program from sources of ctest/.
compile() {
  local output=$1 lib=$2 flags=() sources=()
  shift 2
  while [ "$1" != -- ]; do flags+=("$1") && shift; done
  shift
  for name in "$@"; do sources+=("capi/ctest/$name.c"); done
  "${cc[@]}" -std=gnu11 -O1 -g "${strict[@]}" -Iinclude -Icapi "${flags[@]}" "${sources[@]}" -o "$output" \
    -L"$lib" -ltim -lpthread -Wl,-rpath,"$lib"
}

# The fake server runs while this script does. $url is where.
start_server() {
  go build -o "$work/fakeserver" ./capi/ctest/fakeserver
  coproc SERVER { exec "$work/fakeserver"; }
  read -r url <&"${SERVER[0]}"
}

# within SECONDS COMMAND... fails with what the command printed.
within() {
  local seconds=$1 output rc=0
  shift
  output=$(timeout "$seconds" "$@" 2>&1) || rc=$?
  if [ $rc != 0 ]; then
    tail -n 60 <<< "$output" >&2
    fail "$* ended with $rc"
  fi
  tail -n 1 <<< "$output"
}

# ---- the parts --------------------------------------------------------------------------------------------------------

test_header() {
  local language
  printf '#include "tim.h"\n#include "tim.h"\nint main(void) { return 0; }\n' > "$work/twice.c"
  cp "$work/twice.c" "$work/twice.cc"
  for language in c99 c11 c17; do
    "${cc[@]}" -std=$language "${strict[@]}" -Wconversion -Wundef -Wstrict-prototypes -Iinclude -fsyntax-only "$work/twice.c"
  done
  for language in c++11 c++17 c++20; do
    g++ -std=$language "${strict[@]}" -Wconversion -Wundef -Iinclude -fsyntax-only "$work/twice.cc"
  done
  "${cc[@]}" -std=c11 "${strict[@]}" -Iinclude -fsyntax-only capi/ctest/layout.c
  echo "C99, C11, C17, C++11, C++17, C++20, twice; structs keep their layout"
}

test_names() {
  grep -oP 'TIM_API .*\bTIM_CALL \K\w+(?=\()' include/tim.h | sort > "$work/names.header"
  sed -n '/global:/,/local:/s/^ *\(tim_[a-z_]*\);/\1/p' "$work/lib.map" | sort > "$work/names.map"
  nm -D --defined-only build/lib/libtim.so | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort > "$work/names.so"
  nm --defined-only --extern-only build/lib/libtim.a | awk 'NF == 3 { print $3 }' | sort > "$work/names.a"
  for other in map so a; do
    diff "$work/names.header" "$work/names.$other" || fail "tim.h and libtim.$other disagree about the names above"
  done
  # Every function of the header is called by the stories.
  while read -r name; do
    [ "$name" = tim_client_new_abi ] || grep -q "\b$name(" capi/ctest/{arguments,login,session,life}.c || fail "no story calls $name"
  done < "$work/names.header"
  echo "$(wc -l < "$work/names.header") names in the header, the version script, the library and the archive"
}

constants() {
  {
    echo '#include <stdio.h>'
    echo '#include "tim.h"'
    echo 'int main(void) {'
    grep -ohP '^ +\KTIM_\w+(?= = )|^#define \KTIM_(ABI_VERSION|USER_ID_SIZE)\b' include/tim.h include/tim_codes.gen.h |
      sed 's/.*/printf("%s %d\\n", "&", (int)&);/'
    echo 'return 0; }'
  } > "$work/constants.c"
  "${cc[@]}" -Iinclude "$work/constants.c" -o "$work/constants"
  "$work/constants" | LC_ALL=C sort
}

# A constant that a program may have compiled in keeps its number for good. New ones are welcome.
test_constants() {
  local gone
  constants > "$work/constants.now"
  gone=$(LC_ALL=C comm -23 capi/ctest/constants.txt "$work/constants.now")
  [ -z "$gone" ] || fail "these constants changed or vanished, see capi/ctest/constants.txt: $gone"
  echo "$(wc -l < capi/ctest/constants.txt) constants keep their numbers," \
    "$(LC_ALL=C comm -13 capi/ctest/constants.txt "$work/constants.now" | wc -l) are not recorded yet"
}

test_stories() {
  compile "$work/ctest" "$root/build/lib" -- "${stories[@]}"
  within 600 "$work/ctest" "$url"
}

# The example against a real server: a login, and tickets that are wrong in two ways.
test_server() {
  local pid endpoint app user ticket
  go build -o "$work/timd" ./cmd/timd
  "${cc[@]}" -std=c99 "${strict[@]}" -Iinclude examples/c/login.c -o "$work/login" -Lbuild/lib -ltim -Wl,-rpath,"$root/build/lib"
  "$work/timd" dev --json --listen 127.0.0.1:0 --data "$work/timd-data" > "$work/timd.json" &
  pid=$!
  await '^{' "$work/timd.json"
  endpoint=$(told endpoint) app=$(told app) user=$(told user) ticket=$(told ticket)
  log_in_and_out "$work/login" "$endpoint" "$app" "$user" "$ticket"
  refused "$endpoint" "$app" bob "$ticket" "another userID"
  refused "$endpoint" "$app" "$user" "${ticket:0:40}" "cannot be decoded"
  kill $pid
  wait $pid || true
  echo "timd lets alice in, and says why it does not let others in"
}

# told FIELD of what timd printed.
told() { sed -E "s/.*\"$1\":\"?([^\",}]*).*/\1/" "$work/timd.json"; }

# await PATTERN FILE waits for a line, for at most two minutes.
await() {
  local i
  for ((i = 0; i < 1200; i++)); do
    grep -qs "$1" "$2" && return
    sleep 0.1
  done
  fail "no $1 in $2: $(cat "$2")"
}

# refused URL APP USER TICKET WORDS: the login fails, and says so in these words.
refused() {
  local output
  output=$(timeout 120 "$work/login" "${@:1:4}") && fail "$3 was let in"
  grep -q "^failed: .*$5" <<< "$output" || fail "$3 is told: $output"
}

# Go's half is instrumented by -asan only; TSan learns from cgo what the Go half orders.
test_sanitizers() {
  local variant flags dir
  for variant in asan tsan; do
    bash capi/build.sh variant $variant
    dir=$root/build/variants/$variant
    flags=(-fsanitize=thread)
    [ $variant = tsan ] || flags=("-fsanitize=address,undefined" -fno-sanitize-recover=all)
    compile "$dir/ctest" "$dir" "${flags[@]}" -DTIM_TESTING -- "${stories[@]}"
    compile "$dir/stress" "$dir" "${flags[@]}" -- stress
    compile "$dir/melee" "$dir" "${flags[@]}" -- melee
    compile "$dir/control" "$dir" "${flags[@]}" -- control
    g++ -std=c++17 -O1 -g -fno-exceptions "${strict[@]}" "${flags[@]}" -Iinclude -Ibindings/cpp capi/ctest/cpp.cc \
      -o "$dir/cpp" -L"$dir" -ltim -lpthread -Wl,-rpath,"$dir"
    within 600 "$dir/ctest" "$url"
    within 600 "$dir/stress" "$url" 8 100
    within 600 "$dir/melee" "$url" 3 8
    within 300 "$dir/cpp" "$url"
  done
  race_detector
  sees asan use-after-free AddressSanitizer:
  sees tsan race ThreadSanitizer:
}

# Go's own detector, and its strictest check of pointers that cross. Neither works in a shared library.
race_detector() {
  local dir=$root/build/variants/race program
  GOEXPERIMENT=cgocheck2 go build -race -buildmode=c-archive -tags tim_unguarded -o "$dir/libtim.a" ./capi
  for program in stress melee; do
    "${cc[@]}" -std=gnu11 -O1 -g -no-pie "${strict[@]}" -DTIM_STATIC -Iinclude "capi/ctest/$program.c" -o "$dir/$program" \
      "$dir/libtim.a" -lpthread -lresolv -lm
  done
  within 600 "$dir/stress" "$url" 8 40
  within 600 "$dir/melee" "$url" 3 8
}

# sees VARIANT MISTAKE WORD: the sanitizer is really at work.
sees() {
  local output
  output=$("build/variants/$1/control" "$2" "$url" 2>&1) && fail "$1 does not see a $2"
  grep -q "$3" <<< "$output" || fail "$1 says nothing of a $2"
  echo "$1 sees a $2"
}

# In the unguarded library the masks must be wrong and a storm must crash, or this test proves nothing; each lasts longer.
test_signals() {
  local runs=${STORMS:-20} tries=${CONTROL_STORMS:-10} i dir=$root/build/variants/unguarded
  bash capi/build.sh variant unguarded
  compile "$work/signals" "$root/build/lib" -- signals
  compile "$dir/signals" "$dir" -- signals
  compile_static "$work/signals-static" capi/ctest/signals.c

  # What the caller of this script ignores, such as SIGINT in a job in the background, would be ignored in the test, too.
  within 120 env --default-signal "$work/signals" masks "$url" ok
  within 120 env --default-signal "$work/signals-static" masks "$url" ok
  timeout 120 env --default-signal "$dir/signals" masks "$url" ok > /dev/null && fail "the masks of the unguarded library are right"

  for ((i = 1; i <= runs; i++)); do within 300 "$work/signals" storm "$url" ok 2; done | tail -n 1
  within 300 "$work/signals-static" storm "$url" ok 2
  for ((i = 1; ; i++)); do
    # The inner shell keeps the news of the crash to itself.
    bash -c '"$@"; exit $?' storm timeout 60 "$dir/signals" storm "$url" ok $((2 * i)) > /dev/null 2>&1 || [ $? = 124 ] || break # 124: too slow
    [ "$i" -lt "$tries" ] || fail "the unguarded library survived $tries storms"
  done
  echo "$runs storms survived; the unguarded library crashed in storm $i"
}

test_exits() {
  local i
  compile "$work/exits" "$root/build/lib" -- exits
  for ((i = 0; i < 50; i++)); do
    timeout 60 "$work/exits" loaded || fail "exits loaded ended with $?"
    timeout 60 "$work/exits" live "$url" || fail "exits live ended with $?"
    timeout 60 "$work/exits" inside "$url" || fail "exits inside ended with $?"
  done
  echo "50 exits each: only loaded, with live clients, inside a callback"
}

# Hosts that make it hard; ctest/hosts.c says which.
test_hosts() {
  local runs=${HOSTS:-5} i mode
  compile "$work/hosts" "$root/build/lib" -ldl -- hosts
  cp -L build/lib/libtim.so "$work/copy.so"
  for ((i = 0; i < runs; i++)); do
    for mode in no-stdio no-descriptors small-stacks unused; do within 300 "$work/hosts" $mode "$url" > "$work/hosts.log"; done
    low_memory
    within 300 "$work/hosts" unloaded "$url" "$work/copy.so" > "$work/hosts.log"
    within 300 "$work/hosts" two-copies "$url" "$root/build/lib/libtim.so" "$work/copy.so" > "$work/hosts.log"
  done
  echo "$runs runs each: closed stdio, no descriptors, the smallest stacks, little memory, two copies, dlclose, never used"
}

# low_memory: calls say that there is none, or the Go runtime does and ends the process, as the header warns.
low_memory() {
  local output rc=0
  output=$(timeout 300 "$work/hosts" low-memory "$url" 2>&1) || rc=$?
  [ $rc = 0 ] || grep -qE 'pthread_create failed|out of memory|cannot allocate' <<< "$output" || fail "low memory ended with $rc: $output"
}

compile_static() {
  "${cc[@]}" -std=gnu11 -O1 -g "${strict[@]}" -DTIM_STATIC -Iinclude "$2" build/lib/libtim.a -lpthread -lresolv -o "$1"
}

# The example, as an application builds it.
test_consumers() {
  local dir=$work/consumers flags
  rm -rf "$dir"
  mkdir -p "$dir/cmake"

  export PKG_CONFIG_PATH=$root/build/lib/pkgconfig
  read -ra flags <<< "$(pkg-config --cflags --libs libtim)"
  "${cc[@]}" -std=c99 "${strict[@]}" examples/c/login.c -o "$dir/pkg-config" "${flags[@]}" -Wl,-rpath,"$root/build/lib"
  compile_static "$dir/static" examples/c/login.c

  cat > "$dir/cmake/CMakeLists.txt" << END
cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(Tim $(cut -d. -f1,2 VERSION) REQUIRED)
add_executable(shared $root/examples/c/login.c)
target_link_libraries(shared Tim::tim)
add_executable(static $root/examples/c/login.c)
target_link_libraries(static Tim::static)
END
  cmake -S "$dir/cmake" -B "$dir/cmake/build" -DTim_DIR="$root/build/lib/cmake/Tim" > "$dir/cmake.log" || cat "$dir/cmake.log"
  cmake --build "$dir/cmake/build" >> "$dir/cmake.log" || fail "$(cat "$dir/cmake.log")"


  for program in "$dir/pkg-config" "$dir/static" "$dir/cmake/build/shared" "$dir/cmake/build/static"; do
    log_in_and_out "$program" "$url" 1 alice ok
  done
  readelf -d "$dir/pkg-config" | grep -q "NEEDED.*\[libtim.so.$(cat VERSION)\]" || fail "the SONAME is not libtim.so.$(cat VERSION)"
  echo "pkg-config, CMake and the archive: login and logout"
}

# log_in_and_out PROGRAM URL APP USER TICKET: the example tells its story, and Ctrl-C logs out.
log_in_and_out() {
  local pid
  "$@" > "$1.log" 2>&1 &
  pid=$!
  await "is logged in" "$1.log"
  kill -INT $pid
  wait $pid || fail "$1 ended with $?: $(cat "$1.log")"
  diff "$1.log" - << END || fail "$1 tells another story"
connecting
connected
alice is logged in; Ctrl-C logs out
logged out
END
}

# ---- which parts ------------------------------------------------------------------------------------------------------

mkdir -p "$work"
if [ "${1:-}" = record ]; then
  constants > capi/ctest/constants.txt
  exit
fi
[ $# -gt 0 ] || set -- "${parts[@]}"
bash capi/build.sh
start_server
for part in "$@"; do
  declare -F "test_$part" > /dev/null || fail "there is no part $part: use ${parts[*]}"
  SECONDS=0
  echo "- $part"
  "test_$part"
  echo "  $SECONDS s"
done
