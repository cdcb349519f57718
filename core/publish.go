package core

import (
	"fmt"
	"slices"
	"strings"

	"github.com/opentim/tim/codes"
)

// view is what the getters answer, as it follows from the state.
func (e *engine) view() Snapshot {
	v := *e.client.snapshot.Load()
	v.Status, v.Connection, v.Ready, v.User = codes.LoggedOut, codes.StateDisconnected, false, ""
	if e.session != nil {
		v.Status = codes.LoggingIn
		if e.session.loggedIn {
			v.Status, v.Ready, v.User = codes.LoggedIn, true, e.session.user
		}
	}
	switch e.state {
	case dialing, authenticating:
		v.Connection = codes.StateConnecting
	case online:
		v.Connection = codes.StateConnected
	}
	if t := e.client.time.Load(); t != nil {
		v.ClockOffset, v.ClockKnown = t.offset(e.now), true
	}
	return v
}

// publish tells what a step has changed: first the getters, then the events, then the answers of calls.
func (e *engine) publish() {
	was, is := *e.client.snapshot.Load(), e.view()
	if is != was {
		stored := is
		e.client.snapshot.Store(&stored)
		e.task.host(func() { e.opts.OnState(is) })
	}
	events := e.told
	if is.Connection == codes.StateConnected {
		events = append(events, e.connectionEvent(was, is)...)
	}
	if is.Status != was.Status {
		events = append(events, Event{Kind: codes.EventLoginStatus, Status: is.Status})
	}
	if is.Ready != was.Ready {
		events = append(events, Event{Kind: codes.EventReady, Ready: is.Ready})
	}
	if is.Connection != codes.StateConnected {
		events = append(events, e.connectionEvent(was, is)...)
	}
	settled := e.settled
	e.told, e.settled, e.down = nil, nil, failure{}
	for _, ev := range events {
		e.tell(ev)
	}
	for _, k := range settled {
		if k.direct {
			k.finish()
		} else {
			e.news = append(e.news, item{call: k})
		}
	}
}

func (e *engine) connectionEvent(was, is Snapshot) []Event {
	if is.Connection == was.Connection {
		return nil
	}
	switch is.Connection {
	case codes.StateConnecting:
		return []Event{{Kind: codes.EventConnecting}}
	case codes.StateConnected:
		return []Event{{Kind: codes.EventConnected, Resumed: was.Status == codes.LoggedIn}}
	}
	return []Event{{Kind: codes.EventDisconnected, Code: e.down.code, Text: e.down.words()}}
}

func (e *engine) tell(ev Event) { e.news = append(e.news, item{event: ev}) }

// logf tells a line of the log: keys before prose, no ticket, quiet when things work.
func (e *engine) logf(level codes.LogLevel, format string, args ...any) {
	if e.opts.LogLevel == codes.LogNone || level < e.opts.LogLevel {
		return
	}
	e.tell(Event{Kind: codes.EventLog, Level: level, Text: clean(fmt.Sprintf(format, args...))})
}

// settle answers a call, with success if f is OK, once. The answer goes out with the next publish.
func (e *engine) settle(k *call, result LoginResult, f failure) {
	out := outcome{result: result}
	if f.code != codes.OK {
		out.err = f.err(k.what())
	}
	e.settleWith(k, out)
}

func (e *engine) settleWith(k *call, out outcome) {
	if k.settled {
		panic("core: a call is answered twice: " + k.what())
	}
	k.settled, k.out = true, out
	e.calls = slices.DeleteFunc(e.calls, func(other *call) bool { return other == k })
	e.settled = append(e.settled, k)
}

// settleAll answers all pending calls of a kind.
func (e *engine) settleAll(of kind, result LoginResult, f failure) {
	for _, k := range e.pending(of) {
		e.settle(k, result, f)
	}
}

// pending returns the calls of a kind that wait for what becomes of the session's login or renewal.
func (e *engine) pending(of kind) []*call {
	var found []*call
	for _, k := range e.calls {
		if k.kind == of && k.joined {
			found = append(found, k)
		}
	}
	return found
}

// forsake answers the caller who does not wait any more, with what there is. A login that nobody waits for ends.
func (e *engine) forsake(s *signal) {
	k := s.call
	if k.settled { // the answer waits in the outbox
		k.finish()
		return
	}
	k.direct = true
	e.settleWith(k, outcome{err: canceledError(k, s.cause)})
	if k.kind == login && len(e.pending(login)) == 0 {
		e.apply(&signal{kind: givenUp})
	}
}

// settleOverdue answers the calls whose time is up. Those that joined a login have its time; those that a newer ticket
// made join have less than it.
func (e *engine) settleOverdue() {
	for _, k := range slices.Clone(e.calls) {
		switch {
		case k.settled || k.kind == logout || !k.deadline.reached(e.now):
		case k.kind == login && len(e.pending(login)) == 1:
			e.apply(&signal{kind: timedOut, failure: e.whyLate()})
		default:
			e.settle(k, LoginResult{}, e.whyLate())
		}
	}
}

// panicked ends the engine after a panic of ours.
func (e *engine) panicked(p panicked) {
	e.logf(codes.LogError, "panic in %s: %s", p.what, p.text)
	for line := range strings.Lines(p.stack) {
		e.logf(codes.LogError, "stack: %s", strings.TrimSpace(line))
	}
	e.ended = &failure{code: codes.Internal, text: clean("panic in " + p.what + ": " + p.text)}
}

// shutDown is the end of the last step. Whatever is broken, the pending calls are answered and EventClosed is told.
func (e *engine) shutDown() {
	why := *e.ended
	defer func() {
		e.news = append(e.news, item{event: Event{Kind: codes.EventClosed, Code: why.code, Text: why.text}, last: true})
	}()
	defer e.task.guard("end", func(panicked) {})
	e.cancel()
	e.stopTimer()
	pending := why
	if why.code == codes.OK {
		pending = failure{code: codes.Interrupted}
	}
	for len(e.calls) > 0 {
		e.settle(e.calls[0], LoginResult{}, pending)
	}
	if e.link != nil {
		e.hangUp()
	}
	e.session, e.state = nil, loggedOut
	e.publish()
}
