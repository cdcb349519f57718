package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// connected returns a link to a WebSocket server that runs serve.
func connected(t *testing.T, serve func(conn *websocket.Conn)) *link {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{Subprotocols: []string{"tim.v1"}}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		serve(conn)
	}))
	t.Cleanup(s.Close)
	addr := s.Listener.Addr().String()
	d, err := newDialer(addr, nil)
	require.NoError(t, err)
	l := newLink()
	require.NoError(t, l.open(t.Context(), d, upgradeRequest(addr, "/tim", "tim.v1")))
	t.Cleanup(l.hangUp)
	return l
}

func TestMessagesOfAnySizeGoBothWays(t *testing.T) {
	l := connected(t, func(conn *websocket.Conn) {
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil || conn.WriteMessage(kind, message) != nil {
				return
			}
		}
	})
	for _, size := range []int{0, 1, 125, 126, 127, 5000, 65535} {
		sent := bytes.Repeat([]byte{7}, size)
		require.NoError(t, l.write(opBinary, sent))
		op, got, err := l.read()
		require.NoError(t, err)
		require.EqualValues(t, opBinary, op)
		require.True(t, bytes.Equal(sent, got), "%d bytes", size)
	}
}

func TestPingsAreAnswered(t *testing.T) {
	answered := make(chan string, 1)
	l := connected(t, func(conn *websocket.Conn) {
		conn.SetPongHandler(func(data string) error {
			answered <- data
			return conn.WriteMessage(websocket.BinaryMessage, []byte("after"))
		})
		if conn.WriteMessage(websocket.PingMessage, []byte("12:00")) == nil {
			conn.ReadMessage()
		}
	})
	_, message, err := l.read()
	require.NoError(t, err)
	require.Equal(t, "after", string(message))
	require.Equal(t, "12:00", <-answered)
}

func TestACloseFrameSaysWhy(t *testing.T) {
	l := connected(t, func(conn *websocket.Conn) {
		conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(3510, "kicked"))
		conn.ReadMessage()
	})
	_, _, err := l.read()
	var closed *closedError
	require.ErrorAs(t, err, &closed)
	require.Equal(t, closedError{3510, "kicked"}, *closed)
}

func TestAnUpgradeThatIsRefusedSaysSo(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	addr := s.Listener.Addr().String()
	d, err := newDialer(addr, nil)
	require.NoError(t, err)
	err = newLink().open(t.Context(), d, upgradeRequest(addr, "/", ""))
	require.ErrorContains(t, err, "404")
}

func TestAServerSaysWhetherItTookTheFirstFrame(t *testing.T) {
	for _, takes := range []bool{true, false} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer := http.Header{}
			if takes && r.Header.Get("Tim-First") == "aGVsbG8" {
				answer.Set("Tim-First", "taken")
			}
			up := websocket.Upgrader{Subprotocols: []string{"tim.v1"}}
			if conn, err := up.Upgrade(w, r, answer); err == nil {
				conn.Close()
			}
		}))
		defer s.Close()
		addr := s.Listener.Addr().String()
		d, err := newDialer(addr, nil)
		require.NoError(t, err)
		l := newLink()
		require.NoError(t, l.open(t.Context(), d, carrying(upgradeRequest(addr, "/tim", "tim.v1"), []byte("hello"))))
		require.Equal(t, takes, l.taken)
		l.hangUp()
	}
}

func TestAMessageIsAtMostAFrame(t *testing.T) {
	require.Panics(t, func() { appendMessage(nil, opBinary, []byte(strings.Repeat("x", 1<<16))) })
}
