package core

import (
	"slices"
	"time"

	"github.com/opentim/tim/codes"
)

// How a model's sessions end, and what it tells.

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
