package gateway

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
	"github.com/opentim/tim/server"
)

const (
	// linger is how long a client may take to hang up after it was told to.
	linger = 2 * time.Second
	// holdBack is how long the answer to a handshake waits for the one to the first frame, so that both leave as one.
	holdBack = 50 * time.Millisecond
)

type phase uint8

const (
	opening   phase = iota // the handshake is under way
	waiting                // for a login or a resume
	answering              // a login or a resume is with Sessions
	online                 // signed in
	closing                // the close frame is out; frames are discarded until the client hangs up
	closed
)

// A conn is one connection, from its acceptance to its end. One goroutine at a time reads from it (serve); mu orders the
// changes of phase, which may come from anywhere.
type conn struct {
	g      *Gateway
	socket atomic.Pointer[socket] // nil once closed: Sessions may remember a conn for long
	remote netip.Addr
	place  place
	timer  server.Timer

	since  uint32      // Unix seconds; owned by the reader
	frames uint32      // since then; owned by the reader
	heard  atomic.Bool // something came since the last ping
	pinged bool        // an answer is due; owned by the timer
	tries  uint8       // refusals so far; owned by the reader
	early  bool        // the first frame came with the handshake, and is being read; owned by the reader

	mu      sync.Mutex
	phase   phase
	timed   phase        // what the timer was started for
	counted bool         // for its address
	held    *server.Held // while the phase is online
	ticking func()       // tick, made once
	after   *goodbye     // said while the answer to a handshake or a login was on its way: it comes after it
}

var _ server.Conn = (*conn)(nil)

// A socket is what a conn reads from and writes to.
type socket struct {
	raw net.Conn       // the TCP connection
	ws  *ws.ServerConn // set before the phase is waiting, then never changed
	fd  int32          // raw's descriptor once the connection was parked, before -1; guarded by the conn's mu
}

// A goodbye is the last that a client hears.
type goodbye struct {
	frame wire.Frame // nil for none
	close int
	text  string
}

// sit makes the conn of an accepted connection.
func (g *Gateway) sit(nc net.Conn) *conn {
	c := &conn{g: g}
	c.socket.Store(&socket{raw: nc, fd: -1})
	if tcp, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		c.remote = tcp.AddrPort().Addr().Unmap()
	}
	g.seats.take(c)
	return c
}

// RemoteAddr returns the client's address.
func (c *conn) RemoteAddr() netip.Addr { return c.remote }

// Kick tells the client why its session ended and closes the connection.
func (c *conn) Kick(k server.Kick) {
	c.farewell(&goodbye{
		frame: &wire.Kicked{
			Reason: k.Reason, Code: k.Code, ByPlatform: k.ByPlatform, ByLabel: k.ByLabel, At: k.At.UnixMilli(),
		},
		close: k.Code.CloseCode(),
		text:  k.Code.Text(),
	})
}

// TicketExpiring tells the client how long its ticket is valid.
func (c *conn) TicketExpiring(at time.Time) {
	c.run(func() { c.write(&wire.Ticket{Expires: at.UnixMilli()}) })
}

// TicketExpired tells the client that its session ended with its ticket and closes the connection.
func (c *conn) TicketExpired(at time.Time) {
	c.farewell(&goodbye{
		frame: &wire.Ticket{Expires: at.UnixMilli(), Expired: true},
		close: codes.TicketExpired.CloseCode(),
		text:  codes.TicketExpired.Text(),
	})
}

// Moved closes the connection: its session lives on a newer one.
func (c *conn) Moved() { c.end() }

// write sends a frame.
func (c *conn) write(f wire.Frame) {
	if s := c.socket.Load(); s != nil {
		c.written(s.ws.Write(f))
	}
}

// written looks at what came of a write: a client that cannot be written to is lost. What comes after a goodbye is not sent, and
// must not cut it short.
func (c *conn) written(err error) {
	if err != nil && !errors.Is(err, ws.ErrCloseSent) {
		c.drop()
	}
}

// farewell says goodbye, from a goroutine of its own, to a client whose session ended. Sessions, which calls, has nothing to
// lose any more and must not be called on its own stack.
func (c *conn) farewell(g *goodbye) {
	if _, left := c.part(g); left {
		c.sayLater(g)
	}
}

// leave turns the phase to closing, gives up the session and reports whether it did.
func (c *conn) leave(g *goodbye) bool {
	held, left := c.part(g)
	c.lost(held)
	return left
}

// part turns the phase to closing and reports whether it did, and what session the connection had. Frames that come from now
// on are discarded. While the connection is opening or a login is being answered, the goodbye has to wait.
func (c *conn) part(g *goodbye) (held *server.Held, left bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase == opening || c.phase == answering {
		c.after = g
	}
	if c.phase != waiting && c.phase != online {
		return nil, false
	}
	c.stopTimer() // it would cut the goodbye short
	held = c.held
	c.phase, c.held = closing, nil
	return held, true
}

// sayLater is say from a goroutine of its own.
func (c *conn) sayLater(g *goodbye) {
	if !c.run(func() { c.say(g) }) {
		c.drop()
	}
}

// say writes a goodbye, after part or leave. The client then has linger to hang up.
func (c *conn) say(g *goodbye) {
	if g.frame != nil {
		c.write(g.frame)
	}
	if s := c.socket.Load(); s != nil {
		c.written(s.ws.WriteClose(g.close, g.text))
	}
	c.startTimer(closing, linger)
}

// drop ends the connection at once and gives up its session. It never waits.
func (c *conn) drop() { c.lost(c.end()) }

// end ends the connection at once and returns the session that it had.
func (c *conn) end() *server.Held {
	c.mu.Lock()
	if c.phase == closed {
		c.mu.Unlock()
		return nil
	}
	held := c.held
	c.phase, c.held = closed, nil
	_ = c.socket.Swap(nil).raw.Close() // under mu: a descriptor is not armed after it was closed
	counted := c.counted
	c.mu.Unlock()
	if counted {
		c.g.addresses.leave(c.remote)
	}

	c.g.wheel.Cancel(&c.timer)
	c.g.seats.leave(c.place)
	c.g.open.Add(-1)
	return held
}

// lost tells Sessions that a session has no connection any more.
func (c *conn) lost(h *server.Held) {
	if h != nil {
		c.g.sessions.Lost(h)
	}
}
