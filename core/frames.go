package core

import (
	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// rename names a signal by what it means right now: a login by who is logged in, a frame by what it says.
func (e *engine) rename(s *signal) {
	switch s.kind {
	case login:
		s.kind = e.loginMeans(s.call)
	case renew:
		if e.spentTickets.has(s.call.ticket) {
			s.kind = spent
		}
	case wake:
		if (e.state == dialing || e.state == authenticating) && e.link.began.since(e.now) >= probeTimeout {
			s.kind = restart
		}
	case framed:
		e.renameFrame(s)
	}
}

func (e *engine) loginMeans(k *call) kind {
	s := e.session
	switch {
	case e.spentTickets.has(k.ticket):
		return spent
	case s == nil:
		return login
	case s.user != k.user:
		return switchUser
	case s.loggedIn:
		return repeat
	case s.ticket == k.ticket:
		return join
	}
	return supersede
}

// renameFrame renames a framed. A frame that answers something else, or that no server sends, stays a framed, which means
// nothing in any state.
func (e *engine) renameFrame(s *signal) {
	switch f := s.frame.(type) {
	case *wire.Accepted:
		if f.Request == e.link.request {
			s.kind, e.link.answered = accepted, true
		}
	case *wire.Refused:
		if f.Request == e.link.request || f.Request == 0 {
			e.link.answered = true
			e.renameRefusal(s, f)
		}
	case *wire.Reply:
		s.kind = replied
	case *wire.Kicked:
		s.kind = kicked
		s.failure = failure{code: orElse(f.Code, codes.KickedOffline)}
		s.kick = newKick(f.Reason, f.ByPlatform, f.ByLabel, f.At)
		if e.byOurselves(f.Reason) {
			s.kind, s.relogin = lost, true
			s.failure = failure{code: codes.Disconnected, text: "an earlier try of this login reached the server late"}
		}
	case *wire.Ticket:
		s.kind = expiring
		if f.Expired {
			s.kind, s.failure = expired, failure{code: codes.TicketExpired}
		}
	case *wire.Bye:
		s.kind, s.relogin = lost, f.Action == codes.ByeRelogin
		if f.Action == codes.ByeStop {
			s.kind = stopped
		}
		s.failure = failure{orElse(f.Code, codes.Disconnected), clean(f.Text), millis(f.RetryAfter)}
	}
}

// renameRefusal tells a refusal for good from one to come back from. While somebody waits for a login only the code decides;
// a session that comes back is not given up where the server says when to try again.
func (e *engine) renameRefusal(s *signal, f *wire.Refused) {
	s.kind, s.failure = refused, failure{orElse(f.Code, codes.ServerInternal), clean(f.Text), millis(f.RetryAfter)}
	s.kick = newKick(f.Reason, f.ByPlatform, f.ByLabel, f.At)
	switch again := f.Code.Retry(); {
	case e.link.resumes && (unreadableResume(f.Code) || e.byOurselves(f.Reason)), f.Code == codes.TicketExpired && e.session.renewal != nil:
		s.kind = fallBack
	case e.session.loggedIn && (again || s.failure.retryAfter > 0):
		s.kind = deferred
	case again && e.session.deadline.until(e.now) > s.failure.retryAfter: // else the try would come too late for everybody
		s.kind = deferred
	}
}

// byOurselves reports whether the session was replaced by a login of this engine that it had given up, which then is the
// one that nobody holds: the user has gone nowhere else. It believes so once, and makes the next login one like the user's.
func (e *engine) byOurselves(reason codes.KickReason) bool {
	if reason != codes.KickReplaced || !e.astray.set() || e.astray.reached(e.now) {
		return false
	}
	e.astray, e.session.anew = moment{}, true
	return true
}

// unreadableResume reports whether code says that the server cannot make out a resume ticket, rather than that the session
// is over: then the ticket itself can still bring the session back.
func unreadableResume(code codes.Code) bool {
	switch code {
	case codes.TicketUnreadable, codes.TicketMalformed, codes.TicketKeyMismatch, codes.TicketUserMismatch, codes.TicketAppMismatch:
		return true
	}
	return false
}

func newKick(reason codes.KickReason, by codes.Platform, label string, at int64) Kick {
	return Kick{Reason: reason, ByPlatform: by, ByLabel: cut(clean(label), maxName), At: unixMillis(at)}
}

func orElse(code, otherwise codes.Code) codes.Code {
	if code == codes.OK {
		return otherwise
	}
	return code
}
