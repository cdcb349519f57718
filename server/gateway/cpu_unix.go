//go:build unix

package gateway

import (
	"syscall"
	"time"
)

// processCPU returns the CPU time that this process has used, or 0 if it cannot be known.
func processCPU() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
