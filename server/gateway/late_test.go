package gateway

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server"
)

// everybody is admitted by it.
type everybody struct {
	Sessions
	wheel *server.Wheel
}

func (e everybody) Login(context.Context, server.Conn, server.LoginRequest) (server.Grant, error) {
	return server.Grant{Held: new(server.Held)}, nil
}
func (everybody) Lost(*server.Held)      {}
func (everybody) Online() int            { return 1 }
func (e everybody) Wheel() *server.Wheel { return e.wheel }

// signedIn returns both ends of a connection that is signed in.
func signedIn(t *testing.T) (*conn, *websocket.Conn) {
	t.Helper()
	wheel := server.NewWheel()
	t.Cleanup(wheel.Stop)
	g, err := New(Options{Sessions: everybody{wheel: wheel}})
	require.NoError(t, err)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- g.Serve(l) }()
	t.Cleanup(func() {
		require.NoError(t, g.Close(context.Background()))
		require.NoError(t, <-served)
	})
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	client, _, err := d.Dial("ws://"+l.Addr().String()+Path, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = client.Close() })
	client.SetCloseHandler(func(int, string) error { return nil }) // does not hang up
	require.NoError(t, client.WriteMessage(websocket.BinaryMessage, wire.Append(nil, &wire.Login{Version: wire.Version})))
	_, _, err = client.ReadMessage()
	require.NoError(t, err)
	c := g.seats.all()[0]
	require.Eventually(t, func() bool { return wheel.Running(&c.timer) }, 10*time.Second, time.Millisecond, "it has its first ping to come")
	return c, client
}

func (c *conn) in() phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.phase
}

// The wheel takes out a timer that is due, and calls what it is for a moment later: by then the session may have ended.
func TestATimerThatRingsLateDoesNotCutAGoodbyeShort(t *testing.T) {
	c, client := signedIn(t)
	g := &goodbye{frame: &wire.Kicked{Reason: codes.KickRESTAPI}, close: codes.KickedOffline.CloseCode()}
	_, left := c.part(g)
	require.True(t, left)
	c.tick()
	require.Equal(t, closing, c.in())
	c.say(g)
	_, data, err := client.ReadMessage()
	require.NoError(t, err)
	f, err := wire.Decode(data)
	require.NoError(t, err)
	require.IsType(t, new(wire.Kicked), f)
	_, _, err = client.ReadMessage()
	require.True(t, websocket.IsCloseError(err, codes.KickedOffline.CloseCode()), err)

	c.g.wheel.Cancel(&c.timer) // the client's time is over
	c.tick()
	require.Equal(t, closed, c.in())
}

func TestAnAnswerThatComesAfterTheGoodbyeDoesNotCutItShort(t *testing.T) {
	c, client := signedIn(t)
	g := &goodbye{close: codes.KickedOffline.CloseCode()}
	require.True(t, c.leave(g))
	c.say(g)
	c.g.wheel.Cancel(&c.timer) // however long this takes
	c.write(&wire.Reply{Request: 1})
	c.flush()
	c.say(g)
	c.g.wheel.Cancel(&c.timer)
	require.Equal(t, closing, c.in())

	c.heard.Store(false)
	require.NoError(t, client.WriteMessage(websocket.PingMessage, nil))
	require.Eventually(t, c.heard.Load, 10*time.Second, time.Millisecond, "it is still read")
	require.Equal(t, closing, c.in())
	_, _, err := client.ReadMessage()
	require.True(t, websocket.IsCloseError(err, codes.KickedOffline.CloseCode()), err)
}
