# shellcheck shell=bash
# Sourced by ship.sh: what a package adds to an app's production bundle for Android, minified: raw, with gzip, and as the bytecode
# that phones run. Three apps: with nothing, with our package, with @tencentcloud/chat.
# shellcheck disable=SC2154 # what ship.sh has

sizes() {
  local name base=() now
  printf '%-22s %10s %10s %10s\n' added raw gzip hermes
  for name in nothing @opentim/react-native @tencentcloud/chat; do
    case $name in
      nothing) echo 'import { AppRegistry, Text } from "react-native"; AppRegistry.registerComponent("App", () => Text);' ;;
      @opentim/*) cat "$work/nothing.in.js" && echo 'import * as tim from "@opentim/react-native"; globalThis.keep = tim;' ;;
      *) cat "$work/nothing.in.js" && echo 'import chat from "chat-original"; globalThis.keep = chat;' ;;
    esac > "$app/entry.js"
    [ $name != nothing ] || cp "$app/entry.js" "$work/nothing.in.js"
    node "$ship/bundle.mjs" "$app" android "$app/entry.js" "$work/size.js"
    "$hermesc" -O -emit-binary -out "$work/size.hbc" "$work/size.js" 2> /dev/null
    now=("$(wc -c < "$work/size.js")" "$(gzip -9 < "$work/size.js" | wc -c)" "$(wc -c < "$work/size.hbc")")
    if [ $name = nothing ]; then
      base=("${now[@]}")
      printf '%-22s %10s %10s %10s\n' "(an app with nothing)" "${now[@]}"
    else
      printf '%-22s %10s %10s %10s\n' $name $((now[0] - base[0])) $((now[1] - base[1])) $((now[2] - base[2]))
    fi
  done
}
