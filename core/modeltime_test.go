package core

import (
	"slices"
	"time"

	"github.com/opentim/tim/codes"
)

// What tickets and time do to a model.

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
