//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// descriptors returns how many connections the limit on open files has room for, or 0 if there is no such limit. Go has
// raised the soft limit to the hard one.
func descriptors() int {
	const others = 64 // store, logs, listener, epoll
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<30 {
		return 0
	}
	return max(int(limit.Cur)-others, 1)
}

// isRoots reports whether a file belongs to root, and this process does not run as root.
func isRoots(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Uid == 0 && os.Geteuid() != 0
}
