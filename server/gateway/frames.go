package gateway

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server"
)

// maxTries is how many refusals a connection may collect.
const maxTries = 10

// handle answers a frame. The reader calls it.
func (c *conn) handle(f wire.Frame) {
	c.mu.Lock()
	phase, held := c.phase, c.held
	c.mu.Unlock()
	if phase >= closing {
		return
	}
	signedIn := phase == online
	switch f := f.(type) {
	case *wire.Unknown:
	case *wire.Login:
		if !signedIn {
			c.login(f)
			return
		}
		c.wrong(codes.InvalidOperation, "a login on a connection that is signed in")
	case *wire.Resume:
		if !signedIn {
			c.resume(f)
			return
		}
		c.wrong(codes.InvalidOperation, "a resume on a connection that is signed in")
	case *wire.Logout:
		if signedIn || c.tries > 0 { // it may have been sent before the login was refused
			c.logout(f)
			return
		}
		c.wrong(codes.InvalidOperation, "a logout before a login")
	case *wire.Renew, *wire.Call:
		if signedIn {
			c.request(f, held)
			return
		}
		c.wrong(codes.InvalidOperation, fmt.Sprintf("%T before a login", f))
	default:
		c.wrong(codes.InvalidOperation, fmt.Sprintf("%T from a client", f))
	}
}

func (c *conn) login(f *wire.Login) {
	c.admit(f.Request, f.Version, func() (server.Grant, error) {
		return c.g.sessions.Login(c.g.ctx, c, server.LoginRequest{
			App: f.App, User: f.User, Ticket: f.Ticket, Platform: f.Platform,
			Instance: f.Instance, Label: f.Label, SDK: f.SDK, Reconnect: f.Reconnect,
		})
	})
}

func (c *conn) resume(f *wire.Resume) {
	c.admit(f.Request, f.Version, func() (server.Grant, error) {
		return c.g.sessions.Resume(c.g.ctx, c, f.Ticket)
	})
}

// admit asks Sessions for a session and answers the client.
func (c *conn) admit(request, version uint64, ask func() (server.Grant, error)) {
	if err := c.g.admissible(version); err != nil {
		c.refuse(request, err)
		return
	}
	if c.forgotten() || !c.turn(waiting, answering) {
		return
	}
	if c.early {
		c.startTimer(answering, holdBack)
	}
	grant, err := ask()
	if err != nil {
		if c.turn(answering, waiting) {
			c.refuse(request, err)
		}
		c.catchUp()
		return
	}
	c.mu.Lock()
	admitted := c.phase == answering
	if admitted {
		c.phase, c.held = online, grant.Held
	}
	c.mu.Unlock()
	if !admitted { // the client hung up meanwhile
		c.lost(grant.Held)
		return
	}
	c.write(&wire.Accepted{
		Request: request, Session: grant.Session, LoginSeq: grant.LoginSeq, ServerTime: time.Now().UnixMilli(),
		TicketExpires: grant.TicketExpires.UnixMilli(), PingInterval: c.g.o.PingInterval.Milliseconds(),
		ReconnectWindow: c.g.reconnectWindow().Milliseconds(), ResumeTicket: grant.ResumeTicket, Repeat: grant.Repeat,
	})
	c.startPings()
	c.catchUp()
}

// forgotten drops a connection whose client has hung up already, perhaps long ago, while this process or the network stood
// still: its login would come after the one that the client made since, and push that out.
func (c *conn) forgotten() bool {
	s := c.socket.Load()
	if s == nil || !hungUp(s.raw) {
		return false
	}
	c.drop()
	return true
}

// admissible reports why nobody is admitted now, as a *server.Refusal.
func (g *Gateway) admissible(version uint64) error {
	if version != wire.Version {
		return &server.Refusal{
			Code: codes.NotSupported,
			Text: fmt.Sprintf("this server speaks version %d of the protocol, not %d", wire.Version, version),
		}
	}
	if g.draining.Load() {
		return &server.Refusal{Code: codes.ServiceNotReady, Text: "this node is stopping", RetryAfter: time.Second}
	}
	if ok, wait := g.admission.allow(time.Now()); !ok {
		g.counts.overloaded.Add(1)
		return &server.Refusal{Code: codes.Overloaded, Text: codes.Overloaded.Text(), RetryAfter: wait}
	}
	return nil
}

// refuse tells the client why it is not signed in. It may try again on the same connection, a few times.
func (c *conn) refuse(request uint64, err error) {
	r := refusal(err)
	if r.Code == codes.ServerInternal {
		c.g.log.Error("login failed", "client", c.remote, "error", err)
	}
	out := &wire.Refused{Request: request, Code: r.Code, Text: r.Text, RetryAfter: ceilMilliseconds(r.RetryAfter)}
	if k := r.Kick; k != nil {
		out.Reason, out.ByPlatform, out.ByLabel, out.At = k.Reason, k.ByPlatform, k.ByLabel, k.At.UnixMilli()
	}
	c.startTimer(waiting, c.g.o.FirstFrame)
	c.write(out)
	if c.tries++; c.tries >= maxTries {
		c.wrong(codes.InvalidOperation, "too many refused logins")
	}
}

// refusal returns err as what a client may be told.
func refusal(err error) *server.Refusal {
	var r *server.Refusal
	if errors.As(err, &r) {
		return r
	}
	return &server.Refusal{Code: codes.ServerInternal, Text: codes.ServerInternal.Text()}
}

// request answers what a signed-in client asks for.
func (c *conn) request(f wire.Frame, held *server.Held) {
	switch f := f.(type) {
	case *wire.Renew:
		grant, err := c.g.sessions.Renew(c.g.ctx, held, f.Ticket)
		if err != nil {
			r := refusal(err)
			c.write(&wire.Reply{Request: f.Request, Code: r.Code, Text: r.Text})
			return
		}
		c.write(&wire.Reply{
			Request: f.Request, TicketExpires: grant.TicketExpires.UnixMilli(), ResumeTicket: grant.ResumeTicket,
		})
	case *wire.Call:
		c.write(&wire.Reply{Request: f.Request, Code: codes.NotSupported, Text: codes.NotSupported.Text()})
	}
}

// logout ends the session, if there is one, and the connection.
func (c *conn) logout(f *wire.Logout) {
	held, left := c.part(nil)
	if !left {
		return
	}
	if held != nil {
		if err := c.g.sessions.Logout(c.g.ctx, held); err != nil {
			c.g.log.Warn("a logout has not reached the registry yet", "client", c.remote, "error", err)
		}
	}
	c.say(&goodbye{frame: &wire.Reply{Request: f.Request}, close: 1000, text: "logged out"})
}

// turn changes the phase and reports whether it was from.
func (c *conn) turn(from, to phase) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.phase != from {
		return false
	}
	c.phase = to
	return true
}

// catchUp says the goodbye that had to wait.
func (c *conn) catchUp() {
	c.mu.Lock()
	after := c.after
	c.after = nil
	c.mu.Unlock()
	if after != nil && c.leave(after) {
		c.say(after)
	}
}

func ceilMilliseconds(d time.Duration) int64 {
	return int64(math.Ceil(float64(d) / float64(time.Millisecond)))
}
