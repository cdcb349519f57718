# shellcheck shell=bash disable=SC2034 # what go_library reads
# Sourced by android.sh and ios.sh, from the root of the repository. It works in bash 3.2, which macOS has.
source capi/go.sh

dry="" # --dry-run: print every command and run none
missing=()

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# usage prints the comment at the top of the script.
usage() {
  sed -n '2,/^# shellcheck/{/^# shellcheck/d;s/^# \{0,1\}//p;}' "$0"
  exit 2
}

# run COMMAND... runs a command; in a dry run it prints it, as it can be pasted into a shell.
run() {
  if [ -z "$dry" ]; then
    "$@"
    return
  fi
  local word line=""
  for word in "$@"; do
    case $word in
      *[!a-zA-Z0-9_./:=,@%+-]*) word="'${word//\'/\'\\\'\'}'" ;;
    esac
    line="$line $word"
  done
  echo "${line# }"
}

# note TEXT says what comes next.
note() {
  if [ -n "$dry" ]; then echo "# $1"; else echo "-- $1"; fi
}

# need COMMAND HOW remembers a tool that is not there, and how to get it.
need() { command -v "$1" > /dev/null || missing+=("$2"); }

# tools_or_stop names everything that is missing, and stops unless nothing is to be run.
tools_or_stop() {
  local line
  [ ${#missing[@]} != 0 ] || return 0
  for line in "${missing[@]}"; do echo "${0##*/}: missing: $line" >&2; done
  [ -n "$dry" ] || exit 1
}

need_go() { need go "go: get $(sed -n 's/^go /Go /p' go.mod) or newer from https://go.dev/dl"; }

# overlay_for GOOS FOLDER makes the overlay of the Go runtime and lets go_library use it.
overlay_for() {
  overlay=$PWD/$2/overlay/overlay.json
  run env GOOS="$1" bash capi/overlay.sh "$PWD/$2/overlay"
}

# same_names WHERE compares the names on standard input with those of tim.h.
same_names() {
  diff <(header_names include/tim.h | sort) <(sort) || fail "$1 does not export what tim.h declares (> is too much)"
}

megabytes() { wc -c < "$1" | awk '{ printf "%.2f MB", $1 / 1e6 }'; }
