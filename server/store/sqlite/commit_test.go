package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

type answer struct {
	server.Arrival
	err error
}

func login(s *store.Store, key server.UserKey) <-chan answer {
	c := make(chan answer, 1)
	go func() {
		a, err := s.Arrive(context.Background(), key, today, nil)
		c <- answer{a, err}
	}()
	return c
}

// A power cut in the middle of a commit, seen from the disk: a copy of the files, taken while the commit is held.
func TestACrashBeforeTheCommitTakesNoAnswerWithIt(t *testing.T) {
	path := newPath(t)
	db, err := open(t.Context(), path)
	require.NoError(t, err)
	s := store.New(db, store.Options{})
	defer s.Close()
	reached, goOn := make(chan struct{}), make(chan struct{})
	db.writer.beforeCommit = sync.OnceFunc(func() { close(reached); <-goOn })
	release := sync.OnceFunc(func() { close(goOn) })
	defer release()

	first := login(s, alice)
	<-reached
	second := login(s, alice)
	crashed := openStore(t, copyOf(t, path))
	_, err = crashed.Account(t.Context(), alice)
	require.ErrorIs(t, err, codes.AccountNotFound)
	require.Empty(t, first)
	require.Empty(t, second)

	release()
	a := <-first
	require.NoError(t, a.err)
	require.True(t, a.New)
	crashed = openStore(t, copyOf(t, path))
	kept, err := crashed.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	require.Equal(t, server.Arrival{Account: a.Account}, kept)
	b := <-second
	require.NoError(t, b.err)
	require.Equal(t, kept, b.Arrival)
}

func copyOf(t testing.TB, path string) string {
	t.Helper()
	to := newPath(t)
	for _, end := range []string{"", "-wal"} {
		data, err := os.ReadFile(path + end)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(to+end, data, 0o600))
	}
	return to
}

func TestWhenTheDiskIsFullKnownUsersGoOnAndNewOnesAreToldToTryAgain(t *testing.T) {
	db, err := open(t.Context(), newPath(t))
	require.NoError(t, err)
	s := store.New(db, store.Options{})
	defer s.Close()
	known, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)

	pragma := func(text string) {
		_, err := db.writer.conn.ExecContext(t.Context(), text)
		require.NoError(t, err)
	}
	pragma("PRAGMA max_page_count = 1") // becomes the present size
	made := int64(1)
	for i := 0; ; i++ { // until the last page is full
		_, err = s.Arrive(t.Context(), numbered(i), today, nil)
		if err != nil {
			break
		}
		made++
	}
	require.ErrorIs(t, err, codes.ServerInternal)
	require.ErrorContains(t, err, "full")
	require.True(t, codes.ServerInternal.Retry())

	check := func() {
		a, err := s.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.Equal(t, server.Arrival{Account: known.Account}, a)
	}
	check()
	s.Forget(alice.App, alice.User)
	check()
	require.NoError(t, s.Ping(t.Context()))
	actives, err := s.Actives(t.Context(), alice.App, today, today)
	require.NoError(t, err)
	require.Equal(t, made, actives.Users, "who was refused is not counted")

	pragma("PRAGMA max_page_count = 1000000") // somebody made room
	a, err := s.Arrive(t.Context(), numbered(int(made)-1), today, nil)
	require.NoError(t, err)
	require.True(t, a.New, "the refused login left nothing behind")
}

func TestWhileAnOperatorWritesKnownUsersGoOnAndNewOnesWait(t *testing.T) {
	path := newPath(t)
	s := openStore(t, path)
	_, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	operator, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	defer operator.Close()
	operator.SetMaxOpenConns(1)
	_, err = operator.Exec("BEGIN IMMEDIATE")
	require.NoError(t, err)

	bob := login(s, numbered(1))
	s.Forget(alice.App, alice.User)
	_, err = s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	_, err = s.Account(t.Context(), numbered(1))
	require.ErrorIs(t, err, codes.AccountNotFound)
	require.Empty(t, bob)
	_, err = operator.Exec("ROLLBACK")
	require.NoError(t, err)
	a := <-bob
	require.NoError(t, a.err)
	require.True(t, a.New)
}

// The log must be folded into the file again and again, also while somebody reads.
func TestTheLogStaysSmall(t *testing.T) {
	path := newPath(t)
	s := openStore(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	reading := make(chan struct{})
	go func() {
		defer close(reading)
		for ctx.Err() == nil {
			_, _ = s.Actives(ctx, alice.App, 0, today)
			_, _ = s.Account(ctx, alice)
		}
	}()
	for i := range 30 {
		var names []string
		for j := range 512 {
			names = append(names, fmt.Sprintf("%016x", uint64(i*512+j+1)*0x9e3779b97f4a7c15)) // all over the tree
		}
		require.NoError(t, s.Import(t.Context(), alice.App, names))
	}
	cancel()
	<-reading
	info, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	require.Less(t, info.Size(), int64(32<<20))
	t.Logf("15,360 accounts, some 50 MB of changed pages, leave a log of %d KiB", info.Size()>>10)
}

func TestALoginAndADeletionInOneCommitLeaveNoMark(t *testing.T) {
	db, err := open(t.Context(), newPath(t))
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.Update(func(tx store.Tx) error {
		a := &store.Arrive{Key: alice, Day: today}
		if err := tx.Arrive([]*store.Arrive{a}); err != nil {
			return err
		}
		require.True(t, a.Result.New)
		return tx.Delete(alice, time.Time{})
	}))
	a, err := db.Actives(t.Context(), alice.App, today, today)
	require.NoError(t, err)
	require.Zero(t, a.Users)
}

func TestDeletingClearsTheMarksOfOneAccountOnly(t *testing.T) {
	db, err := open(t.Context(), newPath(t))
	require.NoError(t, err)
	s := store.New(db, store.Options{})
	defer s.Close()
	for i := range 20 {
		for day := range server.Day(3) {
			_, err := s.Arrive(t.Context(), numbered(i), today+7*day, nil)
			require.NoError(t, err)
		}
	}
	require.NoError(t, s.Delete(t.Context(), numbered(9), time.Time{}))
	var sum int
	rows, err := db.reports.Query("SELECT bits FROM marks")
	require.NoError(t, err)
	defer rows.Close()
	for rows.Next() {
		var marks []byte
		require.NoError(t, rows.Scan(&marks))
		require.Len(t, marks, format.ChunkBytes)
		require.Equal(t, []byte{0xff, 0xfd, 0x0f}, marks[:3])
		sum++
	}
	require.NoError(t, rows.Err())
	require.Equal(t, 3, sum)
}

func numbered(i int) server.UserKey {
	return server.UserKey{App: alice.App, User: fmt.Sprintf("user-%07d", i)}
}
