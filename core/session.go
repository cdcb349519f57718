package core

import (
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// A session is what the engine keeps of the user who is logging in or logged in. It lives through lost connections.
type session struct {
	user, ticket string
	loggedIn     bool    // the server has accepted it once
	deadline     moment  // of the login, from its newest ticket on
	last         failure // of this login, or since the connection was lost

	id      string
	resume  []byte        // the resume ticket; empty if there is none to use
	expires time.Time     // the ticket, by the server's clock
	window  time.Duration // in which the server wants its clients back
	ping    time.Duration // between the server's pings
	online  moment        // when it was accepted last

	anew    bool     // log in as the user does, not as an engine that comes back: it was this session that pushed itself out
	renewal *renewal // that the server has not answered
	warned  bool     // the application was told that the ticket ends
}

const (
	pingDefault = 25 * time.Second
	pingLeast   = time.Second
)

func (e *engine) begin(k *call) {
	k.joined = true
	e.session = &session{user: k.user, ticket: k.ticket, deadline: k.deadline}
	e.fromBase()
}

// admit takes the server's yes.
func (e *engine) admit(f *wire.Accepted) {
	s, l := e.session, e.link
	l.rtt = e.now.mono - l.began.mono
	e.setServerTime(f.ServerTime, l.rtt)

	first := !s.loggedIn
	s.loggedIn, s.anew, s.online, s.last = true, false, e.now, failure{}
	s.id, s.resume, s.window = f.Session, f.ResumeTicket, millis(f.ReconnectWindow)
	if s.ping = millis(f.PingInterval); s.ping == 0 {
		s.ping = pingDefault
	}
	s.ping = max(s.ping, pingLeast)
	e.arm(alarmAlive, s.ping+silenceAllowed)
	e.logf(codes.LogInfo, "online user=%s session=%s login_seq=%d link=%d resumed=%v rtt=%s", s.user, clean(s.id), f.LoginSeq, l.number, l.resumes, l.rtt)

	if at := unixMillis(f.TicketExpires); first || !at.Equal(s.expires) {
		e.setTicketExpiry(at)
	}
	if s.renewal != nil {
		e.sendRenewal()
	} else {
		e.settleAll(renew, LoginResult{}, failure{}) // their ticket is the one that was accepted
	}
	e.settleAll(login, s.result(), failure{})
}

func (s *session) result() LoginResult {
	return LoginResult{Session: clean(s.id), TicketExpires: s.expires}
}

// repeatLogin answers a login of the user who is logged in: nothing has to be done but to renew a ticket that is another.
func (e *engine) repeatLogin(k *call) {
	result := e.session.result()
	result.Repeat = true
	e.settle(k, result, failure{})
	if k.ticket != e.session.ticket {
		e.keepRenewal(k.ticket)
	}
}

// await arms the next try.
func (e *engine) await(s *signal) {
	ses := e.session
	stable := e.state == online && ses.online.since(e.now) >= stableAfter
	if stable {
		e.fromBase()
	}
	if s.relogin {
		ses.resume = nil
	}
	e.down, ses.last = s.failure, s.failure
	wait := s.failure.retryAfter
	if wait == 0 {
		wait = fullJitter(ceiling(e.tries, ses.window, e.background))
	}
	if s.failure.code == codes.ConnectRefused {
		e.refusals++
	}
	if !stable && (s.failure.code != codes.ConnectRefused || e.refusals > patientRefusals) {
		e.tries++
	}
	e.arm(alarmRetry, max(wait, waitLeast))
	e.logf(codes.LogInfo, "disconnected code=%d wait=%s tries=%d reason=%q", s.failure.code, wait.Round(time.Millisecond), e.tries, s.failure.words())
}

// fromBase makes waits start from the base again.
func (e *engine) fromBase() { e.tries, e.refusals = 0, 0 }

// end ends the session because the server said so, or part because we want to.
func (e *engine) end(s *signal) {
	ses := e.session
	e.logf(codes.LogInfo, "logged out user=%s code=%d signal=%s reason=%q", ses.user, s.failure.code, s.kind, s.failure.words())
	e.spentTickets.note(s.failure.code, ses.ticket)
	if ses.loggedIn && s.kind != logout && s.kind != switchUser {
		e.told = append(e.told, endEvent(s))
	}
	if e.link != nil {
		e.hangUp()
	}
	e.settleAll(login, LoginResult{}, s.failure)
	e.settleAll(renew, LoginResult{}, failure{code: codes.NotLoggedIn, text: s.failure.words()})
	e.dropAsking()
	e.session = nil
}

func endEvent(s *signal) Event {
	if expires(s.failure.code) {
		return Event{Kind: codes.EventUserSigExpired, Code: s.failure.code, Text: s.failure.words()}
	}
	return Event{Kind: codes.EventKickedOffline, Code: s.failure.code, Text: s.failure.words(), Kick: s.kick}
}

// expires reports whether code ends a session because of its ticket: a new one brings the user back.
func expires(code codes.Code) bool {
	return code == codes.TicketExpired || code == codes.UserSigExpired || code == codes.TicketRevoked
}

func (e *engine) setBackground(background bool) {
	e.background = background
	if !background {
		e.apply(&signal{kind: wake})
	}
}
