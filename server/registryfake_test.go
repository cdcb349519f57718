package server_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// A faultyRegistry goes wrong where a story wants it to. It calls every change twice.
type faultyRegistry struct {
	server.Registry
	revisions *revisions
	id        server.NodeID
	handler   server.NodeHandler
	joining   func()

	mu         sync.Mutex
	down       bool
	loseKick   bool
	fails      error  // what Update fails with
	unanswered fate   // of the next Update, which gets no answer
	guesses    bool   // that there are no sessions, and does not get to know
	forgets    bool   // the revisions of keys without sessions, as a registry that lost everything
	updating   func() // before the next Update, once
	updated    func() // after the next Update, once
}

func (r *faultyRegistry) Join(ctx context.Context, node server.NodeID, h server.NodeHandler) error {
	r.handler = h
	if r.joining != nil {
		r.joining()
	}
	return r.Registry.Join(ctx, node, h)
}

// revisions are those of keys, as exact as those of a registry that keeps them beside the sessions.
type revisions struct {
	mu   sync.Mutex
	keys map[server.UserKey]uint64
}

func (r *revisions) of(k server.UserKey) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.keys[k]
}

func (r *revisions) set(k server.UserKey, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[k] = revision
}

type fate int

const (
	stored fate = iota + 1
	lost
)

func (r *faultyRegistry) Inherited() []server.NodeID {
	if heir, ok := r.Registry.(server.Heir); ok {
		return heir.Inherited()
	}
	return nil
}

func (r *faultyRegistry) set(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
}

func (r *faultyRegistry) isDown() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.down
}

func (r *faultyRegistry) Update(ctx context.Context, k server.UserKey, change func([]server.Session) ([]server.Session, error)) error {
	return r.Revise(ctx, k, func(s []server.Session, revision uint64) ([]server.Session, uint64, error) {
		after, err := change(s)
		return after, revision, err
	})
}

func (r *faultyRegistry) Revise(
	ctx context.Context, k server.UserKey, change func([]server.Session, uint64) ([]server.Session, uint64, error),
) error {
	r.mu.Lock()
	down, fails, updating, unanswered, guesses, forgets := r.down, r.fails, r.updating, r.unanswered, r.guesses, r.forgets
	r.updating, r.unanswered = nil, 0
	r.mu.Unlock()
	if updating != nil {
		updating()
	}
	if down {
		return fmt.Errorf("no leader: %w", server.ErrUnavailable)
	}
	if fails != nil {
		return fails
	}
	if guesses {
		_, _, _ = change(nil, 0)
		return fmt.Errorf("no leader: %w", server.ErrUnavailable)
	}
	if unanswered == lost {
		return r.Registry.Revise(ctx, k, func(s []server.Session, _ uint64) ([]server.Session, uint64, error) {
			if _, _, err := change(s, r.revisions.of(k)); err != nil {
				return nil, 0, err
			}
			return nil, 0, fmt.Errorf("no answer: %w", server.ErrUnavailable)
		})
	}
	err := r.Registry.Revise(ctx, k, func(s []server.Session, _ uint64) ([]server.Session, uint64, error) {
		revision := r.revisions.of(k)
		if forgets && len(s) == 0 {
			revision = 0
		}
		_, _, _ = change(s, revision)
		after, revision, err := change(s, revision)
		if err == nil {
			r.revisions.set(k, revision)
		}
		return after, revision, err
	})
	r.mu.Lock()
	updated := r.updated
	r.updated = nil
	r.mu.Unlock()
	if updated != nil {
		updated()
	}
	if err == nil && unanswered == stored {
		return fmt.Errorf("no answer: %w", server.ErrUnavailable)
	}
	return err
}

func (r *faultyRegistry) Sessions(ctx context.Context, k server.UserKey) ([]server.Session, error) {
	if r.isDown() {
		return nil, server.ErrUnavailable
	}
	return r.Registry.Sessions(ctx, k)
}

func (r *faultyRegistry) Kick(ctx context.Context, n server.NodeID, k server.Kick) (bool, error) {
	r.mu.Lock()
	lose := r.loseKick || r.down
	r.mu.Unlock()
	if lose {
		return false, errors.New("the kick was lost")
	}
	return r.Registry.Kick(ctx, n, k)
}

// wipe loses all keys.
func (w *world) wipe(n *node, users ...string) {
	w.t.Helper()
	for _, u := range users {
		require.NoError(w.t, n.registry.Registry.Update(ctx, key(u), func([]server.Session) ([]server.Session, error) { return nil, nil }))
		w.revisions.set(key(u), 0)
	}
}
