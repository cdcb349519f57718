package gateway_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/gateway"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is for what must happen; nothing waits that long when it works.
const patience = time.Minute

// A node is a gateway that serves on loopback.
type node struct {
	*gateway.Gateway
	sessions *fakeSessions
	address  string
	log      *logBuffer
}

func start(t *testing.T, change ...func(*gateway.Options)) *node {
	t.Helper()
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	return startOn(t, l, change...)
}

func startOn(t *testing.T, l net.Listener, change ...func(*gateway.Options)) *node {
	t.Helper()
	n := &node{sessions: newFakeSessions(t), log: new(logBuffer)}
	o := gateway.Options{Sessions: n.sessions, Logger: slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, f := range change {
		f(&o)
	}
	var err error
	n.Gateway, err = gateway.New(o)
	require.NoError(t, err)
	n.address = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- n.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		require.NoError(t, n.Close(ctx))
		require.NoError(t, <-served)
	})
	return n
}

// A client is a WebSocket that speaks wire.
type client struct {
	*websocket.Conn
	t *testing.T
}

func (n *node) dial(t *testing.T) *client {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience}
	c, _, err := d.Dial("ws://"+n.address+gateway.Path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &client{c, t}
}

func (c *client) send(f wire.Frame) {
	c.t.Helper()
	require.NoError(c.t, c.WriteMessage(websocket.BinaryMessage, wire.Append(nil, f)))
}

// next returns the next frame, or the close error.
func (c *client) next() (wire.Frame, error) {
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, data, err := c.ReadMessage()
	if err != nil {
		return nil, err
	}
	return wire.Decode(data)
}

func expect[F wire.Frame](c *client) F {
	c.t.Helper()
	f, err := c.next()
	require.NoError(c.t, err)
	want, ok := f.(F)
	require.Truef(c.t, ok, "got %T %+v", f, f)
	return want
}

func (c *client) expectClose(code int) {
	c.t.Helper()
	f, err := c.next()
	require.Nil(c.t, f)
	require.Truef(c.t, websocket.IsCloseError(err, code), "got %v, want close %d", err, code)
}

func (c *client) login(user string) *wire.Accepted {
	c.t.Helper()
	c.send(loginOf(user))
	return expect[*wire.Accepted](c)
}

// pump answers pings until the connection ends.
func (c *client) pump() {
	_ = c.SetReadDeadline(time.Time{})
	go func() {
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return
			}
		}
	}()
}

func loginOf(user string) *wire.Login {
	return &wire.Login{
		Request: 1, Version: wire.Version, App: 1400000001, User: user, Ticket: "t", Platform: codes.PlatformAndroid, Instance: "i-" + user,
	}
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	require.Eventually(t, f, patience, 2*time.Millisecond, what)
}

func rawDial(t *testing.T, address string) net.Conn {
	t.Helper()
	nc, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(patience))
	return nc
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// lines returns the lines that contain all parts.
func (l *logBuffer) lines(parts ...string) (found []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
next:
	for line := range strings.Lines(l.b.String()) {
		for _, p := range parts {
			if !strings.Contains(line, p) {
				continue next
			}
		}
		found = append(found, line)
	}
	return found
}
