package core

import (
	"context"
	"errors"
	"math"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

const (
	dialTimeout   = 10 * time.Second // of one connection: name lookup, TCP, TLS, WebSocket
	answerTimeout = 10 * time.Second // of the server, for a login, a resume
)

// A link is one connection, from the dial on. The engine's steps own it; what other goroutines touch says so.
type link struct {
	number  uint64
	hangUp  context.CancelFunc // ends the dial
	reached atomic.Bool        // set by the dial once there is a TCP connection: from then on the server may have been told
	began   moment             // the dial, or the present introduction

	conn     *ws.Conn      // set by the dial before it signals dialed and closes written
	up       bool          // conn is there, and in use
	request  uint64        // number of the login or resume that is to be sent or awaits its answer
	resumes  bool          // it is a resume
	answered bool          // the server has said yes or no to it
	rtt      time.Duration // from the introduction to its answer
	probing  bool

	written chan struct{} // closed when the last frame was written, or will not be
	// retired is 0 while the engine wants frames, then the number of the logout request whose reply is still awaited, or
	// nothingAwaited. The reader gives true to confirmed for the reply, and closes it at the end.
	retired   atomic.Uint64
	confirmed chan bool
}

const nothingAwaited = math.MaxUint64

// astrayFor is how long a login that was sent over a connection that was given up may still reach the server, after the
// one that was sent since: systems go on for a minute or two to deliver what they were given.
const astrayFor = 2 * time.Minute

// dial starts a new connection, which will signal dialed or lost. What introduces the session is known before, and offered
// within the handshake: a ticket that is newer means another link.
func (e *engine) dial() {
	e.links++
	ctx, cancel := context.WithCancel(e.ctx)
	l := &link{number: e.links, hangUp: cancel, began: e.now, written: make(chan struct{}), confirmed: make(chan bool, 1)}
	e.link = l
	e.arm(alarmAttempt, dialTimeout)
	e.logf(codes.LogDebug, "link=%d dial=%s", l.number, e.opts.URL)
	first, written := e.introduction(), l.written
	e.spawn("dial", func(t *task) {
		defer e.client.outbox.deliver() // at the end: the host may take its time
		handedOn := false
		defer func() {
			if !handedOn {
				close(l.confirmed)
			}
		}()
		if e.connect(ctx, t, l, first, written) && e.readFrame(l, true) {
			handedOn = true
			go e.guarded("read", func(*task) { e.readAll(l) }) // this goroutine's stack is full of TLS
		}
	})
}

// connect runs in the dial's goroutine, which reads the first answer, too: another one would have to be woken for it. It
// reports whether there is something to read.
func (e *engine) connect(ctx context.Context, t *task, l *link, first wire.Frame, written chan<- struct{}) bool {
	defer close(written)
	growStack()
	o := e.dialOptions(t, l)
	o.First = first
	conn, err := ws.Dial(ctx, o)
	l.hangUp() // the dial is over: its context is of no use any more
	if err != nil {
		e.post(&signal{kind: lost, link: l.number, failure: dialFailure(err)})
		return false
	}
	conn.Watch(
		func(clock []byte) { e.post(&signal{kind: heard, link: l.number, clock: clock}) },
		func() { e.post(&signal{kind: heard, link: l.number}) },
	)
	l.conn = conn
	inUse := e.post(&signal{kind: dialed, link: l.number}) && l.up
	switch retired := l.retired.Load(); {
	case inUse && !conn.FirstTaken() && retired != nothingAwaited:
		// If the engine gives the link up from now on, it takes the server to have been sent this frame.
		e.wrote(l, conn.WriteFirst(first))
	case !inUse && (!conn.FirstTaken() || retired == nothingAwaited):
		_ = conn.Drop()
		return false
	}
	return true
}

// dialOptions may be called from any goroutine. l is the link that is dialed, or nil.
func (e *engine) dialOptions(t *task, l *link) ws.DialOptions {
	return ws.DialOptions{URL: e.opts.URL, TLS: e.opts.TLS, NetDial: func(ctx context.Context, network, address string) (nc net.Conn, err error) {
		t.host(func() { nc, err = e.opts.NetDial(ctx, network, address) })
		if err != nil || l == nil {
			return nc, err
		}
		// Either part sees that the server may have been told, or the server is not told.
		if l.reached.Store(true); l.retired.Load() != 0 {
			_ = nc.Close()
			return nil, context.Canceled
		}
		return nc, nil
	}}
}

// listen takes the connection that was made.
func (e *engine) listen() { e.link.up = true }

// readAll runs in the reader's goroutine.
func (e *engine) readAll(l *link) {
	defer close(l.confirmed)
	for e.readFrame(l, false) {
	}
}

// readFrame reports whether there may be another frame. It may be called from one goroutine at a time. delivers says that
// this goroutine calls outbox.deliver afterwards.
func (e *engine) readFrame(l *link, delivers bool) bool {
	f, err := l.conn.Read()
	switch awaited := l.retired.Load(); {
	case awaited != 0:
		reply, ok := f.(*wire.Reply)
		if ok && reply.Request == awaited {
			l.confirmed <- true
			return false
		}
		return err == nil
	case err != nil:
		s := &signal{kind: lost, link: l.number}
		var stop bool
		if s.failure, stop = readFailure(err); stop {
			s.kind = stopped
		}
		e.post(s)
		return false
	}
	return e.post(&signal{kind: framed, link: l.number, frame: f, delivers: delivers})
}

// introduce awaits the answer to the first frame, which the goroutine that dialed sends, or sends another one.
func (e *engine) introduce() {
	l := e.link
	l.began = e.now
	if l.conn.FirstTaken() && e.state == dialing { // it was sent a while ago
		l.began = e.now.add(-time.Since(l.conn.Asked()))
	}
	e.arm(alarmAttempt, answerTimeout)
	if e.state == authenticating {
		e.send(e.introduction())
	}
}

// introduction makes the first frame: the resume ticket, which costs the server least, or the ticket.
func (e *engine) introduction() wire.Frame {
	s, l := e.session, e.link
	e.requests++
	l.request, l.resumes, l.answered = e.requests, len(s.resume) > 0, false
	if l.resumes {
		e.logf(codes.LogDebug, "link=%d resume session=%s", l.number, s.id)
		return &wire.Resume{Request: l.request, Version: wire.Version, Ticket: s.resume}
	}
	e.logf(codes.LogDebug, "link=%d login user=%s ticket=%s reconnect=%v", l.number, s.user, redact(s.ticket), s.loggedIn)
	return &wire.Login{
		Request: l.request, Version: wire.Version, App: e.opts.App, User: s.user, Ticket: s.ticket, Platform: e.opts.Platform,
		Instance: e.opts.Instance, Label: e.opts.Label, SDK: e.opts.SDK, Reconnect: s.loggedIn && !s.anew,
	}
}

// send writes f after the frames that were sent before, in a goroutine of its own.
func (e *engine) send(f wire.Frame) {
	l, before, written := e.link, e.link.written, make(chan struct{})
	l.written = written
	e.spawn("write", func(*task) {
		defer close(written)
		<-before
		e.wrote(l, l.conn.Write(f))
	})
}

// wrote signals lost if err says so. It may be called from any goroutine.
func (e *engine) wrote(l *link, err error) {
	if err == nil {
		return
	}
	code := codes.Disconnected
	if errors.Is(err, os.ErrDeadlineExceeded) {
		code = codes.SendTimeout
	}
	e.post(&signal{kind: lost, link: l.number, failure: failure{code: code, text: clean(err.Error())}})
}

// noteAstray notes that a login is on its way over a link that is given up.
func (e *engine) noteAstray(l *link) {
	if !l.resumes && !l.answered && (l.up || l.reached.Load()) {
		e.astray = e.now.add(astrayFor)
	}
}

// hangUp gives the link up, in all its stages. What it signals from now on is late.
func (e *engine) hangUp() {
	l := e.link
	e.link = nil
	l.retired.Store(nothingAwaited) // before it is asked how far the dial came, see dialOptions
	e.noteAstray(l)
	l.hangUp()
	if l.up { // otherwise the dial will drop it
		e.spawn("hang up", func(*task) { _ = l.conn.Close(ws.GoingAway, "") })
	}
}
