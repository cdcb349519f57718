package gateway_test

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/gateway"
)

// dialWith connects with tim's own client, which offers first in the handshake.
func (n *node) dialWith(t *testing.T, first wire.Frame) *ws.Conn {
	t.Helper()
	c, err := ws.Dial(t.Context(), ws.DialOptions{URL: "ws://" + n.address + gateway.Path, First: first})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Drop() })
	_ = c.SetReadDeadline(time.Now().Add(patience))
	return c
}

func read[F wire.Frame](t *testing.T, c *ws.Conn) F {
	t.Helper()
	f, err := c.Read()
	require.NoError(t, err)
	want, ok := f.(F)
	require.Truef(t, ok, "got %T %+v", f, f)
	return want
}

// handshake is a request that carries fields.
func handshake(fields ...string) string {
	return "GET /tim HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tim.v1\r\n" + strings.Join(append(fields, "\r\n"), "\r\n")
}

func firstField(f wire.Frame) string {
	return "tim-first: " + base64.RawURLEncoding.EncodeToString(wire.Append(nil, f))
}

func TestALoginInTheHandshakeIsAnsweredTogetherWithIt(t *testing.T) {
	n := start(t)
	nc := rawDial(t, n.address)
	_, err := io.WriteString(nc, handshake(firstField(loginOf("alice"))))
	require.NoError(t, err)

	all := make([]byte, 4096)
	size, err := nc.Read(all) // one read: both came in one piece
	require.NoError(t, err)
	in := bufio.NewReader(bytes.NewReader(all[:size]))
	answer, err := http.ReadResponse(in, nil)
	require.NoError(t, err)
	require.Equal(t, 101, answer.StatusCode)
	require.Equal(t, "taken", answer.Header.Get("Tim-First"))
	frame, err := io.ReadAll(in)
	require.NoError(t, err)
	require.Equal(t, []byte{0x82, byte(len(frame) - 2)}, frame[:2])
	f, err := wire.Decode(frame[2:])
	require.NoError(t, err)
	require.Equal(t, "session of alice", f.(*wire.Accepted).Session)
	require.NotNil(t, n.sessions.conn("alice"))
	require.Empty(t, n.log.lines(firstField(loginOf("alice"))[len("tim-first: "):]), "even at level debug")
}

func TestAHandshakeDoesNotWaitForALoginThatTakesLong(t *testing.T) {
	n := start(t)
	shaken := make(chan struct{})
	n.sessions.onLogin = func(server.Conn, server.LoginRequest) (server.Grant, error) {
		<-shaken
		return server.Grant{}, nil
	}
	c := n.dialWith(t, loginOf("alice"))
	require.True(t, c.FirstTaken())
	close(shaken)
	require.Equal(t, "session of alice", read[*wire.Accepted](t, c).Session)
	require.NoError(t, c.Write(&wire.Call{Request: 2}))
	require.Equal(t, codes.NotSupported, read[*wire.Reply](t, c).Code)
}

func TestAResumeInTheHandshake(t *testing.T) {
	n := start(t)
	c := n.dialWith(t, &wire.Resume{Request: 3, Version: 1, Ticket: []byte("alice")})
	require.True(t, c.FirstTaken())
	require.Equal(t, "session of alice", read[*wire.Accepted](t, c).Session)
}

func TestARefusedLoginOfAHandshakeIsFollowedByAnotherTry(t *testing.T) {
	n := start(t)
	n.sessions.onLogin = func(_ server.Conn, in server.LoginRequest) (server.Grant, error) {
		if in.User == "mallory" {
			return server.Grant{}, &server.Refusal{Code: codes.TicketKeyMismatch, Text: "wrong key"}
		}
		return server.Grant{}, nil
	}
	c := n.dialWith(t, loginOf("mallory"))
	require.Equal(t, codes.TicketKeyMismatch, read[*wire.Refused](t, c).Code)
	require.NoError(t, c.Write(loginOf("alice")))
	require.Equal(t, "session of alice", read[*wire.Accepted](t, c).Session)
}

func TestAHandshakeThatSaysTooMuchIsNotTaken(t *testing.T) {
	n := start(t)
	long := loginOf("alice")
	long.Ticket = strings.Repeat("t", 2000)
	nc := rawDial(t, n.address)
	_, err := io.WriteString(nc, handshake(firstField(long)))
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
	require.NoError(t, err)
	require.Equal(t, 101, answer.StatusCode)
	require.Empty(t, answer.Header["Tim-First"])
	require.Nil(t, n.sessions.conn("alice"))

	c := n.dialWith(t, long)
	require.False(t, c.FirstTaken())
	require.NoError(t, c.WriteFirst(long))
	read[*wire.Accepted](t, c)
}

func TestWhatIsNoLoginInAHandshakeIsNoLoginAfterIt(t *testing.T) {
	n := start(t)
	secret := base64.RawURLEncoding.EncodeToString([]byte("no frame, but secret"))
	for name, tt := range map[string]struct {
		fields []string
		code   codes.Code
	}{
		"no base64url":    {[]string{"Tim-First: secret+secret"}, codes.ParseFailed},
		"with padding":    {[]string{"Tim-First: c2VjcmV0cw=="}, codes.ParseFailed},
		"empty":           {[]string{"Tim-First:"}, codes.ParseFailed},
		"no frame":        {[]string{"Tim-First: " + secret}, codes.ParseFailed},
		"two of them":     {[]string{firstField(loginOf("alice")), firstField(loginOf("bob"))}, codes.ParseFailed},
		"another request": {[]string{firstField(&wire.Logout{Request: 1})}, codes.InvalidOperation},
	} {
		nc := rawDial(t, n.address)
		_, err := io.WriteString(nc, handshake(tt.fields...))
		require.NoError(t, err)
		in := bufio.NewReader(nc)
		answer, err := http.ReadResponse(in, nil)
		require.NoError(t, err)
		require.Equal(t, "taken", answer.Header.Get("Tim-First"), name)
		rest, err := io.ReadAll(io.LimitReader(in, 4))
		require.NoError(t, err)
		require.Equal(t, byte(0x88), rest[0], "%s: the next is a close frame", name)
		require.Equal(t, tt.code.CloseCode(), int(rest[2])<<8|int(rest[3]), name)
	}
	eventually(t, "one line each", func() bool { return len(n.log.lines("connection closed")) == 6 })
	require.Empty(t, n.log.lines("secret"))
	require.Empty(t, n.log.lines(secret))
	require.Nil(t, n.sessions.conn("alice"))
}

func TestAFrameThatNobodyAnswersStillGetsItsHandshake(t *testing.T) {
	n := start(t)
	unknown := "Tim-First: " + base64.RawURLEncoding.EncodeToString([]byte{0x91, 0x0f})
	nc := rawDial(t, n.address)
	_, err := io.WriteString(nc, handshake(unknown))
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
	require.NoError(t, err)
	require.Equal(t, 101, answer.StatusCode)
}

func TestAPageOfAnotherHostLogsNobodyIn(t *testing.T) {
	n := start(t)
	nc := rawDial(t, n.address)
	_, err := io.WriteString(nc, handshake("Origin: https://evil.example", firstField(loginOf("alice"))))
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(nc), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusForbidden, answer.StatusCode)
	require.Nil(t, n.sessions.conn("alice"))
}

func TestAClientThatHangsUpWhileItsHandshakeWaitsIsLost(t *testing.T) {
	n := start(t)
	asked, gone := make(chan struct{}), make(chan struct{})
	n.sessions.onLogin = func(server.Conn, server.LoginRequest) (server.Grant, error) {
		close(asked)
		<-gone
		return server.Grant{}, nil
	}
	nc := rawDial(t, n.address)
	_, err := io.WriteString(nc, handshake(firstField(loginOf("alice"))))
	require.NoError(t, err)
	<-asked
	require.NoError(t, nc.Close())
	close(gone)
	eventually(t, "the session is lost", func() bool { return n.sessions.timesLost("alice") == 1 })
	eventually(t, "the connection ends", func() bool { return n.Online() == 0 })
}

func TestALoginInAHandshakeUnderTLS(t *testing.T) {
	lender := httptest.NewTLSServer(nil) // for its certificate
	defer lender.Close()
	n := start(t, func(o *gateway.Options) { o.TLS = lender.TLS.Clone() })
	c, err := ws.Dial(t.Context(), ws.DialOptions{
		URL: "wss://" + n.address + gateway.Path, First: loginOf("alice"),
		TLS: &tls.Config{RootCAs: lender.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs},
	})
	require.NoError(t, err)
	defer c.Drop()
	require.True(t, c.FirstTaken())
	read[*wire.Accepted](t, c)
	require.NoError(t, c.Write(&wire.Logout{Request: 2}))
	read[*wire.Reply](t, c)
}

// A node that stood still finds logins of clients that gave up long ago. They have logged in elsewhere since.
func TestALoginWhoseClientHasHungUpIsForgotten(t *testing.T) {
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	nc := rawDial(t, l.Addr().String())
	_, err = io.WriteString(nc, handshake(firstField(loginOf("alice"))))
	require.NoError(t, err)
	require.NoError(t, nc.Close())

	n := startOn(t, l)
	n.sessions.onLogin = func(_ server.Conn, r server.LoginRequest) (server.Grant, error) {
		require.Equal(t, "bob", r.User)
		return server.Grant{}, codes.ServerInternal
	}
	read[*wire.Refused](t, n.dialWith(t, loginOf("bob")))
	require.Eventually(t, func() bool { return n.Online() == 1 }, patience, time.Millisecond)
}
