# shellcheck shell=bash disable=SC2034
# Sourced by the scripts that build libtim: build.sh here for this machine, bindings/react-native/native for phones.
# It works in bash 3.2 and with the tools of macOS.

# Size: what runs once in a connection is not inlined, which saves 0.25 MB and costs a TLS handshake 5 %. The arithmetic of
# keys is, and so is all of ours. A WebSocket needs no HTTP/2.
small=()
for cold in net/... crypto/... os/... compress/... fmt reflect; do small+=(-gcflags="$cold=-l"); done
for hot in nistec/fiat edwards25519/... mlkem bigmod sha3; do small+=(-gcflags="crypto/internal/fips140/$hot="); done

# go_library MODE OUTPUT TAGS LINKER_FLAGS puts the command that builds the package into go_library_command.
# asyncpreemptoff: the runtime sends itself no SIGURG. gcshrinkstackoff: see overlay.sh. symbols: what the Go linker leaves out.
go_library() {
  go_library_command=(
    go build -trimpath -buildvcs=false -buildmode="$1" -tags "nethttpomithttp2,$3" -o "$2" "${small[@]}"
    ${overlay:+-overlay "$overlay"} ${sanitize:+"$sanitize"}
    -ldflags "${symbols--s -w} -X runtime.godebugDefault=asyncpreemptoff=1,gcshrinkstackoff=1 -extldflags '$4'" ./capi
  )
}

# header_names HEADER... prints the functions that headers declare, which are the ones a library exports.
header_names() { sed -n 's/^TIM_API .*TIM_CALL \(tim_[a-z_]*\)(.*/\1/p' "$@"; }
