package core

import (
	"context"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

const (
	maxPartings   = 8 // farewells at a time; a logout beyond that ends here only
	farewellPause = 500 * time.Millisecond
)

// part ends the session here and tells the server, in a goroutine of its own, which signals parted when the server has
// confirmed it or cannot be told in time.
func (e *engine) part(s *signal) {
	var k *call // who is told that the server knows
	if s.kind == logout {
		k = s.call
	}
	if s.call != nil && !e.session.loggedIn {
		s.failure = failure{code: codes.LoggedOutBeforeLoginFinished}
	}
	if s.kind == timedOut {
		e.down = s.failure
	}
	e.requests++
	request, known := e.requests, false
	if e.link != nil {
		e.link.retired.Store(request)
		known = e.link.reached.Load() // and so the server may have been sent a login or a resume
	}
	resume := e.session.resume
	if !known && len(resume) == 0 || e.partings == maxPartings {
		e.end(s)
		if k != nil {
			e.settle(k, LoginResult{}, failure{})
		}
		return
	}
	var l *link
	if known {
		l, e.link = e.link, nil
		e.noteAstray(l) // the farewell may not arrive either
	}
	e.end(s)
	e.partings++
	e.spawn("farewell", func(t *task) {
		ctx, cancel := context.WithTimeout(e.ctx, e.opts.LogoutTimeout)
		defer cancel()
		if l == nil || !l.logOut(ctx, request) {
			e.logOutByResume(ctx, t, resume)
		}
		e.post(&signal{kind: parted, call: k})
	})
}

// logOut ends the session over the link that has it, hangs up, and reports whether the server has confirmed it. If the link
// is still being dialed, that goes on: the server may have taken the login from the handshake.
func (l *link) logOut(ctx context.Context, request uint64) bool {
	if !l.up {
		stop := context.AfterFunc(ctx, l.hangUp)
		<-l.written
		if stop(); l.conn == nil {
			return false
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = l.conn.Drop() })
	defer stop()
	<-l.written // what was sent before may be stuck
	if l.conn.Write(&wire.Logout{Request: request}) != nil {
		_ = l.conn.Drop()
		return false
	}
	confirmed := <-l.confirmed
	_ = l.conn.Close(ws.NormalClosure, "")
	return confirmed
}

// logOutByResume ends a session whose connection is lost: it comes back for it and logs it out, for as long as ctx allows.
func (e *engine) logOutByResume(ctx context.Context, t *task, resume []byte) {
	for len(resume) > 0 && ctx.Err() == nil && !e.resumeAndLogOut(ctx, t, resume) {
		select {
		case <-ctx.Done():
		case <-time.After(farewellPause):
		}
	}
}

// resumeAndLogOut reports whether there is nothing left to do.
func (e *engine) resumeAndLogOut(ctx context.Context, t *task, resume []byte) bool {
	conn, err := ws.Dial(ctx, e.dialOptions(t, nil))
	if err != nil {
		return false
	}
	defer conn.Drop()
	stop := context.AfterFunc(ctx, func() { _ = conn.Drop() })
	defer stop()
	err = conn.Write(&wire.Resume{Request: 1, Version: wire.Version, Ticket: resume})
	for err == nil {
		var f wire.Frame
		if f, err = conn.Read(); err != nil {
			break
		}
		switch f := f.(type) {
		case *wire.Accepted:
			err = conn.Write(&wire.Logout{Request: 2})
		case *wire.Reply, *wire.Kicked:
			_ = conn.Close(ws.NormalClosure, "")
			return true
		case *wire.Refused:
			return !f.Code.Retry() // otherwise there is no such session any more
		}
	}
	return false
}
