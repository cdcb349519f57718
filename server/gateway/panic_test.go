package gateway_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/gateway"
)

// brokenSessions panics where break says so. The value of the panic holds a ticket, as one of a library might.
type brokenSessions struct {
	*fakeSessions
	breaks string
}

func (b *brokenSessions) panicIn(where string) {
	if b.breaks == where {
		panic("cannot read the secret ticket of bob")
	}
}

func (b *brokenSessions) Login(ctx context.Context, c server.Conn, in server.LoginRequest) (server.Grant, error) {
	if in.User == "bob" {
		b.panicIn("login")
	}
	return b.fakeSessions.Login(ctx, c, in)
}

func (b *brokenSessions) Renew(ctx context.Context, h *server.Held, ticket string) (server.Grant, error) {
	b.panicIn("renew")
	if b.breaks == "index" {
		return server.Grant{Session: ticket[:len(b.breaks)*100]}, nil
	}
	return b.fakeSessions.Renew(ctx, h, ticket)
}

func (b *brokenSessions) Logout(ctx context.Context, h *server.Held) error {
	b.panicIn("logout")
	return b.fakeSessions.Logout(ctx, h)
}

func (b *brokenSessions) Lost(h *server.Held) {
	b.fakeSessions.Lost(h)
	b.panicIn("lost")
}

func TestAPanicCostsOneConnection(t *testing.T) {
	for _, story := range []struct {
		breaks string
		does   func(c *client)
		says   string // in the log, of the value of the panic
	}{
		{"login", func(c *client) { c.send(loginOf("bob")) }, "a string"},
		{"renew", func(c *client) { c.login("bob"); c.send(&wire.Renew{Request: 2, Ticket: "secret ticket"}) }, "a string"},
		{"index", func(c *client) { c.login("bob"); c.send(&wire.Renew{Request: 2, Ticket: "secret ticket"}) }, "slice bounds out of range"},
		{"logout", func(c *client) { c.login("bob"); c.send(&wire.Logout{Request: 2}) }, "a string"},
		{"lost", func(c *client) { c.login("bob"); require.NoError(c.t, c.WriteMessage(1, []byte("text"))) }, "a string"},
		{"lost", func(c *client) {
			c.login("bob")
			require.NoError(c.t, c.NetConn().(*net.TCPConn).SetLinger(0))
			_ = c.Close()
		}, "a string"},
	} {
		t.Run(story.breaks, func(t *testing.T) {
			n := start(t, func(o *gateway.Options) {
				o.Sessions = &brokenSessions{o.Sessions.(*fakeSessions), story.breaks}
			})
			other := n.dial(t)
			other.login("alice")

			c := n.dial(t)
			story.does(c)
			for err := error(nil); err == nil; { // the connection ends
				_, err = c.next()
			}
			eventually(t, "it is gone", func() bool { return n.Online() == 1 })

			other.send(&wire.Call{Request: 3, Method: "anything"})
			require.Equal(t, codes.NotSupported, expect[*wire.Reply](other).Code, "the others do not notice")
			lines := n.log.lines("level=ERROR")
			require.Len(t, lines, 1)
			require.Contains(t, lines[0], story.says)
			require.Contains(t, lines[0], "brokenSessions", "where it was")
			require.EqualValues(t, 1, n.Stats().Panics)
			require.Empty(t, n.log.lines("secret"))
		})
	}
}

func TestAPanicWhileAllAreSentAwayStopsNobody(t *testing.T) {
	n := start(t, func(o *gateway.Options) { o.Sessions = &brokenSessions{o.Sessions.(*fakeSessions), "lost"} })
	for _, user := range []string{"alice", "bob", "carol"} {
		n.dial(t).login(user)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, n.Drain(ctx, gateway.Drain{}))
	require.EqualValues(t, 3, n.Stats().Panics)
}

func TestAPanicOfAHandlerIsNotHidden(t *testing.T) {
	n := start(t, func(o *gateway.Options) {
		o.HTTP = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(errors.New("the secret ticket")) })
	})
	nc := rawDial(t, n.address)
	_, err := io.WriteString(nc, "GET /v4/anything HTTP/1.1\r\nHost: x\r\n\r\n")
	require.NoError(t, err)
	answer, _ := io.ReadAll(nc)
	require.Empty(t, answer)
	eventually(t, "it is told", func() bool { return len(n.log.lines("level=ERROR", "*errors.errorString", "panic_test.go")) == 1 })
	require.EqualValues(t, 1, n.Stats().Panics)
	require.Empty(t, n.log.lines("secret"))
}
