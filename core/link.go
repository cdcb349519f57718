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

// A link is one connection, from the dial on. The loop owns it; what other goroutines touch says so.
type link struct {
	number  uint64
	hangUp  context.CancelFunc // ends the dial
	reached atomic.Bool        // set by the dial once there is a TCP connection
	began   moment             // the dial, or the present introduction

	conn    *ws.Conn      // nil while dialing
	request uint64        // number of the login or resume that is to be sent or awaits its answer
	resumes bool          // it is a resume
	rtt     time.Duration // from the introduction to its answer
	probing bool

	written chan struct{} // closed when the last frame was written, or will not be
	// retired is 0 while the loop wants frames, then the number of the logout request whose reply is still awaited, or
	// nothingAwaited. The reader gives true to confirmed for the reply, and closes it at the end.
	retired   atomic.Uint64
	confirmed chan bool
}

const nothingAwaited = math.MaxUint64

// dial starts a new connection, which will signal dialed or lost. The goroutine that dialed introduces the session, too: the
// server thinks while the loop is told. What it sends is known before; a ticket that is newer means another link.
func (e *engine) dial() {
	e.links++
	ctx, cancel := context.WithCancel(e.ctx)
	l := &link{number: e.links, hangUp: cancel, began: e.now, written: make(chan struct{}), confirmed: make(chan bool, 1)}
	e.link = l
	e.arm(alarmAttempt, dialTimeout)
	e.logf(codes.LogDebug, "link=%d dial=%s", l.number, e.opts.URL)
	first, written := e.introduction(), l.written
	e.spawn("dial", func(t *task) {
		defer close(written)
		growStack()
		conn, err := ws.Dial(ctx, e.dialOptions(t, &l.reached))
		if err != nil {
			e.client.post(&signal{kind: lost, link: l.number, failure: dialFailure(err)})
			return
		}
		if !e.client.post(&signal{kind: dialed, link: l.number, conn: conn}) {
			_ = conn.Drop()
			return
		}
		// The loop has received the connection. If it gave the link up before that, it dropped the connection; if it does so
		// from now on, it takes the server to have been sent this frame.
		if l.retired.Load() != nothingAwaited {
			e.wrote(l, conn.WriteFirst(first))
		}
	})
}

// dialOptions may be called from any goroutine. reached, if not nil, is set when there is a TCP connection.
func (e *engine) dialOptions(t *task, reached *atomic.Bool) ws.DialOptions {
	return ws.DialOptions{URL: e.opts.URL, TLS: e.opts.TLS, NetDial: func(ctx context.Context, network, address string) (nc net.Conn, err error) {
		t.host(func() { nc, err = e.opts.NetDial(ctx, network, address) })
		if err == nil && reached != nil {
			reached.Store(true)
		}
		return nc, err
	}}
}

// listen reads the connection that was made, in a goroutine of its own: the one that dialed has a stack full of TLS.
func (e *engine) listen(conn *ws.Conn) {
	l := e.link
	l.hangUp() // the dial is over: its context is of no use any more
	l.conn = conn
	conn.Watch(
		func(clock []byte) { e.client.post(&signal{kind: heard, link: l.number, clock: clock}) },
		func() { e.client.post(&signal{kind: heard, link: l.number}) },
	)
	e.spawn("read", func(*task) {
		defer close(l.confirmed)
		for e.readFrame(l) {
		}
	})
}

// readFrame runs in the reader's goroutine and reports whether there may be another frame.
func (e *engine) readFrame(l *link) bool {
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
		e.client.post(s)
		return false
	}
	return e.client.post(&signal{kind: framed, link: l.number, frame: f})
}

// introduce awaits the answer to the first frame, which the goroutine that dialed sends, or sends another one.
func (e *engine) introduce() {
	e.link.began = e.now
	e.arm(alarmAttempt, answerTimeout)
	if e.state == authenticating {
		e.send(e.introduction())
	}
}

// introduction makes the first frame: the resume ticket, which costs the server least, or the ticket.
func (e *engine) introduction() wire.Frame {
	s, l := e.session, e.link
	e.requests++
	l.request, l.resumes = e.requests, len(s.resume) > 0
	if l.resumes {
		e.logf(codes.LogDebug, "link=%d resume session=%s", l.number, s.id)
		return &wire.Resume{Request: l.request, Version: wire.Version, Ticket: s.resume}
	}
	e.logf(codes.LogDebug, "link=%d login user=%s ticket=%s reconnect=%v", l.number, s.user, redact(s.ticket), s.loggedIn)
	return &wire.Login{
		Request: l.request, Version: wire.Version, App: e.opts.App, User: s.user, Ticket: s.ticket, Platform: e.opts.Platform,
		Instance: e.opts.Instance, Label: e.opts.Label, SDK: e.opts.SDK, Reconnect: s.loggedIn,
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
	e.client.post(&signal{kind: lost, link: l.number, failure: failure{code: code, text: clean(err.Error())}})
}

// hangUp gives the link up, in all its stages. What it signals from now on is late.
func (e *engine) hangUp() {
	l := e.link
	e.link = nil
	l.retired.Store(nothingAwaited)
	l.hangUp()
	if l.conn != nil {
		e.spawn("hang up", func(*task) { _ = l.conn.Close(ws.GoingAway, "") })
	}
}
