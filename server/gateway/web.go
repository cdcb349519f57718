package gateway

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// A web answers requests that are for no WebSocket, with net/http's server on connections whose first request was read
// already.
type web struct {
	g      *Gateway
	server *http.Server
	conns  chan net.Conn
	done   chan struct{}
	once   sync.Once
}

func newWeb(g *Gateway) *web {
	w := &web{g: g, conns: make(chan net.Conn), done: make(chan struct{})}
	w.server = &http.Server{
		Handler:           w.guarded(w.fromClients(g.o.HTTP)),
		ReadHeaderTimeout: g.o.FirstFrame,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    maxHead,
		ErrorLog:          slog.NewLogLogger(g.log.Handler(), slog.LevelDebug),
	}
	g.run(task{f: func() { _ = w.server.Serve(w) }})
	return w
}

// fromClients gives requests the address of the client instead of that of a trusted proxy, and no port.
func (w *web) fromClients(h http.Handler) http.Handler {
	trusted := w.g.o.TrustedProxies
	if len(trusted) == 0 {
		return h
	}
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
			r.RemoteAddr = netip.AddrPortFrom(clientAddr(peer.Addr().Unmap(), r.Header, trusted), 0).String()
		}
		h.ServeHTTP(out, r)
	})
}

// take gives a connection away. head holds its first bytes.
func (w *web) take(c *conn, nc net.Conn, head *bufio.Reader) {
	first, _ := head.Peek(head.Buffered())
	given := &webConn{Conn: nc, conn: c, first: append([]byte(nil), first...)}
	c.mu.Lock()
	c.stopTimer()
	c.mu.Unlock()
	select {
	case w.conns <- given:
	case <-w.done:
		c.drop()
	}
}

func (w *web) close() { _ = w.server.Close() }

// Accept, Close and Addr make a web the listener of its own server.
func (w *web) Accept() (net.Conn, error) {
	select {
	case c := <-w.conns:
		return c, nil
	case <-w.done:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (w *web) Close() error {
	w.once.Do(func() { close(w.done) })
	return nil
}

// Addr returns nothing of use.
func (w *web) Addr() net.Addr { return &net.TCPAddr{} }

// A webConn is a connection whose first bytes were read already.
type webConn struct {
	net.Conn
	conn  *conn
	first []byte
}

func (c *webConn) Read(p []byte) (int, error) {
	if len(c.first) > 0 {
		n := copy(p, c.first)
		c.first = c.first[n:]
		return n, nil
	}
	return c.Conn.Read(p)
}

// Close closes the connection, after what TLS has to say.
func (c *webConn) Close() error {
	err := c.Conn.Close()
	c.conn.drop()
	return err
}

var _ io.Reader = (*webConn)(nil)
