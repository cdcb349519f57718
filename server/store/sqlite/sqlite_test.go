package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/storetest"
)

func TestMain(m *testing.M) {
	storetest.CrashChild(func(path string) (server.Store, error) { return Open(context.Background(), path, store.Options{}) })
	goleak.VerifyTestMain(m)
}

func TestStore(t *testing.T) {
	paths := map[server.Store]string{}
	openAt := func(t testing.TB, path string) server.Store {
		s, err := Open(t.Context(), path, store.Options{})
		require.NoError(t, err)
		paths[s] = path
		return s
	}
	storetest.Run(t, storetest.Engine{
		Open: func(t testing.TB) server.Store { return openAt(t, newPath(t)) },
		Reopen: func(t testing.TB, s server.Store) server.Store {
			require.NoError(t, s.Close())
			return openAt(t, paths[s])
		},
	})
}

// newPath returns where a store can be made. Where there is memory for it, it lies there: on a disk that others use, too, most
// of a test's time would be syncs.
func newPath(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "tim-store-")
	if err != nil {
		return diskPath(t)
	}
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	return filepath.Join(dir, "tim.db")
}

func diskPath(t testing.TB) string { return filepath.Join(t.TempDir(), "tim.db") }

func openStore(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := Open(t.Context(), path, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
