package ws

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// dialed connects a Conn to what server does with the other end.
func dialed(t *testing.T, server func(*websocket.Conn, *http.Request)) *Conn {
	t.Helper()
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		server(c, r)
	}))
	t.Cleanup(s.Close)
	c, err := Dial(t.Context(), DialOptions{URL: "ws" + s.URL[4:] + "/tim"})
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Drop() })
	return c
}

func echo(c *websocket.Conn, _ *http.Request) {
	for {
		kind, data, err := c.ReadMessage()
		if err != nil {
			return
		}
		_ = c.WriteMessage(kind, data)
	}
}

func TestFramesTravelBothWays(t *testing.T) {
	c := dialed(t, echo)
	for _, size := range []int{0, 1, writeBuffer, 4 * readBuffer, 60_000} { // in one fragment and in many
		sent := &wire.Call{Request: 7, Method: "echo", Body: bytes.Repeat([]byte{1}, size)}
		require.NoError(t, c.Write(sent))
		got, err := c.Read()
		require.NoError(t, err)
		require.EqualValues(t, size, len(got.(*wire.Call).Body))
		require.Equal(t, "echo", got.(*wire.Call).Method)
	}
}

func TestAFrameThatIsTooLargeHarmsNothing(t *testing.T) {
	c := dialed(t, echo)
	require.ErrorIs(t, c.Write(&wire.Call{Body: make([]byte, wire.MaxFrame)}), codes.FrameTooLarge)
	require.NoError(t, c.Write(&wire.Logout{Request: 1}))
	_, err := c.Read()
	require.NoError(t, err)
}

func TestManyMayWriteAtOnce(t *testing.T) {
	const writers, each = 8, 50
	c := dialed(t, echo)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range each {
				if err := c.Write(&wire.Call{Body: make([]byte, 3*writeBuffer)}); err != nil {
					t.Error(err)
				}
				if err := c.Ping(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range writers * each {
		_, err := c.Read()
		require.NoError(t, err)
	}
	all.Wait()
}

func TestPingsAreAnsweredAndSeenAndPongsAreSeen(t *testing.T) {
	ponged := make(chan string, 1)
	c := dialed(t, func(c *websocket.Conn, r *http.Request) {
		c.SetPongHandler(func(payload string) error { ponged <- payload; return nil })
		_ = c.WriteControl(websocket.PingMessage, []byte("12345678"), time.Now().Add(time.Minute))
		echo(c, r)
	})
	var pings []string
	pongs := 0
	c.Watch(func(payload []byte) { pings = append(pings, string(payload)) }, func() { pongs++ })
	require.NoError(t, c.Ping())
	require.NoError(t, c.Write(&wire.Logout{}))
	_, err := c.Read()
	require.NoError(t, err)
	require.Equal(t, []string{"12345678"}, pings)
	require.Equal(t, "12345678", <-ponged)
	require.Equal(t, 1, pongs)
}

func TestAGoodbyeIsTyped(t *testing.T) {
	c := dialed(t, func(c *websocket.Conn, _ *http.Request) {
		_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(3510, "kicked"), time.Now().Add(time.Minute))
	})
	_, err := c.Read()
	require.Equal(t, &CloseError{Code: 3510, Text: "kicked"}, err)
	require.EqualError(t, err, "closed by the server with 3510: kicked")
	require.EqualError(t, &CloseError{Code: 1005}, "closed by the server with 1005")
}

func TestAnEndWithoutGoodbyeIsNone(t *testing.T) {
	c := dialed(t, func(*websocket.Conn, *http.Request) {})
	_, err := c.Read()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func TestWhatIsNoFrameHasItsCode(t *testing.T) {
	for name, tt := range map[string]struct {
		kind int
		data []byte
		want error
	}{
		"text":     {websocket.TextMessage, wire.Append(nil, &wire.Logout{}), codes.ParseFailed},
		"garbage":  {websocket.BinaryMessage, []byte("?"), codes.ParseFailed},
		"too much": {websocket.BinaryMessage, make([]byte, 10*wire.MaxFrame), codes.FrameTooLarge},
	} {
		c := dialed(t, func(c *websocket.Conn, _ *http.Request) { _ = c.WriteMessage(tt.kind, tt.data) })
		_, err := c.Read()
		require.ErrorIs(t, err, tt.want, name)
	}
	c := dialed(t, func(c *websocket.Conn, _ *http.Request) { _, _ = c.NetConn().Write([]byte{0xff, 0x00}) }) // reserved bits
	_, err := c.Read()
	require.ErrorIs(t, err, codes.ParseFailed)
}

func TestReadHeedsItsDeadline(t *testing.T) {
	c := dialed(t, echo)
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Millisecond)))
	_, err := c.Read()
	var timeout net.Error
	require.True(t, errors.As(err, &timeout) && timeout.Timeout())
}

func TestCloseSaysGoodbye(t *testing.T) {
	got := make(chan error, 1)
	c := dialed(t, func(c *websocket.Conn, _ *http.Request) {
		_, _, err := c.ReadMessage()
		got <- err
	})
	require.NoError(t, c.Close(GoingAway, strings.Repeat("ä", 100)))
	require.Equal(t, &websocket.CloseError{Code: GoingAway, Text: strings.Repeat("ä", 61)}, <-got, "cut between characters")
	_, err := c.Read()
	require.Error(t, err)
	require.Error(t, c.Write(&wire.Logout{}))
}

func TestTheHandshakeAsksForTimAndHoldsNoMore(t *testing.T) {
	asked := make(chan *http.Request, 1)
	dialed(t, func(_ *websocket.Conn, r *http.Request) { asked <- r })
	r := <-asked
	require.Equal(t, "/tim", r.RequestURI)
	require.Equal(t, []string{wire.Subprotocol}, websocket.Subprotocols(r))
	require.Empty(t, r.Header["Authorization"])
	require.Empty(t, r.Header["Cookie"])
	require.Empty(t, r.Header["Origin"])
}

func TestDialHeedsItsContextAtEveryStage(t *testing.T) {
	nobody := func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	silent := func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() { _, _ = io.Copy(io.Discard, server) }() // hears everything and says nothing
		return client, nil
	}
	for _, tt := range []struct {
		name string
		o    DialOptions
		want Stage
	}{
		{"connecting", DialOptions{URL: "ws://tim.example", NetDial: nobody}, Connecting},
		{"securing", DialOptions{URL: "wss://tim.example", NetDial: silent}, Securing},
		{"upgrading", DialOptions{URL: "ws://tim.example", NetDial: silent}, Upgrading},
	} {
		for _, cancel := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				ctx, end := context.WithTimeout(t.Context(), 20*time.Millisecond)
				if cancel {
					end()
					ctx, end = context.WithCancel(t.Context())
					time.AfterFunc(20*time.Millisecond, end)
				}
				defer end()
				began := time.Now()
				_, err := Dial(ctx, tt.o)
				require.Equal(t, 20*time.Millisecond, time.Since(began), tt.name)
				var failed *DialError
				require.True(t, errors.As(err, &failed), tt.name)
				require.Equal(t, tt.want, failed.Stage, tt.name)
				var timeout net.Error
				if cancel {
					require.ErrorIs(t, err, context.Canceled, tt.name)
				} else {
					require.True(t, errors.As(err, &timeout) && timeout.Timeout(), tt.name)
				}
			})
		}
	}
}

func TestARefusedHandshakeSaysHow(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	_, err := Dial(t.Context(), DialOptions{URL: "ws" + s.URL[4:]})
	var failed *DialError
	require.True(t, errors.As(err, &failed))
	require.Equal(t, http.StatusServiceUnavailable, failed.Status)
	require.True(t, failed.HTML)
	require.ErrorContains(t, err, "WebSocket handshake: HTTP 503")
}
