# shellcheck shell=bash disable=SC2034 # what it sets is for others
# To be sourced: target NAME sets for which machine is built, GOOS, GOARCH and CC, and what libtim's file is called there. The
# names are those of process.platform and process.arch in Node. Without a name it is this machine.
#
# The file's name carries the whole version, so that two versions in one process never share one engine.

this_machine() { uname -sm | sed 's/^Linux /linux-/; s/^Darwin /darwin-/; s/x86_64/x64/; s/aarch64/arm64/'; }

target() {
  local version
  version=$(tr -d '[:space:]' < VERSION)
  case $1 in
    linux-x64) GOOS=linux GOARCH=amd64 CC=x86_64-linux-gnu-gcc ;;
    linux-arm64) GOOS=linux GOARCH=arm64 CC=aarch64-linux-gnu-gcc ;;
    win32-x64) GOOS=windows GOARCH=amd64 CC=x86_64-w64-mingw32-gcc ;;
    darwin-x64) GOOS=darwin GOARCH=amd64 CC="clang -arch x86_64" ;;
    darwin-arm64) GOOS=darwin GOARCH=arm64 CC="clang -arch arm64" ;;
    *) echo "$0: there is no target $1" >&2 && exit 2 ;;
  esac
  export GOOS GOARCH CC
  case $GOOS in
    linux) library=libtim.so.$version ;;
    windows) library=tim-$version.dll ;;
    darwin) library=libtim.$version.dylib ;;
  esac
}
