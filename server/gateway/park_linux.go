package gateway

import (
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// A parker watches connections that have nothing to say, so that they need no goroutine. Each is woken once, by the first
// bytes (or the end) that arrive, and then has to be parked again.
//
// The epoll descriptor is itself watched by Go's runtime: waiting for it blocks no thread.
type parker struct {
	g     *Gateway
	file  *os.File
	epoll int
}

func newParker(g *Gateway) (*parker, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("make epoll: %w", err)
	}
	p := &parker{g: g, file: os.NewFile(uintptr(fd), "epoll"), epoll: fd}
	g.run(task{f: p.watch})
	return p, nil
}

func (p *parker) close() { _ = p.file.Close() }

// watch wakes connections until close.
func (p *parker) watch() {
	raw, err := p.file.SyscallConn()
	if err != nil {
		return // closed already
	}
	events := make([]unix.EpollEvent, 128)
	_ = raw.Read(func(uintptr) bool {
		for n := len(events); n == len(events); {
			n, _ = unix.EpollWait(p.epoll, events, 0) // the only error is EINTR
			for _, e := range events[:max(n, 0)] {
				p.wake(e)
			}
		}
		return false // wait; what came meanwhile is not missed
	})
}

func (p *parker) wake(e unix.EpollEvent) {
	c := p.g.seats.at(place{uint32(e.Fd), uint32(e.Pad)})
	switch {
	case c == nil: // it was closed meanwhile
	case e.Events&unix.EPOLLERR != 0: // reset: nothing can be read
		c.guarded(c.drop)
	case !c.run(c.awake):
		c.guarded(c.drop)
	}
}

// park gives back what the connection needs only while it reads and reports whether it did. Another goroutine may have woken
// it again by then.
func (c *conn) park(s *socket) bool {
	if !s.ws.Park() {
		return false
	}
	if err := c.arm(s); err != nil {
		c.g.noise.warn("cannot park a connection", "client", c.remote, "error", err)
		c.drop()
	}
	return true
}

// arm makes the next bytes wake the connection. The descriptor is the connection's own: drop closes it under mu. An event
// that is late finds an empty place.
func (c *conn) arm(s *socket) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == closed {
		return nil
	}
	operation := unix.EPOLL_CTL_MOD
	if s.fd < 0 {
		operation, s.fd = unix.EPOLL_CTL_ADD, descriptor(s.raw)
	}
	return unix.EpollCtl(c.g.parker.epoll, operation, int(s.fd), &unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(c.place.number), Pad: int32(c.place.generation),
	})
}

// awake serves a connection that was parked.
func (c *conn) awake() {
	c.mu.Lock() // whoever parked it has finished
	s := c.socket.Load()
	c.mu.Unlock()
	if s == nil {
		return
	}
	s.ws.Wake()
	if c.g.o.TLS != nil && c.park(s) {
		return // what came was TLS's own business, or only a part of a record
	}
	c.serve(s)
}

func descriptor(nc net.Conn) (fd int32) {
	fd = -1
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			_ = raw.Control(func(v uintptr) { fd = int32(v) })
		}
	}
	return fd
}
