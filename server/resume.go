package server

import (
	"context"
	"time"

	"github.com/opentim/tim/codes"
)

// Resume brings a session back over c by the resume ticket of its last Grant. It keeps its LoginSeq, so it never pushes out
// anybody newer. It costs one MAC and one write to the registry; the account is read only where the registry does not know
// the session, and on the first resume of another day than that of the Grant: then the user counts as active on that day, and
// that is durable, before Resume returns.
//
// The error is always a *Refusal; c may try again after it. The codes: KickedOffline with the kick if the session had to
// leave meanwhile; TicketExpired if its ticket ended; TicketRevoked or AccountBanned if an administrator did something to
// the account; TicketUnreadable if the resume ticket is of no use here, and then an engine may log in with Reconnect.
func (s *Sessions) Resume(ctx context.Context, c Conn, resumeTicket []byte) (Grant, error) {
	now := time.Now()
	addr := c.RemoteAddr()
	if s.closing.Load() {
		return Grant{}, refuseClosing()
	}
	t, err := s.resumes.open(resumeTicket)
	if err != nil {
		if bad := s.mayGuess(addr, now); bad != nil {
			return Grant{}, bad
		}
		if s.failures.failed(addr, now) {
			s.log.Info("too many failed logins", "address", addr)
		}
		return Grant{}, refuse(codes.TicketUnreadable, "%s", err)
	}
	app := s.apps[t.key.App]
	switch {
	case app == nil:
		return Grant{}, refuse(codes.AppNotFound, "SDKAppID %d is not served here", t.key.App)
	case ended(t.notAfter, now) && ended(t.session.TicketExpires, now):
		return Grant{}, refuse(codes.TicketExpired, "the ticket of the session ended")
	case ended(t.notAfter, now):
		return Grant{}, refuse(codes.TicketUnreadable, "the resume ticket is too old")
	}
	if bad := s.mayLogin(t.key, now); bad != nil {
		return Grant{}, bad
	}
	h := &Held{
		sessions: s, key: t.key, conn: c, id: t.session.ID, instance: t.session.Instance, label: t.session.Label,
		platform: t.session.Platform, loginSeq: t.session.LoginSeq, resumes: t.session.Resumes + 1,
		expires: t.session.TicketExpires.Unix(), day: t.day,
	}
	a := newAdmission()
	defer a.free()
	a.kind, a.key, a.session, a.settings, a.now = resume, h.key, h.session(), *app.settings.Load(), now
	if bad := s.admit(ctx, h, a, sessionProof(a.session.LoggedIn())); bad != nil {
		s.log.Info("resume refused", "session", h, "address", addr, "why", bad)
		return Grant{}, bad
	}
	s.markDay(ctx, h, app, now)
	s.debug("resume", h)
	return s.grant(h, a, now), nil
}

// markWithin is how long a resume waits for the mark of its day.
const markWithin = 3 * time.Second

// markDay marks the day of now for the user of a session that came back, unless its ticket says that it is. If the store does
// not answer in time, the session is back all the same: its next resume tries again.
func (s *Sessions) markDay(ctx context.Context, h *Held, app *app, now time.Time) {
	today := DayOf(now, app.Zone)
	if h.day == today {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, markWithin)
	defer cancel()
	p := sessionProof(time.UnixMicro(int64(h.loginSeq)))
	arrival, err := s.o.Store.Arrive(ctx, h.key, today, func(a Account) bool { return !a.CreatedAt.IsZero() && permit(a, p, now) == nil })
	switch {
	case err != nil:
		s.log.Warn("store: a resume could not be counted", "session", h, "error", err)
	case !arrival.CreatedAt.IsZero():
		h.day = today
	}
}

// Renew gives a live session a fresh ticket of the same user, without going offline. The Grant's LoginSeq and Session are
// what they were; the new resume ticket replaces the old one, which stays good until its own end.
//
// The error is always a *Refusal; the session goes on with its old ticket then. codes.NotLoggedIn means that it ended.
func (s *Sessions) Renew(ctx context.Context, h *Held, ticket string) (Grant, error) {
	now := time.Now()
	app := s.apps[h.key.App]
	fresh, err := app.tickets.Verify(ticket, h.key.User, now)
	if err != nil {
		return Grant{}, s.refuseRenewal(h, refuseTicket(err))
	}
	if bad := s.vouch(ctx, h.key, s.ticketProof(fresh.Issued), false); bad != nil {
		bad.Kick = nil
		return Grant{}, s.refuseRenewal(h, bad)
	}
	var session Session
	if !s.held.with(h, func() {
		h.expires = fresh.Expires.Unix()
		h.armTicket(now)
		session = h.session()
	}) {
		return Grant{}, refuse(codes.NotLoggedIn, "the session ended")
	}
	s.restoreLater(h)
	return Grant{
		Held: h, Session: h.id, LoginSeq: h.loginSeq, TicketExpires: session.TicketExpires,
		ResumeTicket: s.resumes.sign(h.key, &session, h.day, now),
	}, nil
}

func (s *Sessions) refuseRenewal(h *Held, bad *Refusal) *Refusal {
	s.log.Info("renewal refused", "session", h, "why", bad)
	return bad
}
