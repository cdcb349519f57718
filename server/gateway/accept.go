package gateway

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/opentim/tim/internal/ws"
)

const maxHead = 8 << 10 // bytes of a request's line and header

// Serve accepts connections from l until Close, which also closes l. It returns nil after Close.
func (g *Gateway) Serve(l net.Listener) error {
	g.mu.Lock()
	if g.closed {
		g.mu.Unlock()
		return l.Close()
	}
	g.listeners = append(g.listeners, l)
	g.mu.Unlock()

	pause := time.Duration(0)
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil { // most likely out of descriptors: what is open still works
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			g.log.Error("cannot accept connections", "error", err, "open", g.open.Load(), "pause", pause)
			time.Sleep(pause)
			continue
		}
		pause = 0
		if n := g.open.Add(1); g.o.MaxConnections > 0 && n > int64(g.o.MaxConnections) {
			g.counts.turnedAway.Add(1)
			g.noise.warn("too many connections: one was closed", "open", n-1)
			g.open.Add(-1)
			_ = nc.Close()
			continue
		}
		c := g.sit(nc)
		if !c.count() || !c.run(c.begin) {
			c.drop()
		}
	}
}

// begin reads the request and either upgrades the connection or gives it to the web.
func (c *conn) begin() {
	g := c.g
	c.startTimer(opening, g.o.FirstFrame)
	s := c.socket.Load()
	if s == nil {
		return
	}
	nc := s.raw
	if g.o.TLS != nil {
		secure := newSecure(s.raw, g.o.TLS)
		if err := secure.Handshake(); err != nil {
			c.explainTLS(s.raw, err)
			c.drop()
			return
		}
		nc = secure
	}
	head := heads.Get().(*bufio.Reader)
	head.Reset(nc)
	defer func() {
		head.Reset(nil)
		heads.Put(head)
	}()
	size, err := readHead(head)
	if err != nil {
		if errors.Is(err, bufio.ErrBufferFull) {
			_ = ws.Refuse(nc, http.StatusRequestHeaderFieldsTooLarge, nil, "the request's header is larger than 8 KB")
			c.hangUp(s.raw, nc)
			return
		}
		c.drop()
		return
	}
	if !forPath(head) {
		g.web.take(c, nc, head)
		return
	}
	if s.ws = c.upgrade(nc, head, size); s.ws != nil {
		c.arrive(s)
		return
	}
	c.hangUp(s.raw, nc)
}

var heads = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxHead) }}

// readHead waits until r holds the whole head of a request, with the empty line that ends it, and returns its size.
func readHead(r *bufio.Reader) (int, error) {
	for seen := 0; ; {
		if _, err := r.Peek(seen + 1); err != nil {
			return 0, err
		}
		data, _ := r.Peek(r.Buffered())
		from := max(seen-3, 0) // the end may have come in pieces
		for _, end := range []string{"\n\r\n", "\n\n"} {
			if i := bytes.Index(data[from:], []byte(end)); i >= 0 {
				return from + i + len(end), nil
			}
		}
		seen = len(data)
	}
}

// forPath reports whether the request whose head r holds asks for Path.
func forPath(r *bufio.Reader) bool {
	data, _ := r.Peek(r.Buffered())
	_, target, _ := bytes.Cut(data, []byte(" "))
	rest, ok := bytes.CutPrefix(target, []byte(Path))
	return ok && len(rest) > 0 && (rest[0] == ' ' || rest[0] == '?')
}

// upgrade answers the handshake, whose head is the first size bytes. It returns nil if it was refused; the client has been
// told why.
func (c *conn) upgrade(nc net.Conn, head *bufio.Reader, size int) *ws.ServerConn {
	g := c.g
	data, _ := head.Peek(size)
	req, err := parseRequest(data)
	if err != nil {
		_ = ws.Refuse(nc, http.StatusBadRequest, nil, "the request cannot be read: "+err.Error())
		return nil
	}
	defer req.free()
	switch {
	case head.Buffered() > size:
		_ = ws.Refuse(nc, http.StatusBadRequest, nil, "a client must wait for the answer before it sends frames")
		return nil
	case g.draining.Load():
		_ = ws.Refuse(nc, http.StatusServiceUnavailable, http.Header{"Retry-After": {"1"}}, "this node is stopping")
		return nil
	}
	if peer := c.remote; trusts(g.o.TrustedProxies, peer) {
		if c.remote = clientAddr(peer, req.Header, g.o.TrustedProxies); c.remote != peer && !c.count() {
			_ = ws.Refuse(nc, http.StatusTooManyRequests, http.Header{"Retry-After": {"10"}}, "too many connections from this address")
			return nil
		}
	}
	sc, err := g.upgrader.Upgrade(nc, &req.Request)
	if err != nil {
		g.noise.info("handshake refused", "client", c.remote, "error", err)
		return nil
	}
	return sc
}

// hangUp closes a connection that was told why. What the client still sends is read, a little and not for long: closing with
// unread bytes resets the connection, and the reset may overtake the reason.
func (c *conn) hangUp(raw, nc net.Conn) {
	c.startTimer(opening, linger)
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
	_, _ = io.CopyN(io.Discard, nc, 1<<20)
	c.drop()
}

// explainTLS tells a client that speaks HTTP to a TLS port, in HTTP.
func (c *conn) explainTLS(raw net.Conn, err error) {
	var record tls.RecordHeaderError
	if errors.As(err, &record) && record.Conn != nil && record.RecordHeader[0] >= 'A' && record.RecordHeader[0] <= 'Z' {
		_ = raw.SetWriteDeadline(time.Now().Add(c.g.o.WriteTimeout))
		_ = ws.Refuse(raw, http.StatusBadRequest, nil, "this port speaks TLS: use wss:// or https://")
	}
	c.g.noise.info("TLS handshake failed", "client", c.remote, "error", err)
}
