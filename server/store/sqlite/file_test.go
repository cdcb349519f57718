package sqlite

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
)

var alice = server.UserKey{App: 1400000001, User: "alice"}

const today server.Day = 20_000

func TestTheStoreIsReadableByItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no modes")
	}
	dir := filepath.Join(t.TempDir(), "new", "data")
	s := openStore(t, filepath.Join(dir, "tim.db"))
	_, err := s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	for name, mode := range map[string]os.FileMode{"": os.ModeDir | 0o700, "tim.db": 0o600, "tim.db-wal": 0o600, "tim.db-shm": 0o600, "tim.db.lock": 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode(), "%q", name)
	}
}

func TestAClosedStoreIsOneFile(t *testing.T) {
	path := newPath(t)
	s, err := Open(t.Context(), path, store.Options{})
	require.NoError(t, err)
	_, err = s.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoFileExists(t, path+"-wal")
	require.NoFileExists(t, path+"-shm")
}

func TestAPathMayHaveAnyCharacters(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, name := range []string{"a b.db", "what?.db", "100%25.db", "#1&_pragma=x.db", "\u00fcml\u00e4ut.db", "file:x"} {
		s := openStore(t, name)
		_, err := s.Arrive(t.Context(), alice, today, nil)
		require.NoError(t, err)
		require.FileExists(t, filepath.Join(dir, name))
	}
}

func TestAFileThatIsNoStoreIsRefusedAndLeftAlone(t *testing.T) {
	for _, c := range []struct {
		name, want string
		make       func(t *testing.T, path string)
	}{
		{"a text", "not a SQLite database at all", func(t *testing.T, path string) {
			require.NoError(t, os.WriteFile(path, []byte("Dear diary, today I logged in for the first time."), 0o600))
		}},
		{"somebody else's database", "not a tim store", func(t *testing.T, path string) {
			execute(t, path, "CREATE TABLE accounts (name TEXT)")
		}},
		{"somebody else's empty database", "not a tim store", func(t *testing.T, path string) {
			execute(t, path, "PRAGMA application_id = 42")
		}},
		{"the store of a newer tim", "newer tim wrote it: its schema is 99, this tim knows", func(t *testing.T, path string) {
			s, err := Open(t.Context(), path, store.Options{})
			require.NoError(t, err)
			require.NoError(t, s.Close())
			execute(t, path, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := newPath(t)
			c.make(t, path)
			before, err := os.ReadFile(path)
			require.NoError(t, err)
			_, err = Open(t.Context(), path, store.Options{})
			require.ErrorContains(t, err, path)
			require.ErrorContains(t, err, c.want)
			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, before, after)
		})
	}
}

func TestAStoreInUseIsRefusedAndSaysByWhom(t *testing.T) {
	path := newPath(t)
	s, err := Open(t.Context(), path, store.Options{})
	require.NoError(t, err)
	_, err = Open(t.Context(), path, store.Options{})
	require.ErrorContains(t, err, "in use by another process, number "+strconv.Itoa(os.Getpid()))
	require.NoError(t, s.Close())
	openStore(t, path)
}

func TestAPlaceThatCannotHoldAStoreIsSaidPlainly(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "file"), nil, 0o600))
	for _, path := range []string{dir, filepath.Join(dir, "file", "tim.db")} {
		_, err := Open(t.Context(), path, store.Options{})
		require.ErrorContains(t, err, "open store "+path)
	}
}

func TestAnOpenThatIsGivenUpLeavesNothingLocked(t *testing.T) {
	path := newPath(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Open(ctx, path, store.Options{})
	require.ErrorIs(t, err, context.Canceled)
	openStore(t, path)
}

// The promise to be durable stands on these two.
func TestCommitsAreSynced(t *testing.T) {
	db, err := open(t.Context(), newPath(t))
	require.NoError(t, err)
	defer db.Close()
	var journal string
	var synchronous int
	require.NoError(t, db.writer.conn.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&journal))
	require.NoError(t, db.writer.conn.QueryRowContext(t.Context(), "PRAGMA synchronous").Scan(&synchronous))
	require.Equal(t, "wal", journal)
	require.Equal(t, 2, synchronous, "FULL")
}

// execute does something to a SQLite file from outside.
func execute(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	require.NoError(t, err)
	_, err = db.Exec(statement)
	require.NoError(t, err)
	require.NoError(t, db.Close())
}
