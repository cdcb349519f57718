#!/usr/bin/env bash
# overlay.sh DIR writes DIR/overlay.json, for go build -overlay: the Go runtime with a few lines changed, so that it can
# live in a process that knows nothing of it. The sources are those of the installed Go; the script fails
# if a line is not there exactly once, which means that Go changed and this must be thought over.
#
# 1. SIGCHLD and SIGPROF lose _SigUnblock. With it, every Go thread takes them, whatever its mask says, on a goroutine's
#    stack. libtim starts no children and profiles nothing.
# 2. The stack on which a C thread runs Go has 64 KiB instead of 4: the host's own threads keep their signals open, and a
#    handler without SA_ONSTACK that hits one inside a tim_ function runs on that stack. Stacks never shrink in libtim
#    (gcshrinkstackoff in go.sh), so it stays that large.
# 3. A Go thread that takes over a goroutine which another thread has just started first sleeps 3 µs, so that the other may run
#    it after all. Linux makes 60 of them, and here the other is the host's, on its way out of tim_login. It yields instead, as
#    it does on Windows.
# 4. On an iPhone the app's working directory stays what it is; Go would change it to the app's bundle.
set -euo pipefail
dir=$1
runtime=$(go env GOROOT)/src/runtime
case $(go env GOOS) in
  linux | android) signals=sigtab_linux_generic.go ;;
  darwin | ios) signals=signal_darwin.go ;;
  *) echo "overlay.sh: no overlay for $(go env GOOS)" >&2 && exit 1 ;;
esac

# change FILE PATTERN EXPRESSION applies a sed expression to the one line of DIR/FILE that matches.
change() {
  local found
  found=$(grep -c -e "$2" "$dir/$1" || true)
  if [ "$found" != 1 ]; then
    echo "overlay.sh: $found lines instead of 1 match '$2' in $runtime/$1 of $(go env GOVERSION)" >&2
    exit 1
  fi
  sed -e "/$2/$3" "$dir/$1" > "$dir/$1.new" # not -i, which macOS spells in another way
  mv "$dir/$1.new" "$dir/$1"
}

mkdir -p "$dir"
cp "$runtime/$signals" "$runtime/proc.go" "$dir/"
change "$signals" '_SigUnblock.*"SIGCHLD' 's/ + _SigUnblock//'
change "$signals" '_SigUnblock.*"SIGPROF' 's/ + _SigUnblock//'
change proc.go 'gp := malg(4096)' 's/4096/64 << 10/'
change proc.go '^[[:space:]]*usleep(3)$' 's/usleep(3)/osyield()/'
if [ "$(go env GOOS)" = ios ]; then
  cp "$runtime/cgo/gcc_darwin_arm64.c" "$dir/"
  change gcc_darwin_arm64.c '^.init_working_dir();' 's/init_working_dir()/(void)init_working_dir/'
  iphone="\"$runtime/cgo/gcc_darwin_arm64.c\": \"$dir/gcc_darwin_arm64.c\","
fi
cat > "$dir/overlay.json" <<END
{"Replace": {
  ${iphone:-}
  "$runtime/$signals": "$dir/$signals",
  "$runtime/proc.go": "$dir/proc.go"
}}
END
