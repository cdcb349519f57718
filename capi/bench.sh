#!/usr/bin/env bash
# Measures the C face and prints a table: the figure, and what it should be at most. Rounds of libtim and of what it is
# measured against take turns. ROUNDS=7 and LOGINS=400 (of each round) can be set.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
work=$root/build/capi
rounds=${ROUNDS:-7}
logins=${LOGINS:-400}

bash capi/build.sh
go build -o "$work/" ./capi/ctest/fakeserver ./capi/ctest/dialer
"${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -Iinclude capi/ctest/bench.c -o "$work/bench" -Lbuild/lib -ltim -lpthread \
  -Wl,-rpath,"$root/build/lib"
"${CC:-gcc}" -std=gnu11 -O2 -Wall -Wextra -DTIM_BENCH_LOAD -Iinclude capi/ctest/bench.c -o "$work/bench-load" -ldl -lpthread
coproc SERVER { exec "$work/fakeserver"; }
read -r url <&"${SERVER[0]}"

figures=$work/figures
: > "$figures"
"$work/bench" calls "$url" >> "$figures"
for ((i = 0; i < 11; i++)); do "$work/bench-load" "$root/build/lib/libtim.so" >> "$figures"; done
for ((i = 0; i < rounds; i++)); do
  "$work/dialer" "${url}echo" "$logins" >> "$figures"
  "$work/bench" logins "$url" "$logins" >> "$figures"
done

# median NAME of all lines with that name.
median() {
  awk -v name="$1" '$1 == name { print $2 }' "$figures" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'
}

# ratio NAME of each round's login to what else it measured.
ratio() {
  awk -v name="$1" '$1 == name { base = $2 } $1 == "login" { print $2 / base }' "$figures" | sort -n |
    awk '{ v[NR] = $1 } END { printf "%.2f", v[int((NR + 1) / 2)] }'
}

row() { printf '%-52s %10s %-4s %s\n' "$@"; }

row figure value "" "at most"
row "tim_get_login_status" "$(median tim_get_login_status)" ns 3
row "tim_is_ready" "$(median tim_is_ready)" ns 3
row "tim_get_login_user" "$(median tim_get_login_user)" ns ""
row "tim_get_server_time" "$(median tim_get_server_time)" ns ""
row "a call into Go and back (tim_provide_ticket, late)" "$(median late-ticket)" ns 200
row "a call that takes a step (tim_set_background)" "$(median step)" ns 200
row "a call into Go and back, after 1 ms of rest" "$(median rested-late-ticket)" ns
row "a call that takes a step, after 1 ms of rest" "$(median rested-step)" ns
row "a call that starts a thread (tim_wake), after rest" "$(median rested-wake)" ns
row "the first call of a thread" "$(median first-call)" ns
row "dlopen" "$(median load)" ms
row "dlopen and the first call" "$(median load-and-first-call)" ms 30
row "memory that loading adds" "$(median memory-added)" KB
row "libtim.so" "$(stat -L -c %s build/lib/libtim.so | awk '{ printf "%.2f", $1 / 1e6 }')" MB 6.5
row "login, from call to answer (median of $rounds rounds)" "$(median login)" us
row "bare gorilla: dial and one echoed frame" "$(median dial)" us
row "the same, asked and answered on threads of its own" "$(median handed)" us
row "login / bare gorilla, median of the rounds" "$(ratio dial)" "" 1.15
row "login / the same between threads" "$(ratio handed)" "" ""
echo "load: $(cut -d' ' -f1-3 /proc/loadavg), $(nproc) processors"
