package conformance

import (
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/internal/wire"
)

// A conn is the server's end of one WebSocket.
type conn struct {
	server *server
	ws     *websocket.Conn // nil if it is ignored
	frozen atomic.Bool

	mu sync.Mutex // one writer at a time

	// The server's lock guards these.
	dialed bool    // nothing of it was heard yet
	heard  []heard // what is still to be told
}

// heard is a frame from a client.
type heard struct {
	words   []string
	request uint64
	at      time.Time
}

// ServeHTTP is what a client meets that connects.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.showing() {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("<html>Welcome to our hotel. Please log in.</html>"))
		return
	}
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	var first []string
	answer := http.Header{}
	if offered := r.Header["Tim-First"]; len(offered) > 0 && s.wantsEarly() {
		first = offered
		answer.Set("Tim-First", "taken")
	}
	ws, err := up.Upgrade(w, r, answer)
	if err != nil {
		return
	}
	defer ws.Close()
	c := &conn{server: s, ws: ws, dialed: true}
	ws.SetPingHandler(func(payload string) error {
		if !c.frozen.Load() {
			c.control(websocket.PongMessage, []byte(payload))
		}
		return nil
	})
	ws.SetPongHandler(func(string) error {
		s.hear(c, heard{words: []string{"pong"}, at: time.Now()})
		return nil
	})
	s.add(c)
	for _, text := range first {
		data, err := base64.RawURLEncoding.DecodeString(text)
		c.hear(data, err, "early=true")
	}
	for {
		_, data, err := ws.ReadMessage()
		if err != nil {
			return
		}
		c.hear(data, nil)
	}
}

// hear notes a frame, and more words about it.
func (c *conn) hear(data []byte, err error, more ...string) {
	var f wire.Frame
	if err == nil {
		f, err = wire.Decode(data)
	}
	switch {
	case c.frozen.Load():
	case err != nil:
		c.server.hear(c, heard{words: []string{"garbage", err.Error()}, at: time.Now()})
	default:
		c.server.hear(c, heard{append(words(f), more...), requestOf(f), time.Now()})
	}
}

func requestOf(f wire.Frame) uint64 {
	switch f := f.(type) {
	case *wire.Login:
		return f.Request
	case *wire.Resume:
		return f.Request
	case *wire.Renew:
		return f.Request
	case *wire.Logout:
		return f.Request
	}
	return 0
}

// send drops what cannot be sent because the client is gone already.
func (c *conn) send(kind int, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.ws.WriteMessage(kind, data)
}

func (c *conn) control(kind int, data []byte) {
	_ = c.ws.WriteControl(kind, data, time.Now().Add(time.Minute))
}

// ping carries the server's clock.
func (c *conn) ping(now time.Time) {
	c.control(websocket.PingMessage, binary.BigEndian.AppendUint64(nil, uint64(now.UnixMilli())))
}
