package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// sharedMemory is a memory that keeps a list of changes. What tests change behind a store's back, they note themselves.
type sharedMemory struct {
	*memory
	mu    sync.Mutex
	epoch string
	list  []Changed
	fails bool
}

func (m *sharedMemory) note(c ...Changed) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.list = append(m.list, c...)
}

func (m *sharedMemory) set(epoch string, fails bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.epoch, m.fails = epoch, fails
}

func (m *sharedMemory) Changes(_ context.Context, since Point) ([]Changed, Point, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := Point{m.epoch, int64(len(m.list))}
	switch {
	case m.fails:
		return nil, Point{}, false, errors.New("the connection is lost")
	case since.Epoch != m.epoch:
		return nil, now, true, nil
	}
	return slices.Clone(m.list[since.Seq:]), now, false, nil
}

// Two nodes share a database, and nothing is announced between them.
func sharing(t *testing.T, story func(t *testing.T, m *sharedMemory, here, there *Store)) {
	synctest.Test(t, func(t *testing.T) {
		m := &sharedMemory{memory: newMemory(), epoch: "one"}
		here, there := New(m, Options{}), New(m, Options{})
		defer here.Close()
		defer there.Close()
		synctest.Wait()
		_, err := here.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		_, err = here.Settings(t.Context(), alice.App)
		require.NoError(t, err)
		story(t, m, here, there)
	})
}

// asked reports how often the database is asked for an account and settings that the store has seen.
func asked(t *testing.T, m *sharedMemory, s *Store) int64 {
	m.finds.Store(0)
	_, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	_, err = s.Account(t.Context(), alice)
	require.NoError(t, err)
	_, err = s.Settings(t.Context(), alice.App)
	require.NoError(t, err)
	return m.finds.Load()
}

func TestAChangeThatNobodyAnnouncedIsSeenSoon(t *testing.T) {
	sharing(t, func(t *testing.T, m *sharedMemory, here, there *Store) {
		require.NoError(t, there.Ban(t.Context(), alice, time.Time{}))
		_, err := there.SetSettings(t.Context(), alice.App, server.Settings{ChangedBy: "bob"})
		require.NoError(t, err)
		m.note(Changed{App: alice.App, User: alice.User}, Changed{App: alice.App})
		require.Zero(t, asked(t, m, here), "copies are used")

		time.Sleep(followEvery)
		synctest.Wait()
		require.EqualValues(t, 2, asked(t, m, here))
		a, err := here.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.True(t, a.Banned)
		set, err := here.Settings(t.Context(), alice.App)
		require.NoError(t, err)
		require.Equal(t, "bob", set.ChangedBy)

		time.Sleep(time.Hour)
		require.Zero(t, asked(t, m, here), "copies last for as long as nothing changes")
	})
}

func TestCopiesAreNotUsedForLongWithoutTheDatabase(t *testing.T) {
	sharing(t, func(t *testing.T, m *sharedMemory, here, there *Store) {
		m.set("one", true)
		time.Sleep(staleAfter - 2*followEvery)
		require.Zero(t, asked(t, m, here))
		require.NoError(t, there.Ban(t.Context(), alice, time.Time{}))
		m.note(Changed{App: alice.App, User: alice.User})
		time.Sleep(2 * followEvery)
		require.NotZero(t, asked(t, m, here))
		a, err := here.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.True(t, a.Banned)

		m.set("one", false)
		time.Sleep(2 * followEvery)
		synctest.Wait()
		asked(t, m, here)
		require.Zero(t, asked(t, m, here), "the database is back, and so are the copies")
	})
}

func TestAfterAFailoverEverythingIsForgotten(t *testing.T) {
	sharing(t, func(t *testing.T, m *sharedMemory, here, there *Store) {
		require.NoError(t, there.Ban(t.Context(), alice, time.Time{}))
		m.set("two", false) // the list of the new server does not tell of alice
		time.Sleep(followEvery)
		synctest.Wait()
		require.EqualValues(t, 2, asked(t, m, here))
		require.Zero(t, asked(t, m, here))
	})
}
