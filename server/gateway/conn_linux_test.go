package gateway_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/gateway"
)

// A thousand idle connections need no goroutine each, and all wake up.
func TestIdleConnectionsPark(t *testing.T) {
	n := start(t)
	before := runtime.NumGoroutine()
	const many = 1000
	clients := make([]*client, many)
	for i := range clients {
		clients[i] = n.dial(t)
		clients[i].login("user")
	}
	eventually(t, "the goroutines leave", func() bool { return runtime.NumGoroutine() <= before+80 })
	for _, c := range clients {
		c.send(&wire.Call{Request: 5})
	}
	for _, c := range clients {
		require.Equal(t, uint64(5), expect[*wire.Reply](c).Request)
	}
	eventually(t, "the goroutines leave again", func() bool { return runtime.NumGoroutine() <= before+80 })
}

// With buffers of a few kilobytes on both sides, who does not read is soon noticed.
func TestASlowClientIsDroppedAndDelaysNobody(t *testing.T) {
	small := func(option int) func(_, _ string, raw syscall.RawConn) error {
		return func(_, _ string, raw syscall.RawConn) error {
			return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, 4096) })
		}
	}
	lc := net.ListenConfig{Control: small(unix.SO_SNDBUF)}
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := startOn(t, l, func(o *gateway.Options) { o.WriteTimeout, o.FramesPerSecond = 3*time.Second, 1<<20 })

	d := websocket.Dialer{
		Subprotocols: []string{wire.Subprotocol}, NetDialContext: (&net.Dialer{Control: small(unix.SO_RCVBUF)}).DialContext,
	}
	conn, _, err := d.Dial("ws://"+n.address+gateway.Path, nil)
	require.NoError(t, err)
	defer conn.Close()
	slow := &client{conn, t}
	slow.login("slow")
	bystander := n.dial(t)
	bystander.login("bob")

	sc := n.sessions.conn("slow")
	for i, began := uint64(0), time.Now(); n.sessions.timesLost("slow") == 0; i++ {
		require.Less(t, time.Since(began), patience, "a client that never reads was written to for ever")
		for range 10 {
			if i < 1000 { // more than the buffers take
				sc.TicketExpiring(time.UnixMilli(1)) // returns at once, however slow the client
			}
		}
		bystander.send(&wire.Call{Request: i})
		require.Equal(t, i, expect[*wire.Reply](bystander).Request)
	}
	sc.Kick(aKick) // comes too late, and harms nobody
	eventually(t, "only the bystander is left", func() bool { return n.Online() == 1 })
}

// startTLS returns a node behind TLS, and what its clients trust.
func startTLS(t *testing.T) (*node, *tls.Config) {
	t.Helper()
	lender := httptest.NewTLSServer(nil) // for its certificate
	defer lender.Close()
	n := start(t, func(o *gateway.Options) {
		o.TLS, o.FramesPerSecond = lender.TLS.Clone(), 1000
		o.PingInterval = time.Hour // clients that do not read answer no pings, however long the handshakes of many take
	})
	return n, lender.Client().Transport.(*http.Transport).TLSClientConfig
}

func (n *node) dialTLS(t *testing.T, trust *tls.Config, wrap func(net.Conn) net.Conn) *client {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, TLSClientConfig: trust}
	d.NetDialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return wrap(nc), err
	}
	conn, _, err := d.Dial("wss://"+n.address+gateway.Path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &client{conn, t}
}

func TestTLSConnectionsParkToo(t *testing.T) {
	n, trust := startTLS(t)
	before := runtime.NumGoroutine()
	clients := make([]*client, 200)
	for i := range clients {
		clients[i] = n.dialTLS(t, trust, func(c net.Conn) net.Conn { return c })
		clients[i].login("user")
	}
	eventually(t, "the goroutines leave", func() bool { return runtime.NumGoroutine() <= before+80 })
	for _, c := range clients {
		c.send(&wire.Call{Request: 5})
	}
	for _, c := range clients {
		require.Equal(t, uint64(5), expect[*wire.Reply](c).Request)
	}
	eventually(t, "the goroutines leave again", func() bool { return runtime.NumGoroutine() <= before+80 })
}

// A dribble sends each byte in a segment of its own, so that the server is woken by parts of a TLS record.
type dribble struct{ net.Conn }

func (d dribble) Write(p []byte) (int, error) {
	for i := range p {
		if _, err := d.Conn.Write(p[i : i+1]); err != nil {
			return i, err
		}
	}
	return len(p), nil
}

func TestTLSBytesAreNeitherLostNorForgotten(t *testing.T) {
	n, trust := startTLS(t)
	t.Run("when records come in parts", func(t *testing.T) {
		c := n.dialTLS(t, trust, func(c net.Conn) net.Conn { return dribble{c} })
		c.login("user")
		for i := range uint64(5) {
			c.send(&wire.Call{Request: i, Body: make([]byte, 300)})
			require.Equal(t, i, expect[*wire.Reply](c).Request)
		}
	})
	t.Run("when one record holds many frames", func(t *testing.T) {
		c := n.dialTLS(t, trust, func(c net.Conn) net.Conn { return c })
		c.login("user")
		var many []byte
		const frames = 1000
		for i := range uint64(frames) {
			f := wire.Append(nil, &wire.Call{Request: i})
			many = append(append(many, 0x82, 0x80|byte(len(f)), 0, 0, 0, 0), f...) // final, binary; masked with zeros
		}
		require.Less(t, len(many), 16<<10, "one record")
		_, err := c.NetConn().Write(many)
		require.NoError(t, err)
		for i := range uint64(frames) {
			require.Equal(t, i, expect[*wire.Reply](c).Request)
		}
	})
	t.Run("when the client hangs up", func(t *testing.T) {
		c := n.dialTLS(t, trust, func(c net.Conn) net.Conn { return c })
		c.login("gone")
		_ = c.Close()
		eventually(t, "the session is lost", func() bool { return n.sessions.timesLost("gone") == 1 })
	})
}
