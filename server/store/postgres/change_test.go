//go:build unix

package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// An operator changes one account and one app's settings, again and again, and remembers what was acknowledged. A change that
// failed may have happened or not.
type operator struct {
	key   server.UserKey // an app of its own
	step  int64
	done  atomic.Int64
	known state   // acknowledged
	maybe []state // what it may be instead
}

// A state is what must survive. Times are whole seconds.
type state struct {
	notBefore, bannedUntil int64
	banned, gone           bool
	version                int64
	absent                 bool
}

func newOperator(i int) *operator {
	o := &operator{key: server.UserKey{App: 7_000 + uint64(i), User: "user"}}
	o.known.gone = true
	return o
}

// change does the next thing and notes how it went. It returns an error that is not an answer.
func (o *operator) change(s server.Store) error {
	ctx := context.Background()
	o.step++
	next := o.known
	at := time.Unix(1_000+o.step, 0)
	var err error
	switch what := o.step % 7; {
	case next.gone || what == 0:
		next.gone = false
		err = s.Import(ctx, o.key.App, []string{o.key.User})
	case what == 1:
		next.notBefore, next.absent = at.Unix(), false
		err = s.Revoke(ctx, o.key, at)
	case what == 2:
		next.banned, next.bannedUntil, next.absent = true, at.Unix(), false
		err = s.Ban(ctx, o.key, at)
	case what == 3:
		next.banned, next.bannedUntil = false, 0
		err = s.Unban(ctx, o.key)
	case what == 4:
		next.version++
		_, err = s.SetSettings(ctx, o.key.App, server.Settings{Policy: codes.PolicySingle, Version: o.known.version})
	case what == 5:
		next.absent = true
		err = s.UpdateAbsences(ctx, []server.UserKey{o.key}, func(server.UserKey, []server.Absence) []server.Absence {
			return []server.Absence{{Instance: "i", Platform: codes.PlatformIOS, LoginSeq: 1, Since: time.Now()}}
		})
	default:
		next = state{notBefore: at.Unix(), gone: true, version: next.version}
		err = s.Delete(ctx, o.key, at)
	}
	if err != nil {
		o.maybe = []state{next}
		return err
	}
	o.known = next
	o.done.Add(1)
	return nil
}

// read returns what a store has of it.
func (o *operator) read(t *testing.T, s server.Store) (got state) {
	a, err := s.Account(t.Context(), o.key)
	if got.gone = err != nil; got.gone {
		require.ErrorIs(t, err, codes.AccountNotFound)
	}
	if !a.NotBefore.IsZero() {
		got.notBefore = a.NotBefore.Unix()
	}
	if got.banned = a.Banned; got.banned {
		got.bannedUntil = a.BannedUntil.Unix()
	}
	set, err := s.Settings(t.Context(), o.key.App)
	require.NoError(t, err)
	got.version = set.Version
	absent, err := s.Absences(t.Context(), o.key.App, []string{o.key.User})
	require.NoError(t, err)
	got.absent = len(absent) > 0
	return got
}

// Accounts, bans, revocations, deletions, settings and absences are changed on two nodes while the server is killed.
func TestNoChangeThatWasAnsweredIsLostWhenPostgreSQLIsKilled(t *testing.T) {
	postgres := brittle.get(t)
	url := schemaOf(t, postgres)
	nodes := []server.Store{openStore(t, url), openStore(t, url)}
	var operators []*operator
	for i := range 16 {
		operators = append(operators, newOperator(i))
	}
	for kill := range 3 {
		var wg sync.WaitGroup
		var stop atomic.Bool
		var answered atomic.Int64
		for i, o := range operators {
			wg.Go(func() {
				for !stop.Load() && o.change(nodes[i%2]) == nil {
					answered.Add(1)
				}
			})
		}
		require.Eventually(t, func() bool { return answered.Load() > 50 }, time.Minute, time.Millisecond)
		time.Sleep(time.Duration(rand.IntN(300)) * time.Millisecond) // the instant of the kill: nothing is waited for
		require.NoError(t, postgres.Kill())
		stop.Store(true)
		wg.Wait()
		require.NoError(t, postgres.Run())
		fresh := openStore(t, url)
		for _, o := range operators {
			got := o.read(t, fresh)
			require.True(t, got == o.known || slices.Contains(o.maybe, got), fmt.Sprintf("kill %d: %+v is neither %+v nor one of %+v", kill+1, got, o.known, o.maybe))
			o.known, o.maybe = got, nil
			nodes[0].Forget(o.key.App, o.key.User)
			nodes[1].Forget(o.key.App, o.key.User)
		}
		t.Logf("kill %d: %d changes answered, 0 lost", kill+1, answered.Load())
	}
}
