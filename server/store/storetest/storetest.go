// Package storetest holds the tests that every engine of server.Store must pass: one for each sentence that the interface
// promises, a race for each that must hold under concurrency, and random histories against a plain map.
package storetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// An Engine is what the suite runs on.
type Engine struct {
	// Open opens an empty store. The suite closes it.
	Open func(t testing.TB) server.Store
	// Reopen closes s and opens what it kept, as a restarted server does.
	Reopen func(t testing.TB, s server.Store) server.Store
	// OpenSecond opens what s keeps once more, as another node does. It is nil for an engine that serves one process only;
	// then the tests of several nodes are skipped.
	OpenSecond func(t testing.TB, s server.Store) server.Store
}

// Run tests an engine.
func Run(t *testing.T, e Engine) {
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"arrive", arriveCases},
		{"account", accountCases},
		{"revoke and delete", revokeCases},
		{"settings", settingsCases},
		{"actives", activesCases},
		{"absences", absenceCases},
		{"one after the other", historyCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newSuite(t, e)) })
			}
		})
	}
	t.Run("nodes", func(t *testing.T) {
		if e.OpenSecond == nil {
			t.Skip("this engine serves one process")
		}
		for _, c := range nodeCases {
			t.Run(c.name, func(t *testing.T) { c.run(newSuite(t, e)) })
		}
	})
}

type testCase struct {
	name string
	run  func(s *suite)
}

// A suite is the store of one test, and shorter words for its methods, which fail the test on errors.
type suite struct {
	*require.Assertions
	t      testing.TB
	engine Engine
	store  server.Store
}

const (
	app   uint64     = 1400000001
	today server.Day = 20_000
)

func newSuite(t testing.TB, e Engine) *suite {
	s := &suite{Assertions: require.New(t), t: t, engine: e, store: e.Open(t)}
	t.Cleanup(func() { s.NoError(s.store.Close()) })
	return s
}

// second returns another node's view of the same store.
func (s *suite) second() *suite {
	other := &suite{Assertions: s.Assertions, t: s.t, engine: s.engine, store: s.engine.OpenSecond(s.t, s.store)}
	s.t.Cleanup(func() { s.NoError(other.store.Close()) })
	return other
}

func (s *suite) reopen() { s.store = s.engine.Reopen(s.t, s.store) }

func user(name string) server.UserKey { return server.UserKey{App: app, User: name} }

func (s *suite) arrive(key server.UserKey, day server.Day) server.Arrival {
	s.t.Helper()
	a, err := s.store.Arrive(s.t.Context(), key, day, nil)
	s.NoError(err)
	return a
}

func (s *suite) account(key server.UserKey) server.Account {
	s.t.Helper()
	a, err := s.store.Account(s.t.Context(), key)
	s.NoError(err)
	return a
}

func (s *suite) noAccount(key server.UserKey) {
	s.t.Helper()
	_, err := s.store.Account(s.t.Context(), key)
	s.ErrorIs(err, codes.AccountNotFound)
}

func (s *suite) importUsers(users ...string) {
	s.t.Helper()
	s.NoError(s.store.Import(s.t.Context(), app, users))
}

func (s *suite) delete(key server.UserKey, at time.Time) {
	s.t.Helper()
	s.NoError(s.store.Delete(s.t.Context(), key, at))
}

func (s *suite) ban(key server.UserKey, until time.Time) {
	s.t.Helper()
	s.NoError(s.store.Ban(s.t.Context(), key, until))
}

func (s *suite) unban(key server.UserKey) {
	s.t.Helper()
	s.NoError(s.store.Unban(s.t.Context(), key))
}

func (s *suite) revoke(key server.UserKey, at time.Time) {
	s.t.Helper()
	s.NoError(s.store.Revoke(s.t.Context(), key, at))
}

func (s *suite) settings() server.Settings {
	s.t.Helper()
	set, err := s.store.Settings(s.t.Context(), app)
	s.NoError(err)
	return set
}

func (s *suite) setSettings(set server.Settings) server.Settings {
	s.t.Helper()
	set, err := s.store.SetSettings(s.t.Context(), app, set)
	s.NoError(err)
	return set
}

func (s *suite) actives(from, to server.Day) int64 {
	s.t.Helper()
	a, err := s.store.Actives(s.t.Context(), app, from, to)
	s.NoError(err)
	s.Equal(server.Actives{From: from, To: to, Users: a.Users}, a)
	return a.Users
}

// forget makes the next answers come from the database.
func (s *suite) forget(key server.UserKey) { s.store.Forget(key.App, key.User) }

// at returns a moment that a store keeps exactly.
func at(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }

// tally counts what a crowd of logins was told.
type tally struct{ made, first, failed atomic.Int64 }

// crowd lets n goroutines arrive at the same time.
func crowd(t testing.TB, n int, store func(i int) server.Store, key func(i int) server.UserKey, day server.Day) *tally {
	var told tally
	var wg sync.WaitGroup
	start := make(chan struct{})
	for i := range n {
		wg.Go(func() {
			<-start
			a, err := store(i).Arrive(t.Context(), key(i), day, nil)
			if err != nil {
				told.failed.Add(1)
				t.Errorf("arrive %d: %v", i, err)
			}
			if a.New {
				told.made.Add(1)
			}
			if a.FirstToday {
				told.first.Add(1)
			}
		})
	}
	close(start)
	wg.Wait()
	return &told
}

func numbered(i int) server.UserKey { return user(fmt.Sprintf("user-%06d", i)) }
