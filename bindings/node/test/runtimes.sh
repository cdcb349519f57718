#!/usr/bin/env bash
# The stories of a login, the addon and the life of a process under Bun and under Deno, over what test.sh has built. Each file
# of tests is run by the runtime's own runner.
#
#   bindings/node/test/runtimes.sh [bun|deno]    one of them, or both side by side
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
files=(seeds table traps addon process)
tools=$PWD/build/runtimes
export TIMD=$PWD/build/node/timd NO_COLOR=1 DENO_NO_UPDATE_CHECK=1

# install: the runtimes themselves are npm packages without anything to run at installation.
install() {
  local source=bindings/node/test/runtimes
  cmp -s "$source/package-lock.json" "$tools/.installed" && return
  mkdir -p "$tools"
  cp "$source"/package*.json "$tools/"
  npm ci --prefix "$tools" --ignore-scripts --no-fund --no-audit --loglevel=error
  cp "$source/package-lock.json" "$tools/.installed"
}

# run RUNTIME FILE
run() {
  case $1 in
    bun) "$tools/node_modules/@oven/bun-linux-x64/bin/bun" test --timeout 600000 "./$2.test.js" ;;
    deno) "$tools/node_modules/@deno/linux-x64-glibc/deno" test -A --no-check --unstable-detect-cjs "$2.test.js" ;;
  esac
}

[ "$(uname -sm)" = "Linux x86_64" ] || { echo "runtimes.sh: Bun and Deno are installed for linux-x64 only" && exit 0; }
install
cd build/node/test/node/test
runtimes=("$@")
[ $# -gt 0 ] || runtimes=(bun deno)
declare -A jobs
for runtime in "${runtimes[@]}"; do
  for file in "${files[@]}"; do # side by side: they wait most of the time
    run "$runtime" "$file" >"$tools/$runtime-$file.log" 2>&1 &
    jobs[$runtime-$file]=$!
  done
done
failed=0
for job in "${!jobs[@]}"; do
  wait "${jobs[$job]}" || { failed=1 && cat "$tools/$job.log"; }
done
for runtime in "${runtimes[@]}"; do
  echo "$runtime: $(grep -ohE '^ *[0-9]+ pass|[0-9]+ passed' "$tools/$runtime"-*.log | awk '{ n += $1 } END { print n }') stories and tests passed"
done
exit $failed
