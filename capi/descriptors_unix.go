//go:build unix

package main

import (
	"context"
	"net"
	"sync"
	"syscall"

	"github.com/opentim/tim/internal/ws"
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

// netDial makes connections that have none of the descriptors 0 to 2.
func netDial(ctx context.Context, network, address string) (net.Conn, error) {
	low.hold()
	defer low.release()
	return ws.NetDial(ctx, network, address)
}
