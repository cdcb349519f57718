package core

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// An engine is what a Client does: it is told things by signals and takes a step for each. Whoever brings a signal takes the
// step, so that nothing waits for a goroutine to be woken; the mutex makes that one at a time. A step never waits, and never
// calls out but to OnState and Relay.
type engine struct {
	client *Client
	opts   Options
	clocks *clocks
	ctx    context.Context // ends with the engine
	cancel context.CancelFunc

	mu         sync.Mutex // the step's; guards all that follows
	task       task
	present    signal // of the step being taken
	now        moment // of the same
	state      state
	session    *session // nil in loggedOut, only there
	calls      []*call  // that were not answered yet
	link       *link    // nil in loggedOut and waiting
	links      uint64   // counts links; the number tells late signals
	requests   uint64   // counts requests to the server
	tries      int      // since the last stable connection; makes waits longer
	refusals   int      // of a connection since then
	astray     moment   // until then the server may get a login that was given up
	background bool
	alarms     [alarmCount]moment
	timer      *time.Timer   // signals tick; nil if it was never set
	ringsAt    time.Duration // when, by the running clock; 0 if it is not set

	spentTickets spentTickets
	asking       *asking // the call of the ticket provider that is under way
	partings     int     // logouts that the server is being told of

	// What the signal being applied has to tell, see publish.
	told    []Event
	settled []*call
	down    failure // why there is no connection any more
	then    *signal // to apply after publishing

	// What the step being taken leaves behind, see leave.
	spawned []func()
	news    []item

	ended *failure // not nil: the engine has ended, and why
}

// A signal is something that the engine is told. kind says which fields mean something.
type signal struct {
	kind kind
	link uint64 // the link it comes from; 0 if it comes from none

	call     *call      // calls, forsaken, parted
	cause    error      // forsaken
	flag     bool       // setBackground
	frame    wire.Frame // framed and what it is renamed to
	delivers bool       // framed: whoever brings it calls outbox.deliver when it has posted
	clock    []byte     // heard: the payload of a ping
	failure  failure    // lost, and all that end something
	kick     Kick       // kicked, refused
	relogin  bool       // lost: the resume ticket is of no use any more
	answer   *provision // provided
	panicked *panicked  // broke
}

func newEngine(c *Client, o Options, clocks *clocks) *engine {
	e := &engine{client: c, opts: o, clocks: clocks, state: loggedOut, background: o.Background}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// post takes the step that s asks for and reports true, or false if the engine has ended. It waits while another goroutine
// takes a step. A step must not post.
func (e *engine) post(s *signal) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ended != nil {
		return false
	}
	e.present = *s // s itself costs no memory then
	e.take(&e.present)
	e.present = signal{}
	return true
}

// take takes a step whose panics end the engine: ours do so quietly, and a panic of OnState's goes on to whoever brought
// the signal. That may be the host, which may catch it.
func (e *engine) take(s *signal) {
	defer func() {
		if e.task.inHost {
			e.opts.OnState = func(Snapshot) {}
			e.ended = &failure{code: codes.Internal, text: "OnState has panicked"}
		}
		if e.ended != nil {
			e.shutDown()
			e.leave()
		}
	}()
	defer e.task.guard("step", e.panicked)
	e.step(s)
	e.leave()
	e.rearm()
}

// leave starts the goroutines that the step has spawned, then hands over what it has to tell: what goes to the server should
// be on its way before the news of it. If the Listener is stuck, nothing that happens can be told any more, and the client
// ends rather than act behind the host's back.
func (e *engine) leave() {
	spawned, news := e.spawned, e.news
	e.spawned, e.news = nil, nil
	for _, f := range spawned {
		go f()
	}
	if !e.client.outbox.add(news, e.present.delivers) && e.ended == nil {
		close(e.client.outbox.broken)
		e.ended = &failure{code: codes.Internal, text: fmt.Sprintf("the Listener has not returned for %d events", maxEvents)}
	}
}

// step takes one signal: first what is late by now, then the signal itself, then what follows from it.
func (e *engine) step(s *signal) {
	e.now = e.clocks.now()
	if e.stale(s) {
		return
	}
	if s.link != 0 {
		e.noteLife()
	}
	if s.call != nil && s.kind == s.call.kind { // a new call
		s.call.deadline = e.now.add(e.opts.LoginTimeout)
		e.calls = append(e.calls, s.call)
	}
	if s.kind != dialed { // which is taken first: the server is being sent the introduction already
		e.ring()
	}
	for next := s; next != nil; {
		if !e.stale(next) {
			e.apply(next)
		}
		next, e.then = e.then, nil
		e.publish()
	}
}

// stale reports whether s comes from a link that was given up. This is the one place where late news ends.
func (e *engine) stale(s *signal) bool {
	return s.link != 0 && (e.link == nil || e.link.number != s.link)
}

// apply does what the tables say about s.
func (e *engine) apply(s *signal) {
	e.rename(s)
	if e.anywhere(s) {
		return
	}
	r, ok := transitions[e.state][s.kind]
	if !ok {
		return
	}
	if r.to != e.state {
		e.disarm(stateAlarms...)
		e.logf(codes.LogDebug, "state=%s signal=%s from=%s", r.to, s.kind, e.state)
	}
	for _, a := range r.do {
		e.perform(a, s)
	}
	e.state = r.to
}

// anywhere does what s means in every state alike, and reports whether it is such a signal. None of them belongs to a
// state's row, because none is a part of a session's life.
func (e *engine) anywhere(s *signal) bool {
	switch s.kind {
	case spent:
		e.settle(s.call, LoginResult{}, failure{code: codes.UserSigExpired})
	case forsaken:
		e.forsake(s)
	case ask:
		e.askTicket()
	case provided:
		e.takeProvided(s.answer)
	case parted:
		e.partings--
		if s.call != nil && !s.call.settled { // the caller may have stopped waiting
			e.settle(s.call, LoginResult{}, failure{})
		}
	case setBackground:
		e.setBackground(s.flag)
	case closing:
		e.ended = &failure{code: codes.OK, text: "closed by the application"}
	case broke:
		e.panicked(*s.panicked)
	default:
		return false
	}
	return true
}

func (e *engine) perform(a action, s *signal) {
	switch a {
	case begin:
		e.begin(s.call)
	case dial:
		e.dial()
	case listen:
		e.listen()
	case introduce:
		e.introduce()
	case admit:
		e.admit(s.frame.(*wire.Accepted))
	case takeOther:
		e.takeOther(s.failure.code)
	case await:
		e.await(s)
	case awaitNothing:
		e.down, e.session.last = s.failure, s.failure
		e.arm(alarmRetry, 0)
	case hurry:
		e.fromBase()
	case probe:
		e.probe()
	case hangUp:
		e.hangUp()
	case end:
		e.end(s)
	case part:
		e.part(s)
	case again:
		s.kind = login
		e.then = s
	case joinLogin:
		s.call.joined, s.call.deadline = true, e.session.deadline
	case replaceTicket:
		s.call.joined = true
		e.session.ticket, e.session.deadline = s.call.ticket, s.call.deadline
	case repeatLogin:
		e.repeatLogin(s.call)
	case keepRenewal:
		s.call.joined = true
		e.keepRenewal(s.call.ticket)
	case finishRenewal:
		e.finishRenewal(s.frame.(*wire.Reply))
	case noteExpiry:
		e.noteExpiry(s.frame.(*wire.Ticket))
	case askTicket:
		e.askTicket()
	case setClock:
		e.setClock(s.clock)
	case refuseCall:
		e.settle(s.call, LoginResult{}, failure{code: codes.NotLoggedIn})
	default:
		panic("core: no such action: " + string(a))
	}
}
