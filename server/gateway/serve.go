package gateway

import (
	"errors"
	"io"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

// open makes the connection wait for its first frame, in the goroutine that accepted it: usually the frame is there already.
func (c *conn) open(sc *ws.ServerConn) {
	c.mu.Lock()
	if c.phase != opening {
		c.mu.Unlock()
		return
	}
	c.ws, c.phase = sc, waiting
	c.mu.Unlock()
	c.startTimer(waiting, c.g.o.FirstFrame)

	f, err := sc.Read(false)
	if !c.took(f, err) || c.park() {
		return
	}
	// This goroutine's stack has grown over the handshake; a fresh one waits cheaper.
	if !c.g.run(c.serve) {
		c.drop()
	}
}

// serve reads frames until there are none and the connection is parked, or until it ends.
func (c *conn) serve() {
	for {
		f, err := c.ws.Read(c.parks())
		if !c.took(f, err) || c.park() {
			return
		}
	}
}

// took handles what was read and reports whether reading goes on.
func (c *conn) took(f wire.Frame, err error) bool {
	if err != nil {
		c.unreadable(err)
		return false
	}
	c.heard.Store(true)
	if f != nil { // a ping or a pong is no frame
		c.handle(f)
	}
	return true
}

// unreadable ends a connection from which nothing more can be read.
func (c *conn) unreadable(err error) {
	for _, code := range []codes.Code{codes.ParseFailed, codes.FrameTooLarge} {
		if errors.Is(err, code) {
			c.wrong(code, err.Error())
			_, _ = io.CopyN(io.Discard, c.raw, 1<<20) // see hangUp
		}
	}
	c.drop()
}

// wrong ends the connection of a client that does not speak the protocol.
func (c *conn) wrong(code codes.Code, what string) {
	if c.leave(nil) {
		c.reproach(code, what)
	}
}

// reproach closes the connection with a reason and writes one line about it, after leave.
func (c *conn) reproach(code codes.Code, what string) {
	g := &goodbye{close: code.CloseCode(), text: code.Text()}
	c.g.noise.warn("connection closed: "+code.Text(), "client", c.remote, "close", g.close, "detail", what)
	c.say(g)
}
