package sqlite

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

func TestALookupFindsWhoeverIsThereAndNobodyElse(t *testing.T) {
	db := openDatabase(t, newPath(t))
	names := []string{"a", "alice", "alicea", "Alice", strings.Repeat("x", 32), strings.Repeat("x", 33), strings.Repeat("long ", 100), "n\x00l", "n", "\xff", "ü"}
	at := time.UnixMilli(1_700_000_000_123).UTC()
	require.NoError(t, db.Update(func(tx store.Tx) error { return tx.Import(alice.App, names, at) }))
	for _, name := range names {
		a, marked, err := db.Find(t.Context(), server.UserKey{App: alice.App, User: name}, today)
		require.NoError(t, err, "%q", name)
		require.Equal(t, server.Account{CreatedAt: at}, a, "%q", name)
		require.False(t, marked)
	}
	for _, key := range []server.UserKey{
		{App: alice.App}, {App: alice.App, User: "al"}, {App: alice.App, User: "n\x00"}, {App: alice.App + 1, User: "alice"},
	} {
		_, _, err := db.Find(t.Context(), key, today)
		require.ErrorIs(t, err, codes.AccountNotFound, "%q", key.User)
	}
}

func TestALookupReadsEverythingOfAnAccount(t *testing.T) {
	db := openDatabase(t, newPath(t))
	until := time.UnixMilli(1_800_000_000_456).UTC()
	for i, change := range []func(*server.Account){
		func(*server.Account) {},
		func(a *server.Account) { a.Banned = true },
		func(a *server.Account) { a.Banned, a.BannedUntil = true, until },
		func(a *server.Account) { a.NotBefore = until },
		func(a *server.Account) { a.NotBefore = time.UnixMilli(0).UTC() },
	} {
		key := numbered(i)
		login := &store.Arrive{Key: key, Day: today, At: until}
		require.NoError(t, db.Update(func(tx store.Tx) error { return tx.Arrive([]*store.Arrive{login}) }))
		require.NoError(t, db.Update(func(tx store.Tx) error { return tx.Change(key, change) }))
		want := server.Account{CreatedAt: until}
		change(&want)
		got, marked, err := db.Find(t.Context(), key, today)
		require.NoError(t, err)
		require.Equal(t, want, got)
		require.True(t, marked)
		_, marked, err = db.Find(t.Context(), key, today+1)
		require.NoError(t, err)
		require.False(t, marked)

		require.NoError(t, db.Update(func(tx store.Tx) error { return tx.Delete(key, until.Add(time.Hour)) }))
		got, marked, err = db.Find(t.Context(), key, today)
		require.ErrorIs(t, err, codes.AccountNotFound)
		require.Equal(t, server.Account{NotBefore: until.Add(time.Hour)}, got)
		require.False(t, marked)
	}
}

// Three chunks, the last of them not full.
func TestEveryMarkIsFoundWhereItIs(t *testing.T) {
	db := openDatabase(t, newPath(t))
	const users = 2*8*format.ChunkBytes + 100
	var names []string
	for i := range users {
		names = append(names, numbered(i).User)
	}
	require.NoError(t, db.Update(func(tx store.Tx) error { return tx.Import(alice.App, names, time.Now()) }))
	active := func(i int) bool { return i%7 == 3 || i%4096 == 0 }
	require.NoError(t, db.Update(func(tx store.Tx) error {
		for i := range users {
			if active(i) {
				if err := tx.Arrive([]*store.Arrive{{Key: numbered(i), Day: today}}); err != nil {
					return err
				}
			}
		}
		return nil
	}))
	for i := range users {
		_, marked, err := db.Find(t.Context(), numbered(i), today)
		require.NoError(t, err)
		require.Equal(t, active(i), marked, "%d", i)
	}
}

func TestWhoLooksUpWhileTheStoreClosesIsAnsweredOrTold(t *testing.T) {
	path := newPath(t)
	db, err := open(t.Context(), path)
	require.NoError(t, err)
	require.NoError(t, db.Update(func(tx store.Tx) error { return tx.Import(alice.App, []string{alice.User}, time.Now()) }))
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				if _, _, err := db.Find(context.Background(), alice, today); err != nil {
					assert.ErrorIs(t, err, errClosed)
					return
				}
			}
		})
	}
	require.NoError(t, db.Close())
	wg.Wait()
	require.NoFileExists(t, path+"-wal", "the last connection folded the log")
}

func TestWhoWaitsForALookupMayGiveUp(t *testing.T) {
	db := openDatabase(t, newPath(t))
	var taken []*lookup
	for range db.lookups.made {
		taken = append(taken, <-db.lookups.free)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, cancel)
	_, _, err := db.Find(ctx, alice, today)
	require.ErrorIs(t, err, context.Canceled)
	for _, l := range taken {
		db.lookups.free <- l
	}
}

func TestAFileThatIsBrokenIsSaidToBe(t *testing.T) {
	path := newPath(t)
	db := openDatabase(t, path)
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprintf("%032d", i))
	}
	require.NoError(t, db.Update(func(tx store.Tx) error { return tx.Import(alice.App, names, time.Now()) }))
	_, err := db.writer.conn.ExecContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)")
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	garbage := make([]byte, info.Size()-8192)
	for i := range garbage {
		garbage[i] = 0xa5
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteAt(garbage, 8192)
	require.NoError(t, err)
	require.NoError(t, f.Close())

	_, _, err = db.Find(t.Context(), server.UserKey{App: alice.App, User: names[5000]}, today)
	require.ErrorContains(t, err, "SQLite: database disk image is malformed (11)")
}

func openDatabase(t *testing.T, path string) *database {
	t.Helper()
	db, err := open(t.Context(), path)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	return db
}
