package store

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The suite runs on maps too: it must not know more of SQL than the interface does, and here several nodes share a store.
func TestStore(t *testing.T) {
	databases := map[server.Store]*memory{}
	open := func(m *memory) server.Store {
		s := New(m, Options{})
		databases[s] = m
		return s
	}
	storetest.Run(t, storetest.Engine{
		Open: func(testing.TB) server.Store { return open(newMemory()) },
		Reopen: func(t testing.TB, s server.Store) server.Store {
			require.NoError(t, s.Close())
			return open(databases[s])
		},
		OpenSecond: func(_ testing.TB, s server.Store) server.Store { return open(databases[s]) },
	})
}

var (
	alice = server.UserKey{App: 1, User: "alice"}
	bob   = server.UserKey{App: 1, User: "bob"}
)

const today server.Day = 20_000

// gate lets a test hold commits, one by one.
type gate struct {
	reached chan struct{} // a commit waits
	verdict chan error    // it goes on, or fails
}

func holdCommits(m *memory) gate {
	g := gate{make(chan struct{}), make(chan error)}
	m.commit = func() error {
		g.reached <- struct{}{}
		return <-g.verdict
	}
	return g
}

// login arrives in the background and returns where the answer will be.
func login(s *Store, key server.UserKey, day server.Day) <-chan answer {
	c := make(chan answer, 1)
	go func() {
		a, err := s.Arrive(context.Background(), key, day, nil)
		c <- answer{a, err}
	}()
	return c
}

type answer struct {
	server.Arrival
	err error
}

func TestASecondLoginOfAnAccountBeingWrittenWaitsForItsCommit(t *testing.T) {
	for _, c := range []struct {
		name  string
		known bool // the account is there already, and only the mark is new
	}{{"a new account", false}, {"the first login of a day", true}} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMemory()
				s := New(m, Options{})
				defer s.Close()
				if c.known {
					_, err := s.Arrive(t.Context(), alice, today-1, nil)
					require.NoError(t, err)
				}
				g := holdCommits(m)

				first := login(s, alice, today)
				<-g.reached
				second := login(s, alice, today)
				synctest.Wait()
				require.Empty(t, first, "answered before the commit")
				require.Empty(t, second, "answered before the commit: a crash now would lose what it was told")

				g.verdict <- nil
				a := <-first
				require.NoError(t, a.err)
				require.Equal(t, !c.known, a.New)
				require.True(t, a.FirstToday)

				<-g.reached
				g.verdict <- nil
				b := <-second
				require.NoError(t, b.err)
				require.Equal(t, server.Arrival{Account: a.Account}, b.Arrival)
			})
		})
	}
}

func TestAFailedCommitFailsAllWhoWaitForItAndLeavesNoTrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := New(m, Options{})
		defer s.Close()
		g := holdCommits(m)
		lost := errors.New("the disk is on fire")

		alone := login(s, bob, today) // its commit holds the others back, so that they share the next one
		<-g.reached
		var crowd []<-chan answer
		for range 10 {
			crowd = append(crowd, login(s, alice, today))
		}
		synctest.Wait()
		g.verdict <- nil
		require.NoError(t, (<-alone).err)
		<-g.reached
		g.verdict <- lost
		for _, c := range crowd {
			a := <-c
			require.ErrorIs(t, a.err, codes.ServerInternal)
			require.ErrorIs(t, a.err, lost)
			require.Zero(t, a.Arrival)
		}

		m.commit = func() error { return nil }
		_, err := s.Account(t.Context(), alice)
		require.ErrorIs(t, err, codes.AccountNotFound)
		a, err := s.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.True(t, a.New)
		require.True(t, a.FirstToday)
	})
}

func TestLoginsThatComeDuringACommitShareTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := New(m, Options{Batch: 100})
		defer s.Close()
		g := holdCommits(m)
		all := []<-chan answer{login(s, alice, today)}
		<-g.reached
		for i := range 250 {
			all = append(all, login(s, server.UserKey{App: 1, User: fmt.Sprint(i)}, today))
		}
		synctest.Wait()
		for range 3 { // 100, 100 and 50: a batch is bounded
			g.verdict <- nil
			<-g.reached
		}
		g.verdict <- nil
		for _, c := range all {
			require.NoError(t, (<-c).err)
		}
		require.EqualValues(t, 4, m.commits.Load())
	})
}

func TestALongImportLetsLoginsThrough(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := New(m, Options{})
		defer s.Close()
		g := holdCommits(m)
		var users []string
		for i := range 3 * importSlice {
			users = append(users, fmt.Sprint(i))
		}
		imported := make(chan error, 1)
		go func() { imported <- s.Import(context.Background(), 1, users) }()
		<-g.reached
		a := login(s, alice, today)
		synctest.Wait()
		g.verdict <- nil // the first slice
		<-g.reached
		g.verdict <- nil // alice, before or with the second slice
		require.NoError(t, (<-a).err)
		<-g.reached
		require.Empty(t, imported)
		m.commit = func() error { return nil }
		g.verdict <- nil
		require.NoError(t, <-imported)
	})
}

func TestWhenTheQueueIsFullCallersWaitAndAreOverloadedWhenTheirTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := New(m, Options{Queue: 2})
		defer s.Close()
		g := holdCommits(m)
		writing := login(s, alice, today)
		<-g.reached
		queued := []<-chan answer{login(s, server.UserKey{App: 1, User: "1"}, today), login(s, server.UserKey{App: 1, User: "2"}, today)}
		synctest.Wait()

		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		began := time.Now()
		_, err := s.Arrive(ctx, bob, today, nil)
		require.ErrorIs(t, err, codes.Overloaded)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, 3*time.Second, time.Since(began))

		patient := login(s, bob, today)
		synctest.Wait()
		require.Empty(t, patient)
		m.commit = func() error { return nil }
		g.verdict <- nil
		for _, c := range append(queued, writing, patient) {
			a := <-c
			require.NoError(t, a.err)
			require.True(t, a.New)
		}
	})
}

func TestALoginWhoseCallerGaveUpInTheQueueIsNotWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := New(m, Options{})
		defer s.Close()
		g := holdCommits(m)
		writing := login(s, alice, today)
		<-g.reached
		ctx, cancel := context.WithCancel(t.Context())
		gone := make(chan error)
		go func() {
			_, err := s.Arrive(ctx, bob, today, nil)
			gone <- err
		}()
		synctest.Wait()
		cancel()
		require.ErrorIs(t, <-gone, context.Canceled)
		m.commit = func() error { return nil }
		g.verdict <- nil
		require.NoError(t, (<-writing).err)
		a, err := s.Arrive(t.Context(), bob, today, nil)
		require.NoError(t, err)
		require.True(t, a.New, "nobody was told that bob is new")
	})
}

func TestCloseCommitsWhatWaitsAndRefusesTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		s := New(m, Options{Batch: 1})
		g := holdCommits(m)
		var logins []<-chan answer
		for i := range 20 {
			logins = append(logins, login(s, server.UserKey{App: 1, User: fmt.Sprint(i)}, today))
		}
		<-g.reached
		synctest.Wait()
		closed := make(chan error)
		go func() { closed <- s.Close() }()
		synctest.Wait()
		_, err := s.Arrive(t.Context(), alice, today, nil)
		require.ErrorIs(t, err, codes.ServerInternal)
		m.commit = func() error { return nil }
		g.verdict <- nil
		require.NoError(t, <-closed)
		for _, c := range logins {
			require.NoError(t, (<-c).err)
		}
		require.NoError(t, s.Close(), "closing twice is no error")
		require.ErrorIs(t, s.Ban(t.Context(), alice, time.Time{}), codes.ServerInternal)
	})
}
