package gateway

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"

	"github.com/opentim/tim/internal/ws"
)

// A secure is a TLS connection that can be parked: it can say whether bytes wait inside it that no descriptor shows.
type secure struct {
	*tls.Conn
	below *tryConn
}

func newSecure(raw net.Conn, config *tls.Config) *secure {
	below := &tryConn{Conn: raw}
	return &secure{Conn: tls.Server(below, config), below: below}
}

// Try makes reads that would wait fail with ws.ErrIdle instead. TLS goes on after it, because it is a temporary error.
func (s *secure) Try(on bool) { s.below.try = on }

// A tryConn is the TCP connection below TLS. One goroutine at a time reads.
type tryConn struct {
	net.Conn
	try bool
}

func (c *tryConn) Read(p []byte) (n int, err error) {
	tcp, ok := c.Conn.(*net.TCPConn)
	if !ok || !c.try || len(p) == 0 {
		return c.Conn.Read(p)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return 0, err
	}
	if e := raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), p)
		return true // do not wait
	}); e != nil {
		return 0, e
	}
	switch {
	case err == syscall.EAGAIN || err == syscall.EINTR:
		return 0, ws.ErrIdle
	case err != nil:
		return 0, &net.OpError{Op: "read", Net: "tcp", Err: err}
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
