package server

import (
	"context"
	"errors"
	"time"

	"github.com/opentim/tim/codes"
)

// admitWithin is how long a login waits for a registry that cannot be reached before it is admitted for the time being.
const (
	admitWithin = 500 * time.Millisecond
	admitRetry  = 50 * time.Millisecond
)

// admit brings h into its user's key and into the table, closes its older connection, and has everybody kicked who had to
// leave. h's LoginSeq, number of resumes and expiry come out of it.
func (s *Sessions) admit(ctx context.Context, h *Held, a *admission, p proof) *Refusal {
	s.held.expect(h)
	arrived := false
	defer func() {
		if !arrived { // also if something on the way panics
			s.held.forget(h)
		}
	}()
	reached, bad := s.swap(ctx, a, p)
	if !reached {
		bad = s.vouchProvisionally(ctx, a, p)
	}
	s.kickAll(a.key, a.gone) // also when h is refused
	if bad != nil {
		return bad
	}
	h.meek = a.meek && !reached
	h.loginSeq, h.resumes, h.expires = a.stored.LoginSeq, a.stored.Resumes, a.stored.TicketExpires.Unix()
	early, older := s.held.hold(h)
	arrived = true
	switch {
	case early != nil:
		h.tell(*early)
	case older != nil:
		older.conn.Moved()
	}
	s.closeElsewhere(a)
	s.enforceNewer(a)
	if !reached && s.unsettled.add(h) {
		s.log.Warn("registry: cannot be reached; logins are admitted provisionally")
	}
	return nil
}

// closeElsewhere has another node close the connection that the session of a had there.
func (s *Sessions) closeElsewhere(a *admission) {
	if b := &a.before; b.ID != "" && b.Node != s.o.Node && b.AwayUntil.IsZero() {
		s.kickLater(b.Node, Kick{Key: a.key, Session: b.ID, LoginSeq: b.LoginSeq, Resumes: a.stored.Resumes})
	}
}

// swap makes the change of a in the registry and returns whether the registry could be reached. It asks the store for the
// account where a session comes back that its key does not know, and where an administrator did something to the account
// meanwhile.
func (s *Sessions) swap(ctx context.Context, a *admission, p proof) (reached bool, bad *Refusal) {
	err := s.update(ctx, a)
	if errors.Is(err, errDecided) && a.unknown {
		if bad := s.vouch(ctx, a.key, p, false); bad != nil {
			return true, bad
		}
		a.vouched = true
		err = s.update(ctx, a)
	}
	switch {
	case errors.Is(err, ErrUnavailable):
		a.outcome = outcome{stored: a.session}
		return false, nil
	case err != nil && !errors.Is(err, errDecided):
		a.outcome = outcome{}
		s.log.Warn("registry: a session could not be admitted", "app", a.key.App, "user", a.key.User, "error", err)
		return true, refuseBroken(err)
	case a.refused != nil:
		return true, s.refuseLeft(ctx, a, p)
	case a.marked:
		if bad := s.vouch(ctx, a.key, p, true); bad != nil {
			s.removeLater(a.key, a.stored.ID, a.stored.Resumes)
			return true, bad
		}
	}
	return true, nil
}

// update is Registry.Update, tried again for a while if the registry cannot be reached.
func (s *Sessions) update(ctx context.Context, a *admission) error {
	began := time.Now()
	err := s.admitting.Update(ctx, a.key, a.room.change)
	for errors.Is(err, ErrUnavailable) && time.Since(began) < admitWithin && pause(ctx, admitRetry) {
		err = s.admitting.Update(ctx, a.key, a.room.change)
	}
	return err
}

// refuseLeft is the answer to a session that had to leave. Where an administrator ended it, the account says whether there
// is a more lasting reason.
func (s *Sessions) refuseLeft(ctx context.Context, a *admission, p proof) *Refusal {
	k := a.refused
	if k.Reason == codes.KickRESTAPI || k.Reason == codes.KickAccountDeleted {
		if bad := s.vouch(ctx, a.key, p, true); bad != nil {
			bad.Kick = k
			return bad
		}
	}
	return refuseKicked(k)
}

// vouch asks the store whether a session may go on by what proves it; fresh means that no copy will do. The refusal carries
// the kick that ends it.
func (s *Sessions) vouch(ctx context.Context, key UserKey, p proof, fresh bool) *Refusal {
	if fresh {
		s.o.Store.Forget(key.App, key.User)
	}
	account, err := s.o.Store.Account(ctx, key)
	now := time.Now()
	var bad *Refusal
	k := Kick{Key: key, Reason: codes.KickRESTAPI, Code: codes.KickedOffline, At: now}
	switch {
	case errors.Is(err, codes.AccountNotFound):
		bad = refuse(codes.TicketRevoked, "the account was deleted")
		k.Reason = codes.KickAccountDeleted
	case err != nil:
		s.log.Warn("store: an account could not be read", "app", key.App, "user", key.User, "error", err)
		return refuseBroken(err)
	default:
		bad = permit(account, p, now)
		if !account.NotBefore.IsZero() {
			k.At = account.NotBefore
		}
	}
	if bad != nil {
		bad.Kick = &k
	}
	return bad
}
