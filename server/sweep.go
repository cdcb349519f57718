package server

import (
	"context"
	"iter"
	"slices"
	"time"

	"golang.org/x/time/rate"
)

const (
	sweepRate  = 1000 // keys a second, at least
	sweepBatch = 100
	deadOften  = 10 // times a sweep: how often a node looks for dead ones

	// forgetNode is how long a dead node is remembered that left nobody to this one: for so long, it may have left somebody to
	// another one, which may die as well.
	forgetNode = remember + 5*time.Minute
)

// A sweeper finds what got lost on the way: it compares what this node holds with what the keys say, and takes over what
// dead nodes left. Only its loop uses it.
type sweeper struct {
	round uint32
	nodes map[NodeID]time.Time // when each was last seen alive, or to have left somebody
}

func (s *Sessions) sweepLoop() {
	full := time.NewTicker(s.o.SweepEvery)
	defer full.Stop()
	nodes := time.NewTicker(s.o.SweepEvery / deadOften)
	defer nodes.Stop()
	for {
		select {
		case <-s.background.Done():
			return
		case <-nodes.C:
			s.watch.clear(s.background)
			_ = s.sweepDead(s.background) // comes again soon
		case <-full.C:
			if err := s.sweep(s.background); err != nil && s.background.Err() == nil {
				s.log.Warn("registry: a sweep could not be finished", "error", err)
			}
		}
	}
}

// sweep reads every key that has a session of this node, and then looks after the sessions that none of them had.
func (s *Sessions) sweep(ctx context.Context) error {
	s.failures.tidy(time.Now())
	for _, a := range s.apps {
		s.o.Store.Forget(a.ID, "")
		if err := s.readSettings(ctx, a); err != nil {
			s.log.Warn("store: settings could not be read", "app", a.ID, "error", err)
		}
	}
	s.sweeper.round++
	pace := s.sweepPace()
	if _, err := s.sweepUsers(ctx, s.o.Node, s.o.Registry.UsersOn(ctx, s.o.Node), pace); err != nil {
		return err
	}
	var err error
	s.held.all(func(h *Held) bool {
		right := true
		s.held.with(h, func() { right = h.round == s.sweeper.round })
		if right {
			return true
		}
		if err = pace.next(ctx); err == nil && !s.restore(ctx, h) {
			err = ErrUnavailable
		}
		return err == nil
	})
	return err
}

// A pacer spreads a sweep over time, by resting after each batch of keys.
type pacer struct {
	batches *rate.Limiter
	keys    int
}

// sweepPace returns a pacer for half the time between two sweeps.
func (s *Sessions) sweepPace() *pacer {
	perSecond := 2 * float64(s.Online()) / s.o.SweepEvery.Seconds()
	return &pacer{batches: rate.NewLimiter(rate.Limit(max(perSecond, sweepRate)/sweepBatch), 1)}
}

// next waits until the next key may be looked at.
func (p *pacer) next(ctx context.Context) error {
	if p.keys++; p.keys%sweepBatch != 0 {
		return ctx.Err()
	}
	return p.batches.Wait(ctx)
}

// sweepDead gives the sessions of nodes whose lease ended their grace period, and releases them after it.
func (s *Sessions) sweepDead(ctx context.Context) error {
	alive, err := s.o.Registry.Nodes(ctx)
	if err != nil {
		return err
	}
	for _, n := range alive {
		s.sweeper.nodes[n] = time.Now()
	}
	for n, last := range s.sweeper.nodes {
		if n == s.o.Node || slices.Contains(alive, n) {
			continue
		}
		none, err := s.sweepUsers(ctx, n, s.o.Registry.Orphans(ctx, n), s.sweepPace())
		switch {
		case err != nil:
			return err
		case !none:
			s.sweeper.nodes[n] = time.Now()
		case time.Since(last) > forgetNode:
			delete(s.sweeper.nodes, n)
		}
	}
	return nil
}

// sweepUsers tidies the keys of users who have a session of node, and returns whether there are none.
func (s *Sessions) sweepUsers(ctx context.Context, node NodeID, users iter.Seq2[UserKey, error], pace *pacer) (none bool, err error) {
	none = true
	for key, err := range users {
		if err != nil {
			return false, err
		}
		none = false
		if err := pace.next(ctx); err != nil {
			return false, err
		}
		if err := s.tidy(ctx, key, node); err != nil {
			return false, err
		}
	}
	return none, nil
}

// tidy reads a key and changes it if there is something to do about the sessions of node.
func (s *Sessions) tidy(ctx context.Context, key UserKey, node NodeID) error {
	sessions, err := s.o.Registry.Sessions(ctx, key)
	if err != nil {
		return err
	}
	now := time.Now()
	var ghosts []Session // nobody holds their connection
	over := false
	for i := range sessions {
		k := &sessions[i]
		switch {
		case k.forgotten(now):
			over = true
		case k.Node != node || k.Left != nil:
		case !k.AwayUntil.IsZero():
			over = over || now.After(k.AwayUntil)
		case node != s.o.Node || !s.held.seen(k, s.sweeper.round):
			ghosts = append(ghosts, *k)
		}
	}
	if !over && len(ghosts) == 0 {
		return nil
	}
	return s.o.Registry.Update(ctx, key, func(sessions []Session) ([]Session, error) {
		return s.tidied(sessions, ghosts, now), nil
	})
}

// tidied returns sessions without those whose time is over. The ghosts become away.
func (s *Sessions) tidied(sessions, ghosts []Session, now time.Time) []Session {
	list := make([]Session, 0, len(sessions))
	for _, k := range sessions {
		if !k.AwayUntil.IsZero() && now.After(k.AwayUntil) {
			continue
		}
		if slices.ContainsFunc(ghosts, func(g Session) bool { return k.ID == g.ID && k.Resumes == g.Resumes && k.Left == nil }) &&
			k.AwayUntil.IsZero() {
			k.AwayUntil = now.Add(s.grace(k.Platform))
		}
		list = append(list, k)
	}
	return list
}
