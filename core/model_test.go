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

// ---- tickets --------------------------------------------------------------------------------------------------------

func (m *model) keepRenewal(ticket string) {
	if m.renewal == ticket {
		return
	}
	if m.renewal = ticket; m.state == online {
		m.send("renew " + ticket)
	}
}

func (m *model) ticketLeft() time.Duration { return m.expires - (m.clock + m.clockAt.since(m.now)) }

func (m *model) setExpiry(expires time.Duration) {
	m.expires, m.warned, m.ask = expires, false, moment{}
	if left := m.ticketLeft(); expires != 0 && left > 0 {
		m.ask = m.in(time.Duration(0.8 * float64(left)))
	}
}

func (m *model) expiring(expires time.Duration) {
	if expires != 0 {
		m.expires = expires
	}
	m.askTicket()
}

func (m *model) askTicket() {
	switch {
	case !m.provider:
		if !m.warned {
			m.warned = true
			m.told = append(m.told, Event{Kind: codes.EventUserSigWillExpire})
		}
	case m.renewal != "":
	case m.asking != nil:
		m.asking.again = !m.wanted(m.asking)
	default:
		m.asking = &modelAsking{session: m.sessions, instead: m.ticket}
		m.send("ask for a ticket of " + m.user)
	}
}

func (m *model) wanted(a *modelAsking) bool {
	return m.state != loggedOut && a.session == m.sessions && a.instead == m.ticket
}

// provided is the provider's answer; "" is an error.
func (m *model) provided(ticket string) {
	a := m.asking
	m.asking = nil
	switch {
	case !m.wanted(a):
		if a.again && m.state != loggedOut {
			m.askTicket()
		}
	case ticket == "", ticket == m.ticket, m.spent[ticket]:
		m.askAgain()
	default:
		m.keepRenewal(ticket)
	}
}

func (m *model) askAgain() {
	if m.provider {
		left := time.Duration(0)
		if m.expires != 0 {
			left = m.ticketLeft()
		}
		m.ask = m.in(min(max(left/10, 5*time.Second), 5*time.Minute))
	}
}

// ---- time -----------------------------------------------------------------------------------------------------------

// due does what is due by now. dialed says that the client has dialed after a wait, just now.
func (m *model) due(dialed bool) {
	waited := m.state == waiting
	if m.attempt.reached(m.now) {
		m.lost(m.whySlow(), 0)
	}
	if at := m.alive; at.reached(m.now) {
		switch m.alive = (moment{}); {
		case m.probing:
			m.down, m.last = codes.Disconnected, codes.Disconnected
			m.state, m.waitSince, m.waitLeast, m.waitMost = waiting, m.now, 0, 0
		case m.now.mono < at.mono:
			m.fromBase()
			m.probe()
		default:
			m.lost(codes.Disconnected, 0)
		}
	}
	if dialed && waited {
		m.retried()
	}
	if m.ask.reached(m.now) {
		m.ask = moment{}
		m.askTicket()
	}
	for _, k := range slices.Clone(m.calls) {
		switch {
		case k.done || k.kind == logout || !k.deadline.reached(m.now):
		case k.kind == login && len(m.pending(login)) == 1:
			m.down = m.whyLate()
			m.part(nil, m.down)
		default:
			m.settle(k, m.whyLate())
		}
	}
	m.publish()
	if dialed && !waited && m.state == waiting {
		m.retried()
		m.publish()
	}
	for _, p := range slices.Clone(m.partings) {
		if p.deadline.mono <= m.now.mono {
			m.parted(p)
			m.publish()
		}
	}
}

// next is how long it is until something is due that is not left to chance.
func (m *model) next() time.Duration {
	next := time.Duration(1<<63 - 1)
	for _, at := range []moment{m.attempt, m.alive, m.ask} {
		if at.set() {
			next = min(next, at.until(m.now))
		}
	}
	for _, k := range m.calls {
		if k.kind != logout {
			next = min(next, k.deadline.until(m.now))
		}
	}
	for _, p := range m.partings {
		next = min(next, p.deadline.mono-m.now.mono)
	}
	return next
}

func (m *model) whyLate() codes.Code {
	if m.last != codes.OK {
		return m.last
	}
	return m.whySlow()
}

func (m *model) whySlow() codes.Code {
	if m.state == dialing {
		return codes.ConnectTimeout
	}
	return codes.AckTimeout
}

// ---- ends -----------------------------------------------------------------------------------------------------------

// part ends the session because somebody here wants it: k, or nobody waits any more, with code for those who did.
func (m *model) part(k *modelCall, code codes.Code) {
	p := &modelParting{resume: m.resume, deadline: m.in(5 * time.Second), mute: m.frozen}
	if k != nil && k.kind == logout {
		p.call = k
	}
	if k != nil && !m.loggedIn {
		code = codes.LoggedOutBeforeLoginFinished
	}
	if m.state == authenticating || m.state == online {
		p.link = m.link
	}
	m.end(code, nil)
	switch {
	case p.link == 0 && p.resume == "" || len(m.partings) == 8:
		m.parted(p)
	case p.link != 0:
		m.partings = append(m.partings, p)
		m.send("logout")
	default:
		m.partings = append(m.partings, p)
		m.partByResume(p)
	}
}

// partByResume tells the server of a logout over a connection made for that, if the server can be reached.
func (m *model) partByResume(p *modelParting) {
	if p.link = 0; m.farewells || p.resume == "" {
		m.publish()
		m.parted(p)
	}
}

func (m *model) parted(p *modelParting) {
	m.partings = slices.DeleteFunc(m.partings, func(other *modelParting) bool { return other == p })
	if p.call != nil && !p.call.done {
		m.settle(p.call, codes.OK)
	}
}

// end ends the session. kick says that it is told to the application, if there was a session to tell of.
func (m *model) end(code codes.Code, kick *Kick) {
	if code == codes.TicketExpired || code == codes.UserSigExpired {
		m.spent[m.ticket] = true
	}
	if kick != nil && m.loggedIn {
		e := Event{Kind: codes.EventKickedOffline, Code: code, Kick: *kick}
		if code == codes.TicketExpired || code == codes.UserSigExpired || code == codes.TicketRevoked {
			e.Kind = codes.EventUserSigExpired
		}
		m.told = append(m.told, e)
	}
	m.settleAll(login, code)
	m.settleAll(renew, codes.NotLoggedIn)
	m.state, m.modelSession = loggedOut, modelSession{}
	m.attempt, m.alive, m.ask = moment{}, moment{}, moment{}
}

// ---- what is told ---------------------------------------------------------------------------------------------------

func (m *model) send(frame string) { m.sends = append(m.sends, frame) }

func (m *model) pending(of kind) (found []*modelCall) {
	for _, k := range m.calls {
		if k.kind == of && k.joined {
			found = append(found, k)
		}
	}
	return found
}

func (m *model) settleAll(of kind, code codes.Code) {
	for _, k := range m.pending(of) {
		m.settle(k, code)
	}
}

func (m *model) settle(k *modelCall, code codes.Code) {
	k.done, k.code = true, code
	m.calls = slices.DeleteFunc(m.calls, func(other *modelCall) bool { return other == k })
	m.settled = append(m.settled, k)
}

func (m *model) view() Snapshot {
	v := Snapshot{Status: codes.LoggedOut, Connection: codes.StateDisconnected}
	switch {
	case m.state == loggedOut:
	case m.loggedIn:
		v.Status, v.Ready, v.User = codes.LoggedIn, true, m.user
	default:
		v.Status = codes.LoggingIn
	}
	switch m.state {
	case dialing, authenticating:
		v.Connection = codes.StateConnecting
	case online:
		v.Connection = codes.StateConnected
	}
	return v
}

// publish tells what has changed: why, then the state, then the results.
func (m *model) publish() {
	was, is := m.published, m.view()
	m.published = is
	tell := func(changed bool, e Event) {
		if changed {
			m.hears = append(m.hears, words(e))
		}
	}
	for _, e := range m.told {
		tell(true, e)
	}
	moved := is.Connection != was.Connection
	tell(moved && is.Connection == codes.StateConnected, Event{Kind: codes.EventConnected, Resumed: was.Status == codes.LoggedIn})
	tell(is.Status != was.Status, Event{Kind: codes.EventLoginStatus, Status: is.Status})
	tell(is.Ready != was.Ready, Event{Kind: codes.EventReady, Ready: is.Ready})
	tell(moved && is.Connection == codes.StateConnecting, Event{Kind: codes.EventConnecting})
	tell(moved && is.Connection == codes.StateDisconnected, Event{Kind: codes.EventDisconnected, Code: m.down})
	for _, k := range m.settled {
		answer := k.words()
		if k.cancel != nil {
			m.returns = append(m.returns, answer)
		} else {
			m.hears = append(m.hears, answer)
		}
	}
	m.told, m.settled, m.down = nil, nil, codes.OK
}

func (k *modelCall) words() string {
	what := string(k.kind)
	if k.kind == login {
		what += " " + k.user
	}
	if k.repeat {
		what += " (repeat)"
	}
	return what + " " + k.code.Name()
}
