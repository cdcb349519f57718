#!/usr/bin/env bash
# Measures @opentim/node beside baselines and prints a table. What is compared takes turns in each round; a figure is the median
# of the rounds [lowest-highest]. README.md has results.
#
#   bindings/node/bench/bench.sh    which is ./build.sh bench node
#   ROUNDS=9 NODE=/path/to/node bindings/node/bench/bench.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
root=$PWD
out=$root/build/node
work=$root/build/node-bench
node=${NODE:-node}
export ROUNDS=${ROUNDS:-5}

[ -n "${BUILT:-}" ] || bash bindings/node/build.sh # BUILT=1: it is there already
mkdir -p "$work/node_modules/@opentim"
ln -sfn "$out/node" "$out/node-linux-x64" "$work/node_modules/@opentim/"
node_modules/.bin/tsc --noEmit false --outDir "$work/js" -p bindings/node/tsconfig.json
soname=libtim.so.$(tr -d '[:space:]' <VERSION)
addon() { # addon NAME SOURCE... as build.sh compiles them
  local name=$1
  shift
  "${CC:-gcc}" -std=c11 -D_GNU_SOURCE -DNAPI_VERSION=8 -O2 -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \
    -isystem node_modules/node-api-headers/include -Iinclude "$@" -o "$work/$name.node" \
    -L"$out/node-linux-x64" "-l:$soname" -lpthread -ldl "-Wl,-rpath,$out/node-linux-x64" -Wl,--as-needed -s
}
addon nothing bindings/node/bench/nothing.c
addon baselines bindings/node/bench/baselines.c bindings/node/src/{client,deliver,queue}.c
go build -o "$work/fakeserver" ./capi/ctest/fakeserver

figures=$work/figures
: >"$figures"
run() { "$node" "$work/js/node/bench/$1.js" "${@:2}" >>"$figures"; }
coproc SERVER { exec "$work/fakeserver"; }
read -r url <&"${SERVER[0]}"
export NOTHING=$work/nothing.node
TIM_NATIVE_PATH=$work/baselines.node run calls "$url"
TIM_NATIVE_PATH=$work/baselines.node run events
run logins "$url"
for ((i = 0; i < 11; i++)); do run start nothing && run start tim; done
kill "$SERVER_PID"

# row NAME DECIMALS TEXT
row() {
  awk -v name="$1" '$1 == name { print $2 }' "$figures" | sort -n |
    awk -v text="$3" -v d="$2" '{ v[NR] = $1 }
      END { f = "%." d "f"; printf "%-64s " f " [" f "-" f "]\n", text, v[int((NR + 1) / 2)], v[1], v[NR] }'
}
size() { find -L "$@" -type f -printf '%s\n' | awk '{ n += $1 } END { printf "%.2f MB\n", n / 1e6 }'; }

printf '%s, %s cores, load %s\n' "$("$node" --version)" "$(nproc)" "$(cut -d' ' -f1-3 /proc/loadavg)"
row ns_nothing 1 "N-API call that does nothing, ns"
row ns_status 1 "getter JS to C: status, ns"
row ns_ready 1 "getter JS to C: ready, ns"
row ns_user 1 "getter JS to C: user, a string, ns"
row ns_server_time 1 "getter JS to C: serverTimeMs, ns"
row ns_client_ready 1 "TimClient.ready, ns"
row ns_client_status 1 "TimClient.status, ns"
row us_nothing_elsewhere 1 "promise through libuv's thread pool that does nothing, us"
row us_fs_stat 1 "fs.promises.stat, us"
row us_repeated_login 1 "promise JS to Go to JS: login of who is logged in, us"
row events_addon 0 "events a second, addon to JS, batched"
row events_in_a_batch 0 "  of them in a batch"
row events_client 0 "events a second, to a listener of TimClient"
row ms_require_nothing 1 "require of an addon with nothing in it, ms"
row ms_require 1 "require('@opentim/node'), ms"
row ms_require_and_client 1 "require and first client, which loads libtim, ms"
row mb_nothing 1 "memory added by an addon with nothing in it, MB"
row mb_require 1 "memory added by require, MB"
row mb_require_and_client 1 "memory added by require and first client, MB"
row us_ws_echo 0 "ws: upgrade and one echoed frame, us"
row us_login 0 "TimClient: login, us"
row ratio_login 2 "  login / ws"
printf '%-64s %s\n' "installed: @opentim/node with its addon" "$(size "$out/node" "$out/node-linux-x64")"
printf '%-64s %s\n' "  of that JavaScript and declarations" "$(size "$out/node")"
printf '%-64s %s\n' "@tencentcloud/chat 3.6.6, JavaScript alone" "$(size node_modules/chat-original)"
