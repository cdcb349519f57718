package timtest

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// A Conn is the server's end of one WebSocket. Its methods may be called from any goroutine. What cannot be sent because
// the client is gone is dropped.
type Conn struct {
	N      int // counts connections from 1
	server *Server
	ws     *websocket.Conn
	done   chan struct{} // closed when nothing can be read any more

	writing sync.Mutex
	frozen  atomic.Bool

	mu     sync.Mutex
	frames []wire.Frame
	pongs  int
	closed error
}

// Serve is what becomes of a connection where OnConn is not set.
func (s *Server) Serve(n int, nc net.Conn) {
	defer nc.Close()
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	reader := bufio.NewReader(nc)
	request, err := http.ReadRequest(reader)
	if err != nil {
		return
	}
	first, header := s.first(n, request)
	if first != nil {
		time.Sleep(s.Delay)
	}
	ws, err := up.Upgrade(&hijacked{nc, reader, http.Header{}}, request, header)
	if err != nil {
		return
	}
	c := &Conn{N: n, server: s, ws: ws, done: make(chan struct{})}
	ws.SetPingHandler(func(payload string) error {
		if !c.frozen.Load() {
			_ = ws.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(time.Second))
		}
		return nil
	})
	ws.SetPongHandler(func(string) error {
		c.mu.Lock()
		c.pongs++
		c.mu.Unlock()
		return nil
	})
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	s.all.Go(c.pings)
	defer close(c.done)
	if first != nil {
		c.take(first)
	}
	for {
		_, data, err := ws.ReadMessage()
		if err != nil {
			c.mu.Lock()
			c.closed = err
			c.mu.Unlock()
			return
		}
		f, err := wire.Decode(data)
		if err != nil {
			c.Close(codes.ParseFailed.CloseCode(), err.Error())
			return
		}
		time.Sleep(s.Delay)
		c.take(f)
	}
}

// first returns the frame that came with the handshake and what the answer has to say of it, or nil and nil.
func (s *Server) first(n int, request *http.Request) (wire.Frame, http.Header) {
	value := request.Header.Get("Tim-First")
	if value == "" || s.NoFirst != nil && s.NoFirst(n) {
		return nil, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		panic(err)
	}
	f, err := wire.Decode(data)
	if err != nil {
		panic(err)
	}
	return f, http.Header{"Tim-First": {"taken"}}
}

func (c *Conn) take(f wire.Frame) {
	c.mu.Lock()
	c.frames = append(c.frames, f)
	c.mu.Unlock()
	if c.server.OnFrame == nil || !c.server.OnFrame(c, f) {
		c.server.answer(c, f)
	}
}

func (c *Conn) pings() {
	every := c.server.PingInterval
	if every < 0 {
		return
	}
	if every == 0 {
		every = 25 * time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-c.done:
			return
		case <-ticker.C:
			c.Ping()
		}
	}
}

// Send sends frames, after the server's Delay.
func (c *Conn) Send(frames ...wire.Frame) {
	for _, f := range frames {
		time.Sleep(c.server.Delay)
		c.SendRaw(websocket.BinaryMessage, wire.Append(nil, f))
	}
}

// SendRaw sends a message as it is.
func (c *Conn) SendRaw(kind int, data []byte) {
	if c.frozen.Load() {
		return
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.ws.WriteMessage(kind, data)
}

// Accept says yes to a login or a resume, with what change makes of the server's usual answer.
func (c *Conn) Accept(request uint64, change ...func(*wire.Accepted)) {
	f := c.server.accepted(request, uint64(c.N))
	for _, do := range change {
		do(f)
	}
	c.Send(f)
}

// Refuse says no to a login or a resume.
func (c *Conn) Refuse(request uint64, code codes.Code, retryAfter time.Duration) {
	c.Send(&wire.Refused{Request: request, Code: code, Text: code.Text(), RetryAfter: retryAfter.Milliseconds()})
}

// Ping sends a ping with the server's clock, after its Delay.
func (c *Conn) Ping() {
	var clock [8]byte
	binary.BigEndian.PutUint64(clock[:], uint64(c.server.Now().UnixMilli()))
	time.Sleep(c.server.Delay)
	c.PingWith(clock[:])
}

// PingWith sends a ping with any payload.
func (c *Conn) PingWith(payload []byte) {
	if !c.frozen.Load() {
		_ = c.ws.WriteControl(websocket.PingMessage, payload, time.Now().Add(time.Second))
	}
}

// Freeze makes the connection say nothing from now on, not even a pong, as if the network had gone away unnoticed.
func (c *Conn) Freeze() { c.frozen.Store(true) }

// Close says goodbye and closes the connection.
func (c *Conn) Close(code int, text string) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Now().Add(time.Second))
	c.Drop()
}

// Drop closes the connection without a word.
func (c *Conn) Drop() { _ = c.ws.Close() }

// Frames returns what the client sent.
func (c *Conn) Frames() []wire.Frame {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.frames)
}

// Pongs counts the pongs that the client sent.
func (c *Conn) Pongs() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pongs
}

// Closed returns why nothing more comes from the client, nil while something may.
func (c *Conn) Closed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// hijacked is what gorilla takes for net/http's connection.
type hijacked struct {
	conn   net.Conn
	reader *bufio.Reader
	header http.Header
}

func (h *hijacked) Header() http.Header       { return h.header }
func (*hijacked) Write(b []byte) (int, error) { return len(b), nil }
func (*hijacked) WriteHeader(int)             {}
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(h.reader, bufio.NewWriter(h.conn)), nil
}
