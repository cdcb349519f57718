#!/usr/bin/env bash
# The one door to building, testing and trying tim. ./build.sh help lists what it does; CI runs ./build.sh test and nothing else.
set -euo pipefail
self=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/build.sh
cd "$(dirname "$self")"

# Every part of ./build.sh test, in order. A part is a function test_NAME below; it fails by a command that fails.
parts=(gen lint arch audit lib go proof baddays capi js node rn rn-ship examples deploy demo fuzz)

# What must be installed: the command that is looked for, and the Debian package that has it. A pattern is for
# what Debian keeps out of PATH.
tools=(
  gcc:gcc g++:g++ nm:binutils make:make cmake:cmake pkg-config:pkg-config
  clang:clang '/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a:libclang-rt-14-dev'
  clang-format:clang-format shellcheck:shellcheck systemd-analyze:systemd node:nodejs npm:npm
  ip:iproute2 '/usr/lib/postgresql/*/bin/postgres:postgresql'
  '/usr/lib/*/pkgconfig/javascriptcoregtk-4.1.pc:libjavascriptcoregtk-4.1-dev'
)
# The same for node alone: compilers for its other platforms, and what their programs are run with.
node_tools=(
  aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu /usr/aarch64-linux-gnu/include/stdio.h:libc6-dev-arm64-cross
  /usr/aarch64-linux-gnu/lib/libstdc++.so.6:libstdc++6-arm64-cross qemu-aarch64:qemu-user
  x86_64-w64-mingw32-gcc:gcc-mingw-w64-x86-64-win32 /usr/lib/wine/wine64:wine64
)
# The same for rn-ship and rn-matrix alone: a browser to look at the example in, and compilers that stand for an NDK and for Xcode.
phone_tools=(
  chromium:chromium ruby:ruby
  clang++-19:clang-19 ld.lld-19:lld-19 llvm-readelf-19:llvm-19 aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
)
more_phone_tools=(
  arm-linux-gnueabihf-gcc:gcc-arm-linux-gnueabihf i686-linux-gnu-gcc:gcc-i686-linux-gnu ninja:ninja-build mvn:maven javac:default-jdk
  unzip:unzip pip3:python3-pip '/usr/lib/llvm-19/include/c++/v1/vector:libc++-19-dev' '/usr/lib/gcc/*/*/cc1objplus:gobjc++'
  '/usr/include/GNUstep/Foundation/Foundation.h:libgnustep-base-dev'
)
staticcheck=honnef.co/go/tools/cmd/staticcheck@v0.8.2
fuzz_time=${FUZZ_SECONDS:-5} # for each fuzz target, in seconds

# The same build in a git tree, in an archive, and in a tree that belongs to somebody else.
export GOFLAGS="${GOFLAGS:-} -buildvcs=false"

# A registry that is slow or away for a moment: npm, whoever runs it, asks again for some five minutes, and waits ten for a file.
export npm_config_fetch_retries=6 npm_config_fetch_timeout=600000

usage() {
  cat <<END
./build.sh COMMAND

  setup          install what the other commands need (they do it themselves, too)
  gen            write the generated files from spec/ and VERSION
  lib            build libtim into build/lib
  android        build libtim for Android into build/android, with an NDK; --dry-run prints the commands
  ios            build libtim for iOS into build/ios, on a Mac with Xcode; --dry-run prints the commands
  demo           the story of a login, from nothing, in half a minute
  test [PART..]  all tests, or only: ${parts[*]};
                 only by name: rn-matrix, which runs four versions of React Native
  soak [MINUTES] break real clusters for so long (30), one after the other, and check what everybody saw
  fuzz [MINUTES] feed nonsense to everything that reads bytes or takes calls, for so long (30) in all
  bad-days       live every bad day at its own pace (8 min) and write docs/bad-days.md
  bench [PART..] measure: server (timload, quickly), capi, node, rn, or the Go benchmarks of a folder; no part: all of it
  lint           the same as: test lint
  fmt            format every file that a tool can format
  clean          remove what was built
  help           this text

FUZZ_SECONDS=60 ./build.sh test fuzz fuzzes each target for a minute instead of 5 s.
END
}

# ---- telling what happens -------------------------------------------------------------------------------------------

now() { echo "${EPOCHREALTIME/[.,]/}"; } # in microseconds

# since START prints the seconds that passed, as 12.3.
since() {
  local tenths=$((($(now) - $1) / 100000))
  echo "$((tenths / 10)).$((tenths % 10))"
}

# fail REASON stops with the reason and, in the reason, what to do.
fail() {
  echo "build.sh: $*" >&2
  step=""
  exit 1
}

# step TITLE HINT COMMAND... runs one thing, says how long it took, and gives the hint if it fails.
step="" hint=""
step() {
  step=$1 hint=$2
  shift 2
  local start
  start=$(now)
  echo "-- $step"
  "$@"
  echo "   $(since "$start") s"
  step=""
}
report() { [ -z "$step" ] || printf '   FAILED: %s%s\n' "$step" "${hint:+: $hint}" >&2; }
trap report EXIT

# try is a step that may fail: what follows runs all the same. It ends in all_fine.
failures=()
try() {
  set +e
  (
    trap report EXIT
    set -e
    step "$@"
  )
  # shellcheck disable=SC2181 # in a condition, set -e would not work inside
  [ $? = 0 ] || failures+=("$1")
  set -e
}
all_fine() { [ ${#failures[@]} = 0 ] || fail "failed: ${failures[*]}"; }

# files PATTERN... lists our files with such names, NUL between them: nothing that was built, installed or generated.
files() {
  local names=() pattern
  for pattern in "$@"; do names+=(-o -path "$pattern"); done
  find . \( -name .git -o -name node_modules -o -path ./build \) -prune -o \
    -type f ! -name '*.gen.*' \( "${names[@]:1}" \) -print0 | sort -z
}

# on PATTERN... -- COMMAND... runs the command on our files with such names, if there are any.
on() {
  local patterns=()
  while [ "$1" != -- ]; do patterns+=("$1") && shift; done
  shift
  files "${patterns[@]}" | xargs -0 --no-run-if-empty "$@"
}

# ---- setup ----------------------------------------------------------------------------------------------------------

# setup does nothing, in no time, where everything is there.
setup() {
  install_missing "${tools[@]}"
  command -v go >/dev/null || fail "Go is not installed: get $(grep '^go ' go.mod) or newer from https://go.dev/dl"
  cmp -s package-lock.json node_modules/.installed || step "install what package-lock.json lists" "" install_npm
}

# install_missing COMMAND:PACKAGE... installs what is not there.
install_missing() {
  local missing=() tool name
  for tool in "$@"; do
    name=${tool%%:*}
    command -v "${name##*/}" >/dev/null || [ -n "$(compgen -G "$name")" ] || missing+=("${tool#*:}")
  done
  [ ${#missing[@]} = 0 ] || step "install ${missing[*]}" "" install_packages "${missing[@]}"
}

install_packages() {
  command -v apt-get >/dev/null || fail "this is no Debian: install these yourself: $*"
  local as=()
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || fail "run this, then try again: sudo apt-get update && sudo apt-get install -y $*"
    as=(sudo)
  fi
  "${as[@]}" apt-get -q -o DPkg::Lock::Timeout=600 -o Acquire::Retries=6 update
  "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=6 install --no-install-recommends "$@"
}

install_npm() {
  npm ci --ignore-scripts --no-fund --no-audit --loglevel=error
  cp package-lock.json node_modules/.installed
}

# ---- the parts of test ----------------------------------------------------------------------------------------------

test_gen() {
  step "generated files are what spec/ says" "" go run ./internal/gen -check
}

test_lint() {
  try "gofmt" "run ./build.sh fmt" unformatted_go
  try "clang-format" "run ./build.sh fmt" on_c clang-format --dry-run -Werror
  try "prettier" "run ./build.sh fmt" on_js node_modules/.bin/prettier --check --log-level warn
  try "tsc --strict" "" on '*/tsconfig.json' -- -n 1 node_modules/.bin/tsc --noEmit --strict -p
  try "shellcheck" "" on '*.sh' ./.ci/run -- shellcheck
  local modules module
  mapfile -t modules < <(on '*/go.mod' -- dirname) # bench has one of its own
  for module in "${modules[@]}"; do
    try "go vet in $module" "" go -C "$module" vet ./...
    try "staticcheck in $module" "" go -C "$module" run "$staticcheck" ./...
    try "go.mod in $module" "run go mod tidy there" untidy "$module"
  done
  try "32 bits" "an int holds less there" thirty_two_bits
  all_fine
}

# thirty_two_bits compiles the engine with its tests, and what servers have of numbers, for phones and boards that are small.
thirty_two_bits() {
  GOARCH=386 go vet ./core
  GOARCH=386 go build ./usersig ./server/gateway ./server/admin
}

unformatted_go() {
  local list
  list=$(on '*.go' -- gofmt -l)
  [ -z "$list" ] || { echo "$list" && return 1; }
}

untidy() {
  go -C "$1" mod tidy -diff >build/tidy.diff || { head -n 20 build/tidy.diff && return 1; }
}

on_c() { on '*.c' '*.cpp' '*.mm' '*.h' '*.hpp' -- "$@"; }
on_js() { on '*.ts' '*.tsx' '*.js' '*.mjs' -- "$@"; }

test_arch() {
  step "who may import whom" "" go test -count=1 -v ./internal/archtest
}

test_audit() {
  step "known vulnerabilities in what tim is built from" "internal/audit/README.md says what fails" bash internal/audit/test.sh
}

test_lib() {
  [ -e capi/build.sh ] || fail "capi/build.sh is missing: it builds libtim into build/lib"
  step "libtim into build/lib" "" bash capi/build.sh
}

test_go() {
  local packages
  packages=$(go list ./... | grep -v -e /internal/archtest -e /proof\$ -e /baddays\$) # which have parts of their own
  # shellcheck disable=SC2086 # one word for each package
  step "go test -race" "" go test -race -timeout 60m $packages
  step "what the race detector disturbs" "" without_race
}

test_baddays() {
  step "bad networks, sleeping phones, and what the app was told" "" go test -count=1 -timeout 60m ./baddays
}

test_proof() {
  step "a real cluster, broken on purpose" "the seed is above; proof/README.md says how to read it" prove
}

# prove runs the proof with the flags that are given. timd and nats-server are built into build/proof.
prove() {
  mkdir -p build/proof
  go test -race -count=1 -timeout 0 ./proof -proof.bin "$PWD/build/proof" "$@"
}

# bad_days resets connections at every byte, lives every bad day for as long as it takes, eight minutes in all, and writes the table.
bad_days() {
  test_lib
  step "every bad day, at its own pace" "" go test -count=1 -timeout 30m ./baddays -full
}

# soak breaks a cluster again and again for so many minutes.
soak() {
  step "breaking clusters for ${1:-30} minutes" "the seed of the round is above" \
    prove -v -run 'Whatever|Linear' -proof.for "${1:-30}m"
}

# Gates on allocations and speed live in files that say //go:build !race; their packages are tested once more without it.
without_race() {
  on '*_test.go' -- grep -l '^//go:build !race' | xargs -n 1 dirname | sort -u | xargs --no-run-if-empty go test -count=1 -timeout 60m
}

test_capi() {
  [ -e capi/test.sh ] || fail "capi/test.sh is missing: it tests the C face"
  step "the C face" "" bash capi/test.sh
}

test_js() {
  step "the faces of bindings/js, and the seeds' samples on them" "" bash bindings/js/test.sh
  step "@opentim/usersig" "" bash bindings/usersig/test.sh
}

test_node() {
  install_missing "${node_tools[@]}"
  step "@opentim/node against a real server" "" bash bindings/node/test.sh
}

test_rn() {
  step "@opentim/react-native in JavaScriptCore, against a real server" "" bash bindings/react-native/test.sh
}
test_rn-matrix() {
  step "@opentim/react-native with more versions of React Native" "" bash bindings/react-native/test.sh matrix
  install_missing "${phone_tools[@]}" "${more_phone_tools[@]}"
  step "libtim for all phones, with what stands for an NDK and for Xcode" "" bash bindings/react-native/native/test.sh all
  step "the package of React Native, linked for Android, registered on iOS" "" bash bindings/react-native/ship.sh all
}

test_rn-ship() {
  install_missing "${phone_tools[@]}"
  step "libtim for phones, with what stands for an NDK" "" bash bindings/react-native/native/test.sh
  step "the package of React Native in an app" "" bash bindings/react-native/ship.sh
  step "examples/react-native in a browser" "" bash examples/react-native/test.sh
}

test_examples() {
  local source
  mkdir -p build/examples
  step "Go examples" "" go build -o build/examples/ ./examples/...
  test_lib
  for source in examples/c/*.c; do
    step "$source" "" c_example "$source"
  done
}

# c_example builds a program the way its author would, with what pkg-config says.
c_example() {
  local flags
  flags=$(PKG_CONFIG_PATH=build/lib/pkgconfig pkg-config --cflags --libs libtim)
  # shellcheck disable=SC2086 # one word for each flag
  gcc -std=c99 -Wall -Wextra -pedantic -Werror "$1" -o "build/examples/c-$(basename "$1" .c)" $flags -Wl,-rpath,"$PWD/build/lib"
}

test_deploy() {
  install_missing promtool:prometheus
  step "what deploy/ has is understood by those it is for" "" go -C deploy/check test -count=1 -timeout 30m ./...
  step "the systemd unit" "" check_unit
}

# check_unit verifies the unit with a program that is there, and that it is shut in well: 0 is best, 10 worst.
check_unit() {
  local unit=build/timd.service
  mkdir -p build
  sed "s#/usr/local/bin/timd#/bin/true#" deploy/systemd/timd.service >$unit
  systemd-analyze verify "$PWD/$unit"
  systemd-analyze security --offline=true --threshold=20 --no-pager "$PWD/$unit" >build/timd.security || { cat build/timd.security && return 1; }
}

test_demo() {
  demo | tee build/demo.log
  [ "$(tail -n 1 build/demo.log)" = "$demo_ends" ] || fail "the demo's last line is not: $demo_ends"
}

# fuzz_one FOLDER TARGET SECONDS. Before 1.27, Go may call it a failure, and this one, that the time is over (go.dev/issue/75804). What
# a target finds is written down.
fuzz_one() {
  mkdir -p build
  go test -run '^$' -fuzz "^$2\$" -fuzztime "$3s" "$1" 2>&1 | tee build/fuzz.log && return
  ! grep -q -e 'Failing input' -e 'panic' build/fuzz.log && grep -qx ' *context deadline exceeded' build/fuzz.log &&
    echo "   its time was over"
}

# fuzz_all SECONDS gives each target so long.
fuzz_all() {
  local targets target folder
  mapfile -t targets < <(on '*_test.go' -- grep -HoP '^func \KFuzz\w+')
  for target in "${targets[@]}"; do # ./usersig/verify_test.go:FuzzVerify
    folder=$(dirname "${target%%:*}")
    step "${target##*:} in $folder" "the input is in $folder/testdata/fuzz; go test runs it from now on" \
      fuzz_one "$folder" "${target##*:}" "$1"
  done
  step "the engine beside its model" "the story above is how they part" \
    go test -count=1 -v -run '^TestTheEngineDoesWhatTheModelSays$' ./core -model.steps $(($1 * 10000))
  step "a melee in the server" "each test's name has its seed" \
    go test -race -count=1 -run '^TestMelee$' ./server -melee.for "$((($1 + 1) / 2))s"
  step "a melee around the engine" "" go test -race -count=1 -run '^TestAMeleeBreaksNoPromise$' ./core -melee.for "$1s"
  step "the C face" "what crashed it is in build/fuzz; capi/ctest/fuzz.sh says what to do with it" bash capi/ctest/fuzz.sh "$1"
}

test_fuzz() { fuzz_all "$fuzz_time"; }

# fuzz shares so many minutes among all targets: those of Go, the engine beside its model and in a melee, the server in one, the C face, Node's addon.
fuzz() {
  local targets
  targets=$(on '*_test.go' -- grep -hP '^func Fuzz' | wc -l)
  local each=$((${1:-30} * 60 / (targets + 5)))
  fuzz_all $((each > 5 ? each : 5))
  step "the addon and the faces of Node" "" bash bindings/node/test/fuzz.sh "$each"
}

# ---- commands -------------------------------------------------------------------------------------------------------

# run_parts runs each part in a process of its own, and goes on after one that failed.
run_parts() {
  local part start result passed=0 failed=0 table=""
  for part in "$@"; do
    declare -F "test_$part" >/dev/null || fail "there is no part $part: use ${parts[*]}"
  done
  mkdir -p build
  for part in "$@"; do
    echo "== $part"
    start=$(now)
    if bash "$self" --part "$part"; then
      passed=$((passed + 1)) result=ok
    else
      failed=$((failed + 1)) result=FAILED
    fi
    table+=$(printf '%-10s %8s s  %s' "$part" "$(since "$start")" $result)$'\n'
  done
  printf '\n%s\n%d passed, %d failed\n' "$table" "$passed" "$failed"
  [ "$failed" = 0 ]
}

demo_ends="demo: the story ended well"
demo() {
  test_lib
  mkdir -p build/bin build/examples
  step "timd, tim and the story" "" go build -o build/bin/ ./cmd/timd ./cmd/tim ./examples/demo
  step "examples/c/login.c" "" c_example examples/c/login.c
  build/bin/demo -timd build/bin/timd -login build/examples/c-login
}

bench() {
  local what=("$@") part
  [ $# -gt 0 ] || mapfile -t what < <(on '*_test.go' -- grep -l '^func Benchmark' | xargs -n 1 dirname | sort -u && printf '%s\n' server capi node rn)
  for part in "${what[@]}"; do
    case $part in
      server) step "the server beside its baselines; bench/README.md has the full runs" "" bench_server ;;
      capi) step "the C face" "" bash capi/bench.sh ;;
      node) step "@opentim/node beside its baselines" "" bash bindings/node/bench/bench.sh ;;
      rn) step "React Native" "" bash bindings/react-native/test.sh bench ;;
      *) step "benchmarks of $part" "" go test -run '^$' -bench . -benchmem "./$part" ;;
    esac
  done
}

bench_server() {
  go run ./cmd/timload rate --rounds 5 --duration 3s
  go run ./cmd/timload hold --rounds 1
}

fmt() {
  step "gofmt" "" on '*.go' -- gofmt -w
  step "clang-format" "" on_c clang-format -i
  step "prettier" "" on_js node_modules/.bin/prettier --write --log-level warn
}

command=${1:-help}
shift || true
case $command in
  help | -h | --help) usage ;;
  clean) step "remove build/ and node_modules/" "" rm -rf build node_modules ;;
  android | ios) exec bash "bindings/react-native/native/$command.sh" "$@" ;; # they look for their tools themselves
  gen) step "go generate" "" go generate ./... ;;
  --part) "test_$1" ;;
  setup | lib | demo | test | soak | fuzz | bad-days | bench | lint | fmt)
    setup # not with && or ||: they would let a failing step pass
    case $command in
      setup) echo "everything is installed" ;;
      lib) test_lib ;;
      lint) run_parts lint ;;
      test) if [ $# -gt 0 ]; then run_parts "$@"; else run_parts "${parts[@]}"; fi ;;
      *) "${command//-/_}" "$@" ;;
    esac
    ;;
  *)
    usage >&2
    fail "there is no command $command"
    ;;
esac
