package registrytest_test

import (
	"context"
	"fmt"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/server/registry/registrytest"
)

type (
	sessions = []server.Session
	change   = func(sessions) (sessions, error)
	revising = func(sessions, uint64) (sessions, uint64, error)
)

// mutants are registries that break one sentence of the interface each.
var mutants = map[string]func(r *memory.Registry) server.Registry{
	"loses an update that another one overtook": func(r *memory.Registry) server.Registry { return overtaken{r} },
	"gives the newest session first":            func(r *memory.Registry) server.Registry { return backwards{r} },
	"forgets a label":                           func(r *memory.Registry) server.Registry { return forgetful{r} },
	"stores what came with an error":            func(r *memory.Registry) server.Registry { return stubborn{r} },
	"wraps the error of change":                 func(r *memory.Registry) server.Registry { return wordy{r} },
	"forgets the revision of a removed key":     func(r *memory.Registry) server.Registry { return newborn{r} },
	"gives a change an old revision":            func(r *memory.Registry) server.Registry { return &stale{Registry: r} },
	"takes Alice for alice":                     func(r *memory.Registry) server.Registry { return caseless{r} },
	"answers for a node that is gone":           func(r *memory.Registry) server.Registry { return optimist{r} },
	"waits for an answer for ever":              func(r *memory.Registry) server.Registry { return patient{r} },
	"drops what nodes tell each other":          func(r *memory.Registry) server.Registry { return mute{r} },
	"never leaves":                              func(r *memory.Registry) server.Registry { return clinging{r} },
	"leaves orphans to nobody":                  func(r *memory.Registry) server.Registry { return heartless{r} },
	"remembers orphans that were adopted":       func(r *memory.Registry) server.Registry { return &clingy{Registry: r} },
	"finds every user on every node":            func(r *memory.Registry) server.Registry { return lumping{r} },
}

type overtaken struct{ *memory.Registry }

func (r overtaken) Update(ctx context.Context, k server.UserKey, f change) error {
	before, err := r.Sessions(ctx, k)
	if err != nil {
		return err
	}
	time.Sleep(time.Millisecond)
	after, err := f(before)
	if err != nil {
		return err
	}
	return r.Registry.Update(ctx, k, func(sessions) (sessions, error) { return after, nil })
}

type backwards struct{ *memory.Registry }

func (r backwards) Sessions(ctx context.Context, k server.UserKey) (sessions, error) {
	list, err := r.Registry.Sessions(ctx, k)
	list = slices.Clone(list)
	slices.Reverse(list)
	return list, err
}

type forgetful struct{ *memory.Registry }

func (r forgetful) Update(ctx context.Context, k server.UserKey, f change) error {
	return r.Registry.Update(ctx, k, func(s sessions) (sessions, error) {
		list, err := f(s)
		list = slices.Clone(list)
		for i := range list {
			list[i].Label = ""
		}
		return list, err
	})
}

type stubborn struct{ *memory.Registry }

func (r stubborn) Update(ctx context.Context, k server.UserKey, f change) (err error) {
	stored := r.Registry.Update(ctx, k, func(s sessions) (list sessions, _ error) {
		list, err = f(s)
		return list, nil
	})
	if stored != nil {
		return stored
	}
	return err
}

type wordy struct{ *memory.Registry }

func (r wordy) Update(ctx context.Context, k server.UserKey, f change) error {
	if err := r.Registry.Update(ctx, k, f); err != nil {
		return fmt.Errorf("update: %w", err)
	}
	return nil
}

type newborn struct{ *memory.Registry }

func (r newborn) Revise(ctx context.Context, k server.UserKey, f revising) error {
	return r.Registry.Revise(ctx, k, func(s sessions, revision uint64) (sessions, uint64, error) {
		if len(s) == 0 {
			revision = 0
		}
		return f(s, revision)
	})
}

type stale struct {
	*memory.Registry
	seen uint64
}

func (r *stale) Revise(ctx context.Context, k server.UserKey, f revising) error {
	return r.Registry.Revise(ctx, k, func(s sessions, revision uint64) (sessions, uint64, error) {
		old := r.seen
		r.seen = revision
		return f(s, old)
	})
}

type caseless struct{ *memory.Registry }

func (r caseless) Update(ctx context.Context, k server.UserKey, f change) error {
	k.User = strings.ToLower(k.User)
	return r.Registry.Update(ctx, k, f)
}

func (r caseless) Sessions(ctx context.Context, k server.UserKey) (sessions, error) {
	k.User = strings.ToLower(k.User)
	return r.Registry.Sessions(ctx, k)
}

type optimist struct{ *memory.Registry }

func (r optimist) Kick(ctx context.Context, n server.NodeID, k server.Kick) (bool, error) {
	told, _ := r.Registry.Kick(ctx, n, k)
	return told, nil
}

type patient struct{ *memory.Registry }

func (r patient) Kick(ctx context.Context, n server.NodeID, k server.Kick) (bool, error) {
	told, err := r.Registry.Kick(ctx, n, k)
	if err != nil {
		time.Sleep(time.Minute)
	}
	return told, err
}

type mute struct{ *memory.Registry }

func (mute) Announce(context.Context, server.News) error { return nil }

type clinging struct{ *memory.Registry }

func (clinging) Close() error { return nil }

type lumping struct{ *memory.Registry }

func (r lumping) UsersOn(ctx context.Context, _ server.NodeID) iter.Seq2[server.UserKey, error] {
	nodes, _ := r.Nodes(ctx)
	return r.Registry.UsersOn(ctx, nodes[0])
}

type heartless struct{ *memory.Registry }

func (heartless) Orphans(context.Context, server.NodeID) iter.Seq2[server.UserKey, error] {
	return func(func(server.UserKey, error) bool) {}
}

type clingy struct {
	*memory.Registry
	seen []server.UserKey
}

func (r *clingy) Orphans(ctx context.Context, node server.NodeID) iter.Seq2[server.UserKey, error] {
	return func(yield func(server.UserKey, error) bool) {
		if r.seen == nil {
			for key := range r.Registry.Orphans(ctx, node) {
				r.seen = append(r.seen, key)
			}
		}
		for _, key := range r.seen {
			if !yield(key, nil) {
				return
			}
		}
	}
}

func engine(mutate func(r *memory.Registry) server.Registry) registrytest.Engine {
	return registrytest.Engine{
		Case: synctest.Test,
		New: func(*testing.T) registrytest.Cluster {
			c := memory.NewCluster()
			views := make(map[server.Registry]*memory.Registry)
			return registrytest.Cluster{
				Open: func(*testing.T) server.Registry {
					view := c.Open()
					mutant := mutate(view)
					views[mutant] = view
					return mutant
				},
				Crash: func(_ *testing.T, r server.Registry) { views[r].Crash() },
			}
		},
	}
}

const mutantEnv = "REGISTRYTEST_MUTANT"

// TestTheSuiteFindsMutants runs this test binary again for each mutant, because a suite that finds one fails.
func TestTheSuiteFindsMutants(t *testing.T) {
	if name := os.Getenv(mutantEnv); name != "" {
		registrytest.Run(t, engine(mutants[name]))
		return
	}
	for name := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestTheSuiteFindsMutants$")
			cmd.Env = append(os.Environ(), mutantEnv+"="+name)
			out, err := cmd.CombinedOutput()
			require.Error(t, err, "the suite let it pass:\n%s", out)
			require.Contains(t, string(out), "--- FAIL", "%s", out)
		})
	}
}
