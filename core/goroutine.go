package core

import (
	"bytes"
	"runtime"
	"strconv"
)

// goroutineID returns the number of the calling goroutine. Go hides it on purpose, and nothing should hang on it but the one
// question it answers here: whether Close, or a call that waits, was made by the Listener, whose return they would wait for.
// The alternatives are worse: another set of methods for the Listener, or a deadlock.
func goroutineID() uint64 {
	var buf [64]byte
	line := bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine "))
	digits, _, _ := bytes.Cut(line, []byte(" "))
	id, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		panic("core: runtime.Stack no longer begins with the goroutine's number: " + string(line))
	}
	return id
}

// growStack makes room for a dial on the calling goroutine's stack, at once and while there is nothing to move: growing step
// by step, deep inside net and net/http, costs a twentieth of a login over loopback.
//
//go:noinline
func growStack() {
	var room [12 << 10]byte
	touch(&room)
}

//go:noinline
func touch(*[12 << 10]byte) {}
