//go:build linux

package baddays

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A cutter is a proxy that resets its connections, all at once or after so many bytes. The fault proxy cannot: what it
// passes on it ends politely.
type cutter struct {
	net.Listener

	mu    sync.Mutex
	to    string
	limit int // of bytes of the next connection, both ways together; below 0 there is none
	conns []*net.TCPConn
}

func newCutter(t *testing.T, to string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{Listener: l, to: to, limit: -1}
	go c.serve()
	t.Cleanup(func() { _ = l.Close(); c.cut() })
	return c
}

func (c *cutter) serve() {
	for {
		near, err := c.Accept()
		if err != nil {
			return
		}
		c.mu.Lock()
		to := c.to
		c.mu.Unlock()
		far, err := net.Dial("tcp", to)
		if err != nil {
			_ = near.Close()
			continue
		}
		c.mu.Lock()
		pair := []*net.TCPConn{near.(*net.TCPConn), far.(*net.TCPConn)}
		c.conns = append(c.conns, pair...)
		w := &wire{left: c.limit, ends: pair}
		c.limit = -1
		c.mu.Unlock()
		go w.carry(near, far)
		go w.carry(far, near)
	}
}

// lead makes new connections end somewhere else.
func (c *cutter) lead(to string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.to = to
}

// cut resets all connections.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	reset(c.conns)
	c.conns = nil
}

func reset(conns []*net.TCPConn) {
	for _, conn := range conns {
		_ = conn.SetLinger(0) // makes Close a reset
		_ = conn.Close()
	}
}

// A wire is one connection through a cutter.
type wire struct {
	mu   sync.Mutex
	left int
	ends []*net.TCPConn
}

func (w *wire) carry(from, to net.Conn) {
	for buffer := make([]byte, 4096); ; {
		n, err := from.Read(buffer)
		if n = w.pass(n); n > 0 {
			_, _ = to.Write(buffer[:n])
		}
		w.mu.Lock()
		if w.left == 0 {
			reset(w.ends)
			err = io.EOF
		}
		w.mu.Unlock()
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// pass says how many of n bytes may pass.
func (w *wire) pass(n int) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left < 0 {
		return n
	}
	n = min(n, w.left)
	w.left -= n
	return n
}
