package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/gateway"
)

// An elsewhere is a listener on loopback whose clients seem to come from another address.
type elsewhere struct {
	net.Listener
	from chan string
}

type elsewhereConn struct {
	*net.TCPConn
	from net.Addr
}

func (c elsewhereConn) RemoteAddr() net.Addr { return c.from }

func (l *elsewhere) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return elsewhereConn{c.(*net.TCPConn), &net.TCPAddr{IP: net.ParseIP(<-l.from), Port: 1}}, nil
}

// remote is a gateway whose clients come from addresses that a test chooses.
type remote struct {
	*node
	from chan string
}

func startRemote(t *testing.T, change ...func(*gateway.Options)) *remote {
	t.Helper()
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	from := make(chan string, 100)
	return &remote{startOn(t, &elsewhere{l, from}, change...), from}
}

// connect tries to connect from an address, and returns nil if it was turned away.
func (r *remote) connect(t *testing.T, from string, forwarded ...string) *client {
	t.Helper()
	r.from <- from
	header := http.Header{}
	for _, f := range forwarded {
		header.Add("X-Forwarded-For", f)
	}
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience}
	c, _, err := d.Dial("ws://"+r.address+gateway.Path, header)
	if err != nil {
		return nil
	}
	t.Cleanup(func() { _ = c.Close() })
	return &client{c, t}
}

func TestTheConnectionsOfAnAddressAreBounded(t *testing.T) {
	r := startRemote(t, func(o *gateway.Options) { o.AddressConnections = 2 })
	first := r.connect(t, "203.0.113.1")
	require.NotNil(t, first)
	require.NotNil(t, r.connect(t, "203.0.113.1"))
	require.Nil(t, r.connect(t, "203.0.113.1"))
	require.NotEmpty(t, r.log.lines("too many connections from one address"))
	require.NotNil(t, r.connect(t, "203.0.113.2"), "others are not hurt")
	_ = first.Close()
	eventually(t, "it has left", func() bool { return r.Online() == 2 })
	require.NotNil(t, r.connect(t, "203.0.113.1"), "there is room again")

	require.NotNil(t, r.connect(t, "2001:db8::1"))
	require.NotNil(t, r.connect(t, "2001:db8::2"))
	require.Nil(t, r.connect(t, "2001:db8::3"), "a network of 64 bits is one address")
	require.NotNil(t, r.connect(t, "2001:db8:0:1::1"))
}

func TestThisMachineIsNotLimited(t *testing.T) {
	r := startRemote(t, func(o *gateway.Options) { o.AddressConnections, o.AddressRate = 1, 0.001 })
	for range 5 {
		require.NotNil(t, r.connect(t, "127.0.0.1"))
	}
}

func TestAnAddressDoesNotConnectTooFast(t *testing.T) {
	r := startRemote(t, func(o *gateway.Options) { o.AddressRate = 0.3 }) // 3 at once, then one every three seconds
	for range 3 {
		require.NotNil(t, r.connect(t, "203.0.113.1"))
	}
	require.Nil(t, r.connect(t, "203.0.113.1"))
	require.NotEmpty(t, r.log.lines("too many new connections from one address"))
	require.NotNil(t, r.connect(t, "203.0.113.2"))
}

func TestBehindATrustedProxyTheClientIsLimited(t *testing.T) {
	r := startRemote(t, func(o *gateway.Options) {
		o.AddressConnections = 1
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	first := r.connect(t, "10.0.0.1", "203.0.113.1")
	require.NotNil(t, first)
	require.NotNil(t, r.connect(t, "10.0.0.1", "203.0.113.2"), "the proxy itself is not limited")
	require.Nil(t, r.connect(t, "10.0.0.2", "203.0.113.1"), "whichever proxy it comes through")
	require.Nil(t, r.connect(t, "203.0.113.2", "203.0.113.9"), "who is no proxy is not believed")
	_ = first.Close()
	eventually(t, "there is room again", func() bool { return r.connect(t, "10.0.0.1", "203.0.113.1") != nil })
}

func TestARequestComesFromTheClientBehindTheProxy(t *testing.T) {
	r := startRemote(t, func(o *gateway.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
		o.HTTP = http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) { fmt.Fprint(w, q.RemoteAddr) })
	})
	for _, c := range []struct{ from, forwarded, want string }{
		{"10.0.0.1", "203.0.113.7", "203.0.113.7:0"},
		{"198.51.100.1", "203.0.113.7", "198.51.100.1:0"},
	} {
		r.from <- c.from
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+r.address+"/", nil)
		require.NoError(t, err)
		q.Header.Set("X-Forwarded-For", c.forwarded)
		q.Close = true
		res, err := http.DefaultClient.Do(q)
		require.NoError(t, err)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		_ = res.Body.Close()
		require.Equal(t, c.want, string(body))
	}
}

func TestAClientThatSendsTooManyFramesIsDropped(t *testing.T) {
	n := start(t, func(o *gateway.Options) { o.FramesPerSecond = 2 }) // 20 in ten seconds
	c := n.dial(t)
	c.login("alice")
	for range 30 {
		if c.WriteMessage(websocket.BinaryMessage, wire.Append(nil, &wire.Call{Request: 1, Method: "x"})) != nil {
			break
		}
	}
	for {
		f, err := c.next()
		if err != nil {
			require.True(t, websocket.IsCloseError(err, codes.InvalidOperation.CloseCode()), "%v", err)
			break
		}
		require.IsType(t, &wire.Reply{}, f)
	}
	require.NotEmpty(t, n.log.lines("too many frames"))
	eventually(t, "its session is lost", func() bool { return n.sessions.timesLost("alice") == 1 })
	n.dial(t).login("bob")
}

func TestPingsCountAsFrames(t *testing.T) {
	n := start(t, func(o *gateway.Options) { o.FramesPerSecond = 1 })
	c := n.dial(t)
	c.login("alice")
	for range 20 {
		_ = c.WriteMessage(websocket.PingMessage, nil)
	}
	c.expectClose(codes.InvalidOperation.CloseCode())
}
