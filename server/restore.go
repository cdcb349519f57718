package server

import (
	"context"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
)

const (
	unsettledMax   = 1 << 16         // logins admitted provisionally at a time
	unsettledRetry = 5 * time.Second // what a client is told when there are more
	settleRetry    = 500 * time.Millisecond
)

// unsettled are the sessions that were admitted while the registry could not be reached, oldest first.
type unsettled struct {
	mu   sync.Mutex
	list []*Held
	some chan struct{} // cap 1
}

func (u *unsettled) full() bool { return u.len() >= unsettledMax }

// add returns whether h is the only one.
func (u *unsettled) add(h *Held) (first bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.list = append(u.list, h)
	select {
	case u.some <- struct{}{}:
	default:
	}
	return len(u.list) == 1
}

func (u *unsettled) len() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.list)
}

func (u *unsettled) first() *Held {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.list) == 0 {
		return nil
	}
	return u.list[0]
}

// drop removes the first and returns whether none is left.
func (u *unsettled) drop() (none bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.list[0] = nil
	u.list = u.list[1:]
	return len(u.list) == 0
}

// vouchProvisionally decides whether a session is admitted though the registry cannot be reached. When that is back, the
// settle loop writes the session to its key, and the rule decides who was too many.
func (s *Sessions) vouchProvisionally(ctx context.Context, a *admission, p proof) *Refusal {
	if s.unsettled.full() {
		bad := refuse(codes.ServiceNotReady, "the registry cannot be reached")
		bad.RetryAfter = unsettledRetry
		return bad
	}
	if a.kind == resume {
		return s.vouch(ctx, a.key, p, false)
	}
	return nil
}

// settleLoop writes provisional sessions to the registry when it is back, one after the other.
func (s *Sessions) settleLoop() {
	for s.background.Err() == nil {
		h := s.unsettled.first()
		switch {
		case h == nil:
			select {
			case <-s.unsettled.some:
			case <-s.background.Done():
			}
		case s.restore(s.background, h):
			if s.unsettled.drop() {
				s.log.Warn("registry: back; provisional logins are settled")
			}
		default:
			pause(s.background, settleRetry)
		}
	}
}

// restore makes h's key say that this node holds h, by the same rule as a login: h may have to leave, or others for it. It
// returns false if the registry cannot be reached.
func (s *Sessions) restore(ctx context.Context, h *Held) bool {
	a := newAdmission()
	defer a.free()
	a.kind, a.key, a.now, a.settings = restore, h.key, time.Now(), *s.apps[h.key.App].settings.Load()
	if !s.held.with(h, func() { a.session, a.meek = h.session(), h.meek }) {
		return true
	}
	reached, bad := s.swap(ctx, a, sessionProof(a.session.LoggedIn()))
	if !reached {
		return false
	}
	s.kickAll(a.key, a.gone)
	s.enforceNewer(a)
	k := Kick{Key: h.key, Session: h.id, LoginSeq: a.session.LoginSeq}
	switch {
	case bad != nil && bad.Kick != nil:
		k.Reason, k.Code, k.At = bad.Kick.Reason, bad.Kick.Code, bad.Kick.At
		k.ByPlatform, k.ByLabel = bad.Kick.ByPlatform, bad.Kick.ByLabel
		s.kickHere(k)
		s.endLater(h, LoggedOut) // the key may not know that it was there
	case bad != nil:
		s.log.Warn("a session could not be written back: the sweep tries again", "session", h, "error", bad)
	case a.moved:
		k.Resumes = a.before.Resumes
		s.kickHere(k)
	case s.held.with(h, func() { h.resumes, h.meek = a.stored.Resumes, false }):
		s.closeElsewhere(a)
	default:
		s.takeBack(h, a.stored)
	}
	return true
}

// takeBack makes the key forget that this node holds h, which ended or lost its connection while written was written to it.
func (s *Sessions) takeBack(h *Held, written Session) {
	if !s.held.isAway(h) {
		s.removeLater(h.key, h.id, written.Resumes)
		return
	}
	until := time.Now().Add(s.grace(h.platform))
	s.attempt(keyTries, func(ctx context.Context) error { return s.noteLost(ctx, h, written.Resumes, until) },
		"a lost connection could not be noted", "session", h)
}

func (s *Sessions) restoreLater(h *Held) {
	s.attempt(keyTries, func(ctx context.Context) error {
		if !s.restore(ctx, h) {
			return ErrUnavailable
		}
		return nil
	}, "a session could not be written to the registry: the sweep tries again", "session", h)
}
