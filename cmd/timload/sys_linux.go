package main

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// descriptorLimit returns how many files this process may open. The Go runtime lifts the soft limit to the hard one when a
// program starts; nothing else does.
func descriptorLimit() uint64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return limit.Cur
}

// freeSpace returns how many bytes may be written to the disk that dir lies on.
func freeSpace(dir string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil {
		return 0, fmt.Errorf("free space of %s: %w", dir, err)
	}
	return fs.Bavail * uint64(fs.Bsize), nil
}

// lateBinding makes the kernel choose a socket's source port when it connects instead of when it binds, so that a source
// address can use the same port towards several servers.
func lateBinding(_, _ string, conn syscall.RawConn) error {
	var failed error
	err := conn.Control(func(fd uintptr) {
		failed = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	if err != nil {
		return err
	}
	return failed
}

// childAttributes keep a terminal's Ctrl-C away from a child, which is ended by us, and have the kernel end it should we die
// without doing so.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// cpuOf returns the CPU time, user and system, that process pid has used so far. It is the sum of /proc/PID/stat, but in
// nanoseconds: the ticks of that, of 10 ms, are some percent of what a server uses in a round.
func cpuOf(pid int) (time.Duration, error) {
	const scheduled = 2 // which of a process's clocks: clock_getcpuclockid(3)
	var used unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduled), &used); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(used.Nano()), nil
}
