package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/opentim/tim/codes"
)

// kickTries is how often a node is asked to end a session before that is left to its own sweep.
const kickTries = 3

// tell ends h's connection, whose session is out of the table already.
func (h *Held) tell(k Kick) {
	if k.Reason == 0 {
		h.conn.Moved()
		return
	}
	if log := h.sessions.log; log.Enabled(h.sessions.background, slog.LevelDebug) {
		log.Debug("kicked", "session", h, "reason", k.Reason, "by", k.ByPlatform)
	}
	h.conn.Kick(k)
}

// kickAll has everybody told who had to leave. It does not wait.
func (s *Sessions) kickAll(key UserKey, gone []Departure) {
	for i := range gone {
		left := &gone[i].Session
		switch {
		case left.AwayUntil.IsZero(): // the others learn it when they come back
			s.kickLater(left.Node, gone[i].kick(key))
		case left.Node == s.o.Node:
			s.held.replaced(left.ID)
		}
	}
}

// kickLater asks a node to end a session, again if it does not answer. It does not wait.
func (s *Sessions) kickLater(node NodeID, k Kick) {
	s.attempt(kickTries, func(ctx context.Context) error {
		_, err := s.kickOn(ctx, node, k)
		return err
	}, "a node could not be told of a kick: its sweep will find it", "node", node, "user", k.Key.User)
}

// kickOn asks a node to end a session and returns whether a connection was told.
func (s *Sessions) kickOn(ctx context.Context, node NodeID, k Kick) (told bool, err error) {
	if node == s.o.Node {
		return s.kickHere(k), nil
	}
	return s.o.Registry.Kick(ctx, node, k)
}

func (s *Sessions) kickHere(k Kick) (told bool) {
	h, told := s.held.kick(k)
	if h != nil {
		h.tell(k)
	}
	return told
}

// A nodeHandler is what the registry calls.
type nodeHandler struct{ s *Sessions }

func (n nodeHandler) HandleKick(k Kick) bool { return n.s.kickHere(k) }

func (n nodeHandler) HandleNews(news News) {
	if news == (News{}) {
		for id := range n.s.apps {
			n.HandleNews(News{App: id})
		}
		return
	}
	n.s.o.Store.Forget(news.App, news.User)
	if a := n.s.apps[news.App]; a != nil && news.User == "" {
		n.s.attempt(settingsTries, func(ctx context.Context) error { return n.s.readSettings(ctx, a) },
			"changed settings could not be read yet", "app", a.ID)
	}
}

func (n nodeHandler) HandleClock(node NodeID, reading time.Time) {
	if n.s.clock.hear(reading) {
		n.s.log.Warn("the clock of a node is too far ahead of this one's to be followed: see that both are set by NTP", "node", node,
			"ahead", time.Until(reading).Round(time.Millisecond), "limit", maxAhead)
	}
}

// attempt runs f soon, and again after 1 s, 2 s, 4 s … until it returns nil or was tried so often. Then, or if there is too
// much to do, it says so in the log: everything done this way is found again by the sweep. It does not wait.
func (s *Sessions) attempt(tries int, f func(ctx context.Context) error, gaveUp string, args ...any) {
	s.attemptAfter(time.Second, tries, f, gaveUp, args)
}

func (s *Sessions) attemptAfter(pause time.Duration, tries int, f func(ctx context.Context) error, gaveUp string, args []any) {
	ok := s.chores.do(func() {
		err := f(s.background)
		switch {
		case err == nil || s.background.Err() != nil:
		case tries <= 1:
			s.log.Warn(gaveUp, append(args, "error", err)...)
		default:
			s.wheel.Start(new(Timer), pause, func() { s.attemptAfter(2*pause, tries-1, f, gaveUp, args) })
		}
	})
	if !ok && !s.closing.Load() {
		s.log.Warn(gaveUp, append(args, "error", codes.Overloaded)...)
	}
}
