#!/usr/bin/env bash
# melee.sh PROGRAM SECONDS runs melee.c, built as PROGRAM, for half the time against fakeserver, and for the other half against
# timd, which is killed, stopped and told to go meanwhile.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=$1 half=$((($2 + 1) / 2))
work=$PWD/build/melee
rm -rf "$work"
mkdir -p "$work"
go build -o "$work/" ./capi/ctest/fakeserver ./cmd/timd ./cmd/tim

coproc SERVER { exec "$work/fakeserver"; }
trap 'kill "$SERVER_PID" 2> /dev/null || true' EXIT
read -r url <&"${SERVER[0]}"
"$program" "$url" "$half" 8

# The first timd finds a free port, the others take the same.
port=0
start() {
  "$work/timd" dev --json --listen "127.0.0.1:$port" --data "$work/data" > "$work/timd.json" 2>> "$work/timd.log" &
  timd=$!
  for ((i = 0; i < 200; i++)); do
    grep -qs '"endpoint"' "$work/timd.json" && return
    sleep 0.1
  done
  cat "$work/timd.log" >&2
  exit 1
}
# again ends timd, and another one takes its place.
again() {
  kill -9 "$timd" 2> /dev/null || true
  wait "$timd" 2> /dev/null || true
  start
}
start
trap 'kill "$SERVER_PID" 2> /dev/null || true; kill -9 "$timd" 2> /dev/null || true' EXIT
url=$(sed -E 's/.*"endpoint":"([^"]*)".*/\1/' "$work/timd.json")
port=${url##*:} port=${port%%/*}
export TIM_APP
TIM_APP=$(sed -E 's/.*"app":([0-9]*).*/\1/' "$work/timd.json")
sign() { "$work/tim" sig make "$@" --dev "$work/data"; }
"$program" "$url" "$half" 8 alice "$(sign alice)" alice "$(sign alice)" bob "$(sign bob)" alice "$(sign alice --expire 5s)" &
melee=$!
while kill -0 $melee 2> /dev/null; do
  sleep 0.$((RANDOM % 9 + 1))
  case $((RANDOM % 8)) in
    0) again ;;
    1) kill $timd && sleep 0.3 && again ;; # in the middle of its goodbyes, perhaps
    2) kill -STOP $timd && sleep 0.2 && kill -CONT $timd ;;
  esac
done
wait $melee
if grep -E '^(panic|fatal error|goroutine )' "$work/timd.log"; then
  echo "capi/ctest/melee.sh: timd has crashed; $work/timd.log says how" >&2
  exit 1
fi
