//go:build unix

package ws

import (
	"sync"
	"syscall"
)

// standIns keep descriptors 0 to 2 from becoming connections in a host that has closed them, as daemons do: what it prints
// would go to the server. They are there only while connections are being made.
type standIns struct {
	mu      sync.Mutex
	dials   int
	holding []int
}

var low standIns

func (s *standIns) hold() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dials++; s.dials > 1 {
		return
	}
	for {
		fd, err := syscall.Open("/dev/null", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
		if err != nil {
			return
		}
		if fd > 2 {
			_ = syscall.Close(fd)
			return
		}
		s.holding = append(s.holding, fd)
	}
}

func (s *standIns) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dials--; s.dials > 0 {
		return
	}
	for _, fd := range s.holding {
		_ = syscall.Close(fd)
	}
	s.holding = nil
}
