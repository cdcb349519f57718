package server

import (
	"context"
	"errors"
	"slices"
	"time"
)

// keyTries is how often a change of a user's key that nobody waits for is tried: for about a minute.
const keyTries = 7

// Lost says that the connection of h is gone: the session becomes away and may be resumed within the grace period. It
// returns at once. It does nothing if the session ended or came back already.
func (s *Sessions) Lost(h *Held) {
	grace := s.grace(h.platform)
	if !s.held.lose(h, grace) {
		return
	}
	s.debug("lost", h)
	until := time.Now().Add(grace)
	if s.prompt && s.noteLost(s.background, h, h.resumes, until) == nil {
		return
	}
	s.attempt(keyTries, func(ctx context.Context) error { return s.noteLost(ctx, h, h.resumes, until) },
		"a lost connection could not be noted", "session", h)
}

// noteLost marks the session of h as away in its key, unless it came back since it had so many resumes.
func (s *Sessions) noteLost(ctx context.Context, h *Held, resumes uint32, until time.Time) error {
	return s.edit(ctx, h.key, h.id, func(kept Session) (Session, edit) {
		if kept.Resumes > resumes {
			return kept, leave
		}
		kept.Resumes, kept.Node, kept.AwayUntil = resumes, s.o.Node, until
		return kept, replace
	})
}

// release ends an away session whose grace is over, unless it came back. It runs on the wheel.
func (h *Held) release() {
	s := h.sessions
	if !s.held.released(h) {
		return
	}
	s.debug("released", h)
	s.endLater(h, TimedOut)
}

// Logout ends a session. It is over when Logout returns, whatever the error; the error says that the registry has not heard
// of it yet. Logging out a session that ended already does nothing.
func (s *Sessions) Logout(ctx context.Context, h *Held) error {
	if !s.held.end(h) {
		return nil
	}
	s.debug("logout", h)
	err := s.endInKey(ctx, h, LoggedOut)
	if err != nil {
		s.endLater(h, LoggedOut)
	}
	return err
}

// endInKey takes a session that this node has ended out of its key, unless it came back elsewhere. If the key does not know it, and
// nobody has told of the user since its login, the registry has lost everything meanwhile: then its end is told all the same.
func (s *Sessions) endInKey(ctx context.Context, h *Held, how Action) error {
	known := false
	err := s.edit(ctx, h.key, h.id, func(kept Session) (Session, edit) {
		if known = true; kept.Resumes > h.resumes {
			return kept, leave
		}
		return kept, drop
	})
	if err != nil || known {
		return err
	}
	return s.correct(ctx, Telling{h.key, []Session{h.session()}}, how, h.loginSeq)
}

func (s *Sessions) endLater(h *Held, how Action) {
	s.attempt(keyTries, func(ctx context.Context) error { return s.endInKey(ctx, h, how) },
		"a session could not be taken out of the registry", "session", h)
}

// remove takes a session out of its key, unless it came back on a newer connection.
func (s *Sessions) remove(ctx context.Context, key UserKey, id string, resumes uint32) error {
	return s.edit(ctx, key, id, func(kept Session) (Session, edit) {
		if kept.Resumes > resumes {
			return kept, leave
		}
		return kept, drop
	})
}

func (s *Sessions) removeLater(key UserKey, id string, resumes uint32) {
	s.attempt(keyTries, func(ctx context.Context) error { return s.remove(ctx, key, id, resumes) },
		"a session could not be taken out of the registry", "app", key.App, "user", key.User, "id", id)
}

type edit uint8

const (
	leave edit = iota
	replace
	drop
)

// edit changes one session in its key, if it is there and did not leave. f may be called again.
func (s *Sessions) edit(ctx context.Context, key UserKey, id string, f func(kept Session) (Session, edit)) error {
	err := s.o.Registry.Update(ctx, key, func(sessions []Session) ([]Session, error) {
		i := slices.IndexFunc(sessions, func(k Session) bool { return k.ID == id && k.Left == nil })
		if i < 0 {
			return nil, errDecided
		}
		kept, what := f(sessions[i])
		switch what {
		case replace:
			list := slices.Clone(sessions)
			list[i] = kept
			return list, nil
		case drop:
			return slices.Concat(sessions[:i], sessions[i+1:]), nil
		}
		return nil, errDecided
	})
	if errors.Is(err, errDecided) {
		return nil
	}
	return err
}
