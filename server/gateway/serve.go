package gateway

import (
	"errors"
	"io"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// arrive makes the connection wait for its first frame, in the goroutine that accepted it: usually the frame is there already.
func (c *conn) arrive(s *socket) {
	if !c.turn(opening, waiting) {
		return
	}
	c.catchUp()
	early := s.ws.Early()
	if c.early = early; !early {
		c.startTimer(waiting, c.g.o.FirstFrame)
	}
	f, err := s.ws.Read(false)
	goesOn := c.took(s, f, err)
	if early { // the frame may have been one that nobody answers
		c.early = false
		c.startTimer(waiting, c.g.o.FirstFrame)
		c.flush()
	}
	if !goesOn || c.park(s) {
		return
	}
	// This goroutine's stack has grown over the handshake; a fresh one waits cheaper.
	if !c.runFresh(func() { c.serve(s) }) {
		c.drop()
	}
}

// flush sends the answer to the handshake if it still waits for the one to the first frame.
func (c *conn) flush() {
	if s := c.socket.Load(); s != nil {
		c.written(s.ws.Flush())
	}
}

// serve reads frames until there are none and the connection is parked, or until it ends.
func (c *conn) serve(s *socket) {
	for {
		f, err := s.ws.Read(true)
		if !c.took(s, f, err) || c.park(s) {
			return
		}
	}
}

// took handles what was read and reports whether reading goes on.
func (c *conn) took(s *socket, f wire.Frame, err error) bool {
	if err != nil {
		c.unreadable(s, err)
		return false
	}
	c.heard.Store(true)
	if c.flooding() {
		if c.leave(nil) {
			c.g.counts.flooding.Add(1)
			c.reproach(codes.InvalidOperation, "too many frames")
		}
		return true // what comes until it hangs up is discarded
	}
	if f != nil { // a ping or a pong is no frame
		c.handle(f)
	}
	return true
}

// unreadable ends a connection from which nothing more can be read.
func (c *conn) unreadable(s *socket, err error) {
	defer s.ws.Release()
	for _, code := range []codes.Code{codes.ParseFailed, codes.FrameTooLarge} {
		if errors.Is(err, code) {
			c.wrong(code, err.Error())
			_, _ = io.CopyN(io.Discard, s.raw, 1<<20) // see hangUp
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
