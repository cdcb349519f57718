package gateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/gateway"
)

func TestALoginIsAnsweredWithWhatTheClientNeeds(t *testing.T) {
	n := start(t)
	var got server.LoginRequest
	n.sessions.onLogin = func(_ server.Conn, in server.LoginRequest) (server.Grant, error) {
		got = in
		return server.Grant{}, nil
	}
	c := n.dial(t)
	c.send(&wire.Login{
		Request: 7, Version: 1, App: 1400000001, User: "alice", Ticket: "secret", Platform: codes.PlatformWeb,
		Instance: "i", Label: "my browser", SDK: "sdk/1", Reconnect: true,
	})
	a := expect[*wire.Accepted](c)
	require.Equal(t, server.LoginRequest{
		App: 1400000001, User: "alice", Ticket: "secret", Platform: codes.PlatformWeb,
		Instance: "i", Label: "my browser", SDK: "sdk/1", Reconnect: true,
	}, got)
	require.Equal(t, uint64(7), a.Request)
	require.Equal(t, "session of alice", a.Session)
	require.Equal(t, uint64(1), a.LoginSeq)
	require.WithinDuration(t, time.Now(), time.UnixMilli(a.ServerTime), time.Minute)
	require.WithinDuration(t, time.Now().Add(time.Hour), time.UnixMilli(a.TicketExpires), time.Minute)
	require.Equal(t, int64(25_000), a.PingInterval)
	require.Equal(t, int64(2_000), a.ReconnectWindow, "one client needs no more than the least window")
	require.Equal(t, []byte("resume alice"), a.ResumeTicket)
	require.Empty(t, n.log.lines("secret"))
}

func TestAResumeIsAnsweredLikeALoginOrWithTheKick(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	c.send(&wire.Resume{Request: 1, Version: 1})
	r := expect[*wire.Refused](c)
	require.Equal(t, &wire.Refused{
		Request: 1, Code: codes.KickedOffline, Text: "somebody else came",
		Reason: codes.KickMultipleDevice, ByPlatform: codes.PlatformIOS, ByLabel: "new phone", At: 1234567890123,
	}, r)
	c.send(&wire.Resume{Request: 2, Version: 1, Ticket: []byte("alice")})
	require.Equal(t, "session of alice", expect[*wire.Accepted](c).Session)
}

func TestWhatASignedInClientAsksFor(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	c.login("alice")

	c.send(&wire.Renew{Request: 2, Ticket: "new"})
	require.Equal(t, &wire.Reply{Request: 2, TicketExpires: 2e12, ResumeTicket: []byte("again")}, expect[*wire.Reply](c))

	n.sessions.onRenew = func(string) (server.Grant, error) {
		return server.Grant{}, &server.Refusal{Code: codes.TicketExpired, Text: "ended an hour ago"}
	}
	c.send(&wire.Renew{Request: 3, Ticket: "old"})
	require.Equal(t, &wire.Reply{Request: 3, Code: codes.TicketExpired, Text: "ended an hour ago"}, expect[*wire.Reply](c))

	c.send(&wire.Call{Request: 4, Method: "fly"})
	require.Equal(t, codes.NotSupported, expect[*wire.Reply](c).Code)

	c.send(&wire.Logout{Request: 5})
	require.Equal(t, &wire.Reply{Request: 5}, expect[*wire.Reply](c))
	c.expectClose(websocket.CloseNormalClosure)
	require.Len(t, n.sessions.out, 1)
	eventually(t, "the connection ends", func() bool { return n.Online() == 0 })
	require.Zero(t, n.sessions.timesLost("alice"), "a session that was logged out is not lost")
}

func TestARefusedClientMayTryAgainAFewTimes(t *testing.T) {
	n := start(t)
	n.sessions.onLogin = func(_ server.Conn, in server.LoginRequest) (server.Grant, error) {
		switch in.Ticket {
		case "bad":
			return server.Grant{}, &server.Refusal{Code: codes.TicketKeyMismatch, Text: "wrong key", RetryAfter: 1500 * time.Microsecond}
		case "broken":
			return server.Grant{}, errBroken
		}
		return server.Grant{}, nil
	}
	c := n.dial(t)
	bad := loginOf("alice")
	bad.Ticket = "bad"
	c.send(bad)
	require.Equal(t, &wire.Refused{Request: 1, Code: codes.TicketKeyMismatch, Text: "wrong key", RetryAfter: 2}, expect[*wire.Refused](c))

	broken := loginOf("alice")
	broken.Ticket = "broken"
	c.send(broken)
	r := expect[*wire.Refused](c)
	require.Equal(t, codes.ServerInternal, r.Code)
	require.NotContains(t, r.Text, "fire", "a client learns nothing about our insides")
	require.Len(t, n.log.lines("login failed", "on fire"), 1)

	c.login("alice")

	d := n.dial(t)
	for range 10 {
		d.send(bad)
		expect[*wire.Refused](d)
	}
	d.expectClose(codes.InvalidOperation.CloseCode())
}

func TestALogoutMayCrossTheRefusalOfItsLogin(t *testing.T) {
	n := start(t)
	n.sessions.onLogin = func(server.Conn, server.LoginRequest) (server.Grant, error) {
		return server.Grant{}, &server.Refusal{Code: codes.TicketExpired, Text: "ended an hour ago"}
	}
	c := n.dial(t)
	c.send(loginOf("alice"))
	c.send(&wire.Logout{Request: 2})
	require.Equal(t, codes.TicketExpired, expect[*wire.Refused](c).Code)
	require.Equal(t, &wire.Reply{Request: 2}, expect[*wire.Reply](c))
	c.expectClose(websocket.CloseNormalClosure)
	require.Empty(t, n.sessions.out, "nobody was signed in")
	require.Empty(t, n.log.lines("level=WARN"), "it is nobody's mistake")
}

func TestAnotherVersionOfTheProtocolIsRefused(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	f := loginOf("alice")
	f.Version = 2
	c.send(f)
	r := expect[*wire.Refused](c)
	require.Equal(t, codes.NotSupported, r.Code)
	require.Contains(t, r.Text, "version 1")
	c.login("alice")
}

// Each misbehaviour ends its own connection with a close code and one line, and nobody else's.
func TestMisbehaviourIsNamedAndHurtsNobodyElse(t *testing.T) {
	signedIn := func(c *client) { c.login("mallory") }
	for _, tc := range []struct {
		name   string
		before func(*client)
		do     func(*client)
		want   codes.Code
	}{
		{"a text message", nil, func(c *client) { _ = c.WriteMessage(websocket.TextMessage, []byte("hi")) }, codes.ParseFailed},
		{"garbage", nil, func(c *client) { _ = c.WriteMessage(websocket.BinaryMessage, []byte{0xc1}) }, codes.ParseFailed},
		{"garbage when signed in", signedIn, func(c *client) { _ = c.WriteMessage(websocket.BinaryMessage, []byte("x")) }, codes.ParseFailed},
		{"too much", nil, func(c *client) { _ = c.WriteMessage(websocket.BinaryMessage, make([]byte, wire.MaxFrame+1)) }, codes.FrameTooLarge},
		{"far too much", signedIn, func(c *client) { _ = c.WriteMessage(websocket.BinaryMessage, make([]byte, 900_000)) }, codes.FrameTooLarge},
		{"a logout first", nil, func(c *client) { c.send(&wire.Logout{Request: 1}) }, codes.InvalidOperation},
		{"a renewal first", nil, func(c *client) { c.send(&wire.Renew{Request: 1}) }, codes.InvalidOperation},
		{"a call first", nil, func(c *client) { c.send(&wire.Call{Request: 1}) }, codes.InvalidOperation},
		{"a second login", signedIn, func(c *client) { c.send(loginOf("mallory")) }, codes.InvalidOperation},
		{"a resume when signed in", signedIn, func(c *client) { c.send(&wire.Resume{Version: 1}) }, codes.InvalidOperation},
		{"a frame that only servers send", signedIn, func(c *client) { c.send(&wire.Kicked{}) }, codes.InvalidOperation},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := start(t)
			bystander := n.dial(t)
			bystander.login("bob")

			c := n.dial(t)
			if tc.before != nil {
				tc.before(c)
			}
			tc.do(c)
			c.expectClose(tc.want.CloseCode())
			require.Len(t, n.log.lines("level=WARN", tc.want.Text()), 1)
			if tc.before != nil {
				eventually(t, "the session is lost", func() bool { return n.sessions.timesLost("mallory") == 1 })
			}

			bystander.send(&wire.Call{Request: 9})
			require.Equal(t, uint64(9), expect[*wire.Reply](bystander).Request)
		})
	}
}

func TestAnUnknownFrameIsIgnored(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	require.NoError(t, c.WriteMessage(websocket.BinaryMessage, []byte{0x92, 15, 1}))
	c.login("alice")
	require.NoError(t, c.WriteMessage(websocket.BinaryMessage, []byte{0x92, 15, 1}))
	c.send(&wire.Call{Request: 2})
	require.Equal(t, uint64(2), expect[*wire.Reply](c).Request)
}

func TestWhoDoesNotLogInIsTooLate(t *testing.T) {
	n := start(t, func(o *gateway.Options) { o.FirstFrame = 200 * time.Millisecond })
	t.Run("after the handshake", func(t *testing.T) {
		n.dial(t).expectClose(codes.RequestTimeout.CloseCode())
	})
	t.Run("with frames that mean nothing", func(t *testing.T) {
		c := n.dial(t)
		go func() {
			for c.WriteMessage(websocket.BinaryMessage, []byte{0x91, 15}) == nil {
				time.Sleep(20 * time.Millisecond)
			}
		}()
		c.expectClose(codes.RequestTimeout.CloseCode())
	})
	t.Run("after a refusal", func(t *testing.T) {
		n := start(t, func(o *gateway.Options) { o.FirstFrame = 2 * time.Second }) // for a busy machine to be refused in
		c := n.dial(t)
		c.send(&wire.Resume{Version: 1})
		expect[*wire.Refused](c)
		c.expectClose(codes.RequestTimeout.CloseCode())
	})
	t.Run("with half a request", func(t *testing.T) {
		nc := rawDial(t, n.address)
		_, err := nc.Write([]byte("GET /tim HTTP/1.1\r\nHost: "))
		require.NoError(t, err)
		_, err = nc.Read(make([]byte, 1))
		require.Error(t, err)
	})
	t.Run("with half a frame", func(t *testing.T) {
		c := n.dial(t)
		_, err := c.NetConn().Write([]byte{0x82})
		require.NoError(t, err)
		c.expectClose(codes.RequestTimeout.CloseCode())
	})
	require.Empty(t, n.log.lines("level=ERROR"))
	require.NotEmpty(t, strings.Join(n.log.lines("no login in time"), ""))
}
