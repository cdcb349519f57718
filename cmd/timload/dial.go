package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// patience is how long a client waits for any one answer, and for a connection.
const patience = time.Minute

// sources is how many addresses, from 127.0.0.2 on, clients connect from. Each has its own 28,000 or so ports.
const sources = 16

// A dialer opens connections to one server on this machine. It may be used from any goroutine.
type dialer struct {
	addr string      // 127.0.0.x:port
	tls  *tls.Config // nil for plain TCP
	next atomic.Uint32
}

// newDialer refuses any address that is not loopback: timload is a heavy hammer and hits only what it started itself.
func newDialer(addr string, config *tls.Config) (*dialer, error) {
	if err := mustBeLoopback(addr); err != nil {
		return nil, err
	}
	return &dialer{addr: addr, tls: config}, nil
}

func mustBeLoopback(addr string) error {
	parsed, err := netip.ParseAddrPort(addr)
	if err != nil || !parsed.Addr().IsLoopback() {
		return fmt.Errorf("%s is not a loopback address: timload only loads servers on this machine", addr)
	}
	return nil
}

// dial connects; under TLS the handshake is done. A closed connection leaves nothing behind: see hangUp.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	from := &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+d.next.Add(1)%sources))}
	tcp := net.Dialer{Timeout: patience, KeepAlive: -1, LocalAddr: from, Control: lateBinding}
	conn, err := tcp.DialContext(ctx, "tcp4", d.addr)
	if err != nil {
		return nil, err
	}
	// Closing sends RST. An orderly close would keep the port for a minute, and ports would run out.
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		conn.Close()
		return nil, err
	}
	if d.tls == nil {
		return conn, nil
	}
	secure := tls.Client(conn, d.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// hangUp closes a connection with RST and no goodbye, as a phone that lost its network does.
func hangUp(conn net.Conn) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	conn.Close()
}
