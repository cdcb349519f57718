package server

import (
	"context"
	"slices"
	"time"
)

// inherit gives the sessions of nodes that died before this one was started their grace period, from now on: they may come back
// here. After it the sweep releases them and tells so, as for any dead node. That they are away is told to nobody: mostly they
// are back before anybody needs to know.
func (s *Sessions) inherit(ctx context.Context, r Heir) {
	now := time.Now()
	users := 0
	for _, node := range r.Inherited() {
		s.sweeper.nodes[node] = now
		for key, err := range r.UsersOn(ctx, node) {
			if err == nil {
				err = r.Update(ctx, key, func(sessions []Session) ([]Session, error) { return s.orphaned(sessions, node, now), nil })
			}
			if err != nil {
				s.log.Warn("registry: a user who was signed in before this start could not be taken over", "user", key.User, "error", err)
				continue
			}
			users++
		}
	}
	if users > 0 {
		s.log.Info("users were signed in before this start: their sessions may come back", "users", users)
	}
}

// orphaned returns sessions with those of a dead node away.
func (s *Sessions) orphaned(sessions []Session, node NodeID, now time.Time) []Session {
	list := slices.Clone(sessions)
	for i := range list {
		if k := &list[i]; k.Node == node && k.Left == nil {
			k.AwayUntil = now.Add(s.grace(k.Platform))
		}
	}
	return list
}
