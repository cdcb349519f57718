package gateway

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// listenControl makes the kernel wait for a client's first bytes before it hands over the connection, for a few seconds: a
// client speaks first, so that reading then needs no wait.
func listenControl(_, _ string, raw syscall.RawConn) (err error) {
	const seconds = 5
	if e := raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_DEFER_ACCEPT, seconds)
	}); e != nil {
		return e
	}
	return err
}
