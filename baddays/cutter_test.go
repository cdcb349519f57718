//go:build linux

package baddays

import (
	"bytes"
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
	limit int  // of bytes of the next connection, both ways together; noLimit if there is none
	late  bool // servers do not see that first frames come in handshakes
	wires []*wire
}

const noLimit = -1

func newCutter(t *testing.T, to string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	c := &cutter{Listener: l, to: to, limit: noLimit}
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
		w := &wire{left: c.limit, near: near.(*net.TCPConn), far: far.(*net.TCPConn), late: c.late}
		c.wires = append(c.wires, w)
		c.limit = noLimit
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

// cutNext resets the next connection after n bytes.
func (c *cutter) cutNext(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = n
}

// cutAfter resets the newest connection after n more bytes.
func (c *cutter) cutAfter(n int) {
	w := c.newest()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.left, w.passed = n, 0
}

func (c *cutter) newest() *wire {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.wires[len(c.wires)-1]
}

// passed is how many bytes went over the newest connection; since cutAfter, if that was said of it.
func (c *cutter) passed() int {
	w := c.newest()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.passed
}

// cut resets all connections.
func (c *cutter) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, w := range c.wires {
		w.reset()
	}
	c.wires = nil
}

// A wire is one connection through a cutter.
type wire struct {
	near, far *net.TCPConn
	late      bool

	mu           sync.Mutex
	left, passed int
}

func (w *wire) reset() {
	for _, end := range []*net.TCPConn{w.near, w.far} {
		_ = end.SetLinger(0) // makes Close a reset
		_ = end.Close()
	}
}

func (w *wire) carry(from, to net.Conn) {
	for buffer := make([]byte, 4096); ; {
		n, err := from.Read(buffer)
		if w.late {
			copy(buffer, bytes.ReplaceAll(buffer[:n], []byte("Tim-First:"), []byte("Not-First:")))
		}
		n, cut := w.pass(n)
		if n > 0 {
			_, _ = to.Write(buffer[:n])
		}
		if cut {
			w.reset()
			err = io.EOF
		}
		if err != nil {
			_ = to.Close()
			return
		}
	}
}

// pass says how many of n bytes may pass, and whether the connection is cut after them.
func (w *wire) pass(n int) (may int, cut bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.left != noLimit {
		n = min(n, w.left)
		w.left -= n
	}
	w.passed += n
	return n, w.left == 0
}
