package store

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

func TestALaterLoginOfTheDayDoesNotReachTheDatabase(t *testing.T) {
	m := newMemory()
	s := New(m, Options{})
	defer s.Close()
	first, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	m.finds.Store(0)
	m.commits.Store(0)
	for range 100 {
		a, err := s.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.Equal(t, server.Arrival{Account: first.Account}, a)
		_, err = s.Account(t.Context(), alice)
		require.NoError(t, err)
	}
	require.Zero(t, m.finds.Load())
	require.Zero(t, m.commits.Load())
	require.Zero(t, testing.AllocsPerRun(100, func() { _, _ = s.Arrive(context.Background(), alice, today, nil) }))

	_, err = s.Settings(t.Context(), 1)
	require.NoError(t, err)
	m.finds.Store(0)
	_, err = s.Settings(t.Context(), 1)
	require.NoError(t, err)
	require.Zero(t, m.finds.Load())
}

// Another node bans alice and this one is told to forget her, while it reads her or writes her login.
func TestAForgetIsNotUndoneByWhatIsUnderWay(t *testing.T) {
	for _, c := range []struct {
		name  string
		login server.Day // alice is marked today
		at    func(m *memory, pause func())
	}{
		{"a read", today, func(m *memory, pause func()) { m.found = pause }},
		{"a commit", today + 1, func(m *memory, pause func()) { m.committed = pause }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMemory()
			here, there := New(m, Options{}), New(m, Options{})
			defer here.Close()
			defer there.Close()
			_, err := there.Arrive(t.Context(), alice, today, nil)
			require.NoError(t, err)

			var paused atomic.Bool
			reached, goOn := make(chan struct{}), make(chan struct{})
			c.at(m, func() {
				if paused.CompareAndSwap(false, true) {
					close(reached)
					<-goOn
				}
			})
			underWay := login(here, alice, c.login)
			<-reached
			require.NoError(t, there.Ban(t.Context(), alice, time.Time{}))
			here.Forget(alice.App, alice.User)
			close(goOn)
			a := <-underWay
			require.NoError(t, a.err)
			require.False(t, a.Banned, "it came before the ban")

			a.Account, err = here.Account(t.Context(), alice)
			require.NoError(t, err)
			require.True(t, a.Banned)
		})
	}
}

func TestSettingsThatAreForgottenWhileTheyAreReadAreReadAgain(t *testing.T) {
	c := &settingsCache{}
	_, f, known := c.get(1)
	require.False(t, known)
	c.drop(1)
	c.put(1, server.Settings{Version: 1}, f)
	_, f, known = c.get(1)
	require.False(t, known, "what was read before the drop may be stale")
	c.put(1, server.Settings{Version: 2}, f)
	s, _, known := c.get(1)
	require.True(t, known)
	require.EqualValues(t, 2, s.Version)
}

// The database may have committed and only failed to say so.
func TestAfterAChangeThatFailedTheDatabaseIsAsked(t *testing.T) {
	m := newMemory()
	s := New(m, Options{})
	defer s.Close()
	_, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	_, err = s.Settings(t.Context(), alice.App)
	require.NoError(t, err)
	m.finds.Store(0)
	m.commit = func() error { return errors.New("the connection is lost") }
	require.ErrorIs(t, s.Ban(t.Context(), alice, time.Time{}), codes.ServerInternal)
	_, err = s.SetSettings(t.Context(), alice.App, server.Settings{})
	require.ErrorIs(t, err, codes.ServerInternal)
	_, err = s.Account(t.Context(), alice)
	require.NoError(t, err)
	_, err = s.Settings(t.Context(), alice.App)
	require.NoError(t, err)
	require.EqualValues(t, 2, m.finds.Load())
}
