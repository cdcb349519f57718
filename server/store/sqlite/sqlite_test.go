package sqlite

import (
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
	if path := os.Getenv(crashChild); path != "" {
		loginUntilKilled(path)
	}
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

func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "tim.db") }

func openStore(t testing.TB, path string) *store.Store {
	t.Helper()
	s, err := Open(t.Context(), path, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}
