package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
)

// SessionsOf returns the sessions of a user that last, away ones included, oldest login first.
func (s *Sessions) SessionsOf(ctx context.Context, key UserKey) ([]Session, error) {
	sessions, err := s.o.Registry.Sessions(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("sessions of %s: %w", key.User, err)
	}
	return lasting(sessions), nil
}

// lasting returns the sessions that did not leave.
func lasting(sessions []Session) []Session {
	list := make([]Session, 0, len(sessions))
	for _, s := range sessions {
		if s.Left == nil {
			list = append(list, s)
		}
	}
	return list
}

// An Ending is a session that an administrator ended.
type Ending struct {
	Session Session
	Told    bool  // a live connection was told
	Err     error // its node is silent: the client learns it when that node finds out, or when it comes back
}

// KickUser ends every session of a user on every node with rest_api and refuses tickets and resume tickets that are older
// than now: a ticket of this second or later is accepted. It waits for the answers of the nodes, at most about 2 s.
//
// The error is codes.AccountNotFound if there is no such account. Any other error means that not everything may have
// happened, and that it is right to call KickUser again.
func (s *Sessions) KickUser(ctx context.Context, key UserKey) ([]Ending, error) {
	now := s.clock.now()
	if err := s.o.Store.Revoke(ctx, key, now); err != nil {
		return nil, fmt.Errorf("kick %s: %w", key.User, err)
	}
	return s.endUser(ctx, key, Kick{Key: key, Reason: codes.KickRESTAPI, Code: codes.KickedOffline, At: now})
}

// DeleteAccount removes an account and ends its sessions with account_deleted. Tickets and resume tickets from before are
// refused, also when the account is made again. The error is as with KickUser.
func (s *Sessions) DeleteAccount(ctx context.Context, key UserKey) ([]Ending, error) {
	now := s.clock.now()
	if err := s.o.Store.Delete(ctx, key, now); err != nil {
		return nil, fmt.Errorf("delete %s: %w", key.User, err)
	}
	return s.endUser(ctx, key, Kick{Key: key, Reason: codes.KickAccountDeleted, Code: codes.KickedOffline, At: now})
}

// Ban bans an account until a moment, or for ever if until is zero, and ends its sessions with rest_api; logins and resumes
// are refused with codes.AccountBanned. The error is as with KickUser.
func (s *Sessions) Ban(ctx context.Context, key UserKey, until time.Time) ([]Ending, error) {
	if err := s.o.Store.Ban(ctx, key, until); err != nil {
		return nil, fmt.Errorf("ban %s: %w", key.User, err)
	}
	return s.endUser(ctx, key, Kick{Key: key, Reason: codes.KickRESTAPI, Code: codes.KickedOffline, At: s.clock.now()})
}

// Unban ends a ban.
func (s *Sessions) Unban(ctx context.Context, key UserKey) error {
	if err := s.o.Store.Unban(ctx, key); err != nil {
		return fmt.Errorf("unban %s: %w", key.User, err)
	}
	s.announce(ctx, News(key))
	return nil
}

// KickSession ends one session of a user with rest_api. The instance may log in again with the same ticket. It returns no
// Ending if the user has no such session.
func (s *Sessions) KickSession(ctx context.Context, key UserKey, id string) ([]Ending, error) {
	k := Kick{Key: key, Reason: codes.KickRESTAPI, Code: codes.KickedOffline, At: s.clock.now()}
	return s.endSessions(ctx, k, id)
}

// endUser ends all sessions of a user, after what made it necessary is in the store.
func (s *Sessions) endUser(ctx context.Context, key UserKey, k Kick) ([]Ending, error) {
	s.o.Store.Forget(key.App, key.User)
	s.announce(ctx, News(key))
	return s.endSessions(ctx, k, "")
}

// endSessions makes a record of the session called id, or of all if id is empty, and tells their connections. With all, an
// empty record says that an administrator was here: a login that is under way looks at its account again, and every later
// one is newer than this. The newest says it for those before. However often an administrator comes, a key has no more records than
// maxRecords: a backend that kicks in a loop must not make one that the registry refuses.
func (s *Sessions) endSessions(ctx context.Context, k Kick, id string) ([]Ending, error) {
	tick := s.clock.next()
	var ended []Ending
	err := s.o.Registry.Update(ctx, k.Key, func(sessions []Session) ([]Session, error) {
		ended = nil
		list := slices.Clone(sessions)
		for i := range list {
			if list[i].Left != nil || id != "" && list[i].ID != id {
				continue
			}
			ended = append(ended, Ending{Session: list[i]})
			k := k
			k.Session, k.LoginSeq = list[i].ID, list[i].LoginSeq
			list[i] = list[i].leave(k, k.At)
		}
		switch {
		case id == "":
			list = slices.DeleteFunc(list, func(s Session) bool { return s.ID == "" })
			mark := Session{LoginSeq: loginSeq(tick, sessions), Node: s.o.Node}
			list = append(list, mark.leave(k, k.At))
		case len(ended) == 0:
			return nil, errDecided
		}
		return dropRecords(list, len(list)-len(lasting(list))-maxRecords), nil
	})
	if err != nil && !errors.Is(err, errDecided) {
		return nil, fmt.Errorf("end the sessions of %s: %w", k.Key.User, err)
	}
	s.log.Info("sessions ended by an administrator", "app", k.Key.App, "user", k.Key.User, "reason", k.Reason, "sessions", len(ended))
	s.tellEnded(ctx, k, ended)
	return ended, nil
}

// tellEnded tells the connections, all at the same time, and waits for the answers. Who did not answer is asked again.
func (s *Sessions) tellEnded(ctx context.Context, k Kick, ended []Ending) {
	var wait sync.WaitGroup
	for i := range ended {
		e := &ended[i]
		if !e.Session.AwayUntil.IsZero() {
			continue
		}
		k := k
		k.Session, k.LoginSeq = e.Session.ID, e.Session.LoginSeq
		wait.Go(func() {
			if e.Told, e.Err = s.kickOn(ctx, e.Session.Node, k); e.Err != nil {
				s.kickLater(e.Session.Node, k)
			}
		})
	}
	wait.Wait()
}
