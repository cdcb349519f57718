//go:build unix

package postgres

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
)

// hang up ends every connection to the server, other than the one that does it.
const hangUp = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE pid <> pg_backend_pid() AND datname = current_database() AND application_name = 'tim'`

func TestAChangeOnAnotherNodeIsSeenWithinSecondsThoughNobodyAnnouncedIt(t *testing.T) {
	url := newURL(t)
	here, there := openStore(t, url), openStore(t, url)
	first, err := here.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	_, err = here.Settings(t.Context(), alice.App)
	require.NoError(t, err)

	require.NoError(t, there.Ban(t.Context(), alice, time.Time{}))
	require.NoError(t, there.Revoke(t.Context(), alice, time.Unix(1000, 0)))
	_, err = there.SetSettings(t.Context(), alice.App, server.Settings{Policy: codes.PolicyDual, ChangedBy: "bob"})
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		a, err := here.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.Equal(t, first.CreatedAt, a.CreatedAt)
		set, err := here.Settings(t.Context(), alice.App)
		require.NoError(t, err)
		return a.Banned && a.NotBefore.Equal(time.Unix(1000, 0)) && set.ChangedBy == "bob"
	}, time.Minute, 50*time.Millisecond)

	require.NoError(t, there.Delete(t.Context(), alice, time.Unix(1000, 0)))
	require.Eventually(t, func() bool {
		_, err := here.Account(t.Context(), alice)
		return errors.Is(err, codes.AccountNotFound)
	}, time.Minute, 50*time.Millisecond)
}

func TestTheListOfChangesTellsWhatItCanTell(t *testing.T) {
	url := newURL(t)
	d := openDatabase(t, url)
	changes := func(since store.Point) ([]store.Changed, store.Point, bool) {
		changed, now, all, err := d.Changes(t.Context(), since)
		require.NoError(t, err)
		return changed, now, all
	}
	ban := func(key server.UserKey) {
		require.NoError(t, d.Update(func(tx store.Tx) error {
			if err := tx.Arrive([]*store.Arrive{{Key: key, Day: today}}); err != nil {
				return err
			}
			return tx.Change(key, func(a *server.Account) { a.Banned = !a.Banned })
		}))
	}
	_, start, all := changes(store.Point{})
	require.True(t, all)
	changed, now, all := changes(start)
	require.Empty(t, changed)
	require.False(t, all)
	require.Equal(t, start, now)

	ban(alice)
	ban(numbered(1))
	changed, now, all = changes(start)
	require.Equal(t, []store.Changed{{App: alice.App, User: alice.User}, {App: alice.App, User: numbered(1).User}}, changed)
	require.False(t, all)
	changed, _, all = changes(now)
	require.Empty(t, changed)
	require.False(t, all)

	for name, since := range map[string]store.Point{
		"of another server":   {Epoch: "1.0", Seq: now.Seq},
		"that was lost since": {Epoch: now.Epoch, Seq: now.Seq + 7},
	} {
		changed, at, all := changes(since)
		require.Empty(t, changed, name)
		require.True(t, all, name)
		require.Equal(t, now, at, name)
	}

	execute(t, url, "INSERT INTO changes SELECT generate_series((SELECT max(seq) + 1 FROM changes), 100002), 0, ''")
	ban(alice)
	_, now, all = changes(start)
	require.True(t, all, "the beginning was pruned")
	require.EqualValues(t, 100003, now.Seq)
	changed, _, all = changes(store.Point{Epoch: now.Epoch, Seq: 4})
	require.Len(t, changed, 99_999)
	require.False(t, all)
}

func TestLostConnectionsAreReplacedUnseen(t *testing.T) {
	url := newURL(t)
	s := openStore(t, url)
	_, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	for i := range 5 {
		execute(t, url, hangUp)
		s.Forget(alice.App, alice.User)
		_, err = s.Account(t.Context(), alice)
		require.NoError(t, err)
		_, err = s.Arrive(t.Context(), numbered(i), today, nil)
		require.NoError(t, err)
		_, err = s.Actives(t.Context(), alice.App, today, today)
		require.NoError(t, err)
		require.NoError(t, s.Ping(t.Context()))
	}
}

func TestAConnectionThatIsLostBeforeTheCommitLeavesNoTrace(t *testing.T) {
	url := newURL(t)
	d, err := open(t.Context(), url)
	require.NoError(t, err)
	s := store.New(d, store.Options{})
	defer s.Close()
	d.beforeCommit = sync.OnceFunc(func() { execute(t, url, hangUp) })
	_, err = s.Arrive(t.Context(), alice, today, nil)
	require.ErrorIs(t, err, codes.ServerInternal)
	_, err = s.Account(t.Context(), alice)
	require.ErrorIs(t, err, codes.AccountNotFound)
	a, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	require.True(t, a.New)
	require.True(t, a.FirstToday)
}

func TestWhileTheServerIsAwayKnownUsersGoOnAndNewOnesAreToldToTryAgain(t *testing.T) {
	server := brittle.get(t)
	s := openStore(t, schemaOf(t, server))
	known, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	for _, end := range []func() error{server.Stop, server.Kill} {
		settle(t, s)
		require.NoError(t, end())
		a, err := s.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.Equal(t, known.Account, a.Account)
		_, err = s.Arrive(t.Context(), numbered(1), today, nil)
		require.ErrorIs(t, err, codes.ServerInternal)
		require.True(t, codes.ServerInternal.Retry())
		require.ErrorIs(t, s.Ban(t.Context(), alice, time.Time{}), codes.ServerInternal)
		require.ErrorIs(t, s.Ping(t.Context()), codes.ServerInternal)
		_, err = s.Account(t.Context(), alice)
		require.ErrorIs(t, err, codes.ServerInternal, "a failed change may have been made: the copy is gone")

		require.NoError(t, server.Run())
		require.NoError(t, s.Ping(t.Context()))
		a, err = s.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.False(t, a.FirstToday)
		require.False(t, a.Banned)
	}
	a, err := s.Arrive(t.Context(), numbered(1), today, nil)
	require.NoError(t, err)
	require.True(t, a.New, "the refused login left nothing behind")
}

func TestOnlyErrorsOfTheConnectionAreWorthAnotherTry(t *testing.T) {
	d := openDatabase(t, newURL(t))
	exec := func(statement string) error {
		_, err := d.writing.Exec(t.Context(), statement)
		return err
	}
	number := func(statement string) error { return d.writing.QueryRow(t.Context(), statement).Scan(new(int)) }
	for _, c := range []struct {
		run       func(string) error
		statement string
		want      bool
	}{
		{exec, "SELECT pg_terminate_backend(pg_backend_pid())", true},
		{exec, "BEGIN READ ONLY; INSERT INTO apps VALUES (1, 1)", true},
		{exec, "SELECT 1/0", false},
		{exec, "SELECT * FROM nowhere", false},
		{number, "SELECT 1 WHERE false", false},
		{number, "SELECT 'no number'", false},
	} {
		err := c.run(c.statement)
		require.Error(t, err, c.statement)
		require.Equal(t, c.want, lost(err), "%s: %v", c.statement, err)
	}
	require.False(t, lost(nil))
	require.False(t, lost(codes.AccountNotFound))
}

// settle waits until a store has alice in its cache and will keep her there: after a restart of the server it forgets all.
func settle(t *testing.T, s *store.Store) {
	time.Sleep(2 * time.Second) // more than the time between two looks at the changes
	_, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
}

func TestACallerDoesNotWaitLongerThanItWants(t *testing.T) {
	server := brittle.get(t)
	s := openStore(t, schemaOf(t, server))
	_, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	require.NoError(t, server.Freeze(true))
	thaw := sync.OnceFunc(func() { require.NoError(t, server.Freeze(false)) })
	defer thaw()
	for name, ask := range map[string]func(context.Context) error{
		"a read":   func(ctx context.Context) error { _, err := s.Account(ctx, numbered(1)); return err },
		"a write":  func(ctx context.Context) error { return s.Ban(ctx, alice, time.Time{}) },
		"a report": func(ctx context.Context) error { _, err := s.Actives(ctx, 1, 0, 1); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		began := time.Now()
		err := ask(ctx)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded, name)
		require.Less(t, time.Since(began), 4*time.Second, name)
	}
	began := time.Now()
	err = s.Ping(t.Context())
	require.ErrorIs(t, err, codes.ServerInternal)
	require.NotErrorIs(t, err, context.DeadlineExceeded, "the caller had time")
	require.Less(t, time.Since(began), 2*readTime)
	thaw()
	require.Eventually(t, func() bool { return s.Ping(t.Context()) == nil }, time.Minute, 10*time.Millisecond)
	_, err = s.Arrive(t.Context(), numbered(2), today, nil)
	require.NoError(t, err)
}

func TestANodeThatStandsStillInItsTurnDoesNotStopTheOthers(t *testing.T) {
	url := newURL(t)
	d, err := open(t.Context(), url)
	require.NoError(t, err)
	stuck := store.New(d, store.Options{})
	defer stuck.Close()
	reached, goOn := make(chan struct{}), make(chan struct{})
	d.beforeCommit = sync.OnceFunc(func() { close(reached); <-goOn })
	failed := make(chan error, 1)
	go func() {
		_, err := stuck.Arrive(context.Background(), alice, today, nil)
		failed <- err
	}()
	<-reached
	other := openStore(t, url)
	a, err := other.Arrive(t.Context(), alice, today, nil) // when the server has lost its patience
	require.NoError(t, err)
	require.True(t, a.New)
	close(goOn)
	require.ErrorIs(t, <-failed, codes.ServerInternal)
	b, err := stuck.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	require.Equal(t, server.Arrival{Account: a.Account}, b)
}
