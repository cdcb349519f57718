package core

import (
	"fmt"
	"slices"
	"time"

	"github.com/opentim/tim/codes"
)

// A model is what the design says a client does, written down a second time, as plainly as it goes: no goroutines, no
// sockets, no table. It is told what the client is told, and says what the client must tell, send and answer. What is left
// to chance, the wait before a try, it learns by being shown that the client dialed, and checks the bounds.
type model struct {
	provider   bool // the client asks a provider for tickets
	background bool
	farewells  bool // a farewell by resume reaches the server

	now       moment
	state     state
	dials     int // there must have been
	link      int // the number of the connection
	resumable bool
	frozen    bool // the server's end says nothing any more
	probing   bool
	tries     int // waits double with them
	refusals  int
	began     moment
	attempt   moment
	alive     moment
	ask       moment

	waitSince           moment
	waitLeast, waitMost time.Duration

	clock    time.Duration // the server's, at clockAt
	clockAt  moment
	halfTrip time.Duration

	sessions int
	modelSession
	spent    map[string]bool
	calls    []*modelCall
	partings []*modelParting
	asking   *modelAsking

	published Snapshot
	told      []Event
	settled   []*modelCall
	down      codes.Code

	// What the client must have done since it was asked for last.
	hears   []string // events, and answers to callbacks
	returns []string // answers to callers who wait
	sends   []string // frames, and questions to the provider
	wrong   string   // what the client did and must not
}

type modelSession struct {
	user, ticket, resume string
	loggedIn, warned     bool
	deadline, online     moment
	last                 codes.Code
	window, ping         time.Duration
	expires              time.Duration // by the server's clock; 0 if nobody knows
	renewal              string        // a ticket that was not answered
}

type modelCall struct {
	kind         kind
	user, ticket string
	deadline     moment
	joined, done bool
	repeat       bool
	code         codes.Code
	cancel       func() // of a caller who waits for the return; nil for a callback
}

// A modelParting is a logout that the server is being told of.
type modelParting struct {
	call     *modelCall
	link     int // over this connection; 0: by resume
	mute     bool
	resume   string
	deadline moment
}

type modelAsking struct {
	session int
	instead string
	again   bool
}

func newModel() *model {
	return &model{state: loggedOut, spent: map[string]bool{}}
}

func (m *model) in(d time.Duration) moment { return m.now.add(d) }

// ---- what the host does ---------------------------------------------------------------------------------------------

func (m *model) logIn(k *modelCall) {
	k.deadline = m.in(15 * time.Second)
	m.calls = append(m.calls, k)
	switch {
	case m.spent[k.ticket]:
		m.settle(k, codes.UserSigExpired)
	case m.state == loggedOut:
		m.begin(k)
	case m.user != k.user:
		m.part(k, codes.OK)
		m.publish()
		m.begin(k)
	case m.loggedIn:
		k.repeat = true
		m.settle(k, codes.OK)
		if k.ticket != m.ticket {
			m.keepRenewal(k.ticket)
		}
	case m.ticket == k.ticket:
		k.joined, k.deadline = true, m.deadline
	default:
		k.joined = true
		m.ticket, m.deadline = k.ticket, k.deadline
		m.dial()
	}
}

func (m *model) begin(k *modelCall) {
	k.joined = true
	m.sessions++
	m.modelSession = modelSession{user: k.user, ticket: k.ticket, deadline: k.deadline}
	m.fromBase()
	m.dial()
}

func (m *model) logOut(k *modelCall) {
	m.calls = append(m.calls, k)
	if m.state == loggedOut {
		m.settle(k, codes.NotLoggedIn)
	} else {
		m.part(k, codes.OK)
	}
}

func (m *model) renews(k *modelCall) {
	k.deadline = m.in(15 * time.Second)
	m.calls = append(m.calls, k)
	switch {
	case m.spent[k.ticket]:
		m.settle(k, codes.UserSigExpired)
	case m.state == loggedOut:
		m.settle(k, codes.NotLoggedIn)
	default:
		k.joined = true
		m.keepRenewal(k.ticket)
	}
}

func (m *model) wake() {
	if m.state != loggedOut {
		m.fromBase()
	}
	switch m.state {
	case dialing, authenticating:
		if m.began.since(m.now) >= 2*time.Second {
			m.dial()
		}
	case online:
		m.probe()
	case waiting:
		m.dial()
	}
}

// giveUp is a caller who does not wait any more.
func (m *model) giveUp(k *modelCall) {
	m.settle(k, codes.Canceled)
	if k.kind == login && len(m.pending(login)) == 0 && m.state != loggedOut && !m.loggedIn {
		m.part(nil, codes.OK)
	}
}

func (m *model) close() {
	for _, k := range slices.Clone(m.calls) {
		m.settle(k, codes.Interrupted)
	}
	m.state, m.modelSession = loggedOut, modelSession{}
	m.publish()
	m.hears = append(m.hears, "closed OK")
}

// ---- connections ----------------------------------------------------------------------------------------------------

func (m *model) fromBase() { m.tries, m.refusals = 0, 0 }

func (m *model) dial() {
	m.state, m.began, m.attempt, m.alive = dialing, m.now, m.in(10*time.Second), moment{}
	m.probing, m.frozen = false, false
	m.dials++
}

// retried is a dial after a wait.
func (m *model) retried() {
	waited := m.waitSince.since(m.now)
	if waited < m.waitLeast || m.now.mono-m.waitSince.mono > m.waitMost {
		m.wrong = fmt.Sprintf("dials after %s, not after %s to %s", waited, m.waitLeast, m.waitMost)
	}
	m.dial()
}

func (m *model) connected(link int) {
	m.state, m.link = authenticating, link
	m.introduce()
}

func (m *model) introduce() {
	m.began, m.attempt = m.now, m.in(10*time.Second)
	if m.resumable = m.resume != ""; m.resumable {
		m.send("resume " + m.resume)
	} else {
		m.send(fmt.Sprintf("login %s %s %v", m.user, m.ticket, m.loggedIn))
	}
}

// lost is the end of a connection, or of a try for one, that is not the end of the session.
func (m *model) lost(code codes.Code, retryAfter time.Duration) {
	stable := m.state == online && m.online.since(m.now) >= 30*time.Second
	if stable {
		m.fromBase()
	}
	m.down, m.last = code, code
	m.waitSince, m.waitLeast, m.waitMost = m.now, 200*time.Millisecond, m.longestWait()
	if retryAfter > 0 {
		m.waitLeast = max(retryAfter, m.waitLeast)
		m.waitMost = m.waitLeast
	}
	if code == codes.ConnectRefused {
		m.refusals++
	}
	if !stable && (code != codes.ConnectRefused || m.refusals > 10) {
		m.tries++
	}
	m.state, m.attempt, m.alive = waiting, moment{}, moment{}
}

func (m *model) longestWait() time.Duration {
	wait, most := 500*time.Millisecond, 20*time.Second
	if m.background {
		most = 300 * time.Second
	}
	if m.window > 0 {
		wait, most = m.window, max(most, m.window)
	}
	for range min(m.tries, 20) {
		wait = min(2*wait, most)
	}
	return max(wait, 200*time.Millisecond)
}

// ---- what the server says -------------------------------------------------------------------------------------------

// life is a sign of it, which everything is that the server says.
func (m *model) life() {
	if m.state == online {
		m.probing, m.alive = false, m.in(m.ping+10*time.Second)
	}
}

// probe asks for a sign of life, which comes at once over a connection that is not frozen.
func (m *model) probe() {
	if m.probing {
		return
	}
	m.probing, m.alive = true, m.in(2*time.Second)
	if !m.frozen {
		m.life()
	}
}

func (m *model) accepted(window, ping, expires time.Duration, resume string) {
	first := !m.loggedIn
	m.halfTrip = (m.now.mono - m.began.mono) / 2
	m.setClock()
	m.state, m.attempt = online, moment{}
	m.loggedIn, m.online, m.last = true, m.now, codes.OK
	m.window, m.ping, m.resume = window, ping, resume
	m.life()
	if first || expires != m.expires {
		m.setExpiry(expires)
	}
	if m.renewal != "" {
		m.send("renew " + m.renewal)
	} else {
		m.settleAll(renew, codes.OK)
	}
	m.settleAll(login, codes.OK)
}

// setClock takes the server's clock, which here is ours, as it was half a round trip ago.
func (m *model) setClock() {
	m.clock, m.clockAt = m.now.mono.Truncate(time.Millisecond)+m.halfTrip, m.now
}

func (m *model) refused(code codes.Code, retryAfter time.Duration, kick Kick) {
	unreadable := code == codes.TicketUnreadable || code == codes.TicketKeyMismatch
	switch {
	case m.resumable && unreadable, code == codes.TicketExpired && m.renewal != "":
		m.resume = ""
		if code == codes.TicketExpired {
			m.spent[m.ticket] = true
			m.ticket, m.renewal = m.renewal, ""
		}
		m.introduce()
	case m.loggedIn && (code.Retry() || retryAfter > 0), code.Retry() && m.deadline.until(m.now) > retryAfter:
		m.lost(code, retryAfter)
	default:
		m.end(code, &kick)
	}
}

// replied answers the renewal.
func (m *model) replied(code codes.Code, expires time.Duration, resume string) {
	renewal := m.renewal
	m.renewal = ""
	m.settleAll(renew, code)
	if code != codes.OK {
		if code == codes.TicketExpired {
			m.spent[renewal] = true
		}
		if !m.ask.set() {
			m.askAgain()
		}
		return
	}
	if m.ticket = renewal; resume != "" {
		m.resume = resume
	}
	m.setExpiry(expires)
}

func (m *model) bye(action codes.ByeAction, code codes.Code, retryAfter time.Duration) {
	switch action {
	case codes.ByeStop:
		m.end(code, &Kick{})
		return
	case codes.ByeRelogin:
		m.resume = ""
	}
	m.lost(code, retryAfter)
}

func (m *model) closed(status int) {
	code, _ := codes.FromCloseCode(status)
	if status >= 3500 {
		m.end(code, &Kick{})
	} else {
		m.lost(code, 0)
	}
}
