package sqlite

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/storetest"
)

func BenchmarkArrive(b *testing.B) {
	storetest.BenchmarkArrive(b, openBench(b, diskPath(b), store.Options{}))
}

// BenchmarkReopen measures how long a server with a million accounts, 30 days of marks and a log that was not folded in
// takes until the first login, and how long counting the month takes.
func BenchmarkReopen(b *testing.B) {
	const users = 1_000_000
	path := diskPath(b)
	db, err := open(b.Context(), path)
	require.NoError(b, err)
	s := store.New(db, store.Options{})
	require.NoError(b, s.Import(b.Context(), alice.App, names(users)))
	for day := range 30 {
		_, err := db.writer.conn.ExecContext(b.Context(), `
			WITH RECURSIVE chunks (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM chunks WHERE n < ?)
			INSERT INTO marks SELECT ?, ?, n, randomblob(512) FROM chunks`, users/4096, int64(alice.App), int(today)+day)
		require.NoError(b, err)
	}
	left := copyOf(b, path)
	require.NoError(b, s.Close())
	info, err := os.Stat(path)
	require.NoError(b, err)
	log, err := os.Stat(left + "-wal")
	require.NoError(b, err)

	for name, crashed := range map[string]bool{"after a crash": true, "after a close": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				at := path
				if crashed {
					at = copyOf(b, left)
				}
				b.StartTimer()
				s, err := Open(b.Context(), at, store.Options{})
				require.NoError(b, err)
				_, err = s.Arrive(b.Context(), numbered(users/2), today, nil)
				require.NoError(b, err)
				b.StopTimer()
				require.NoError(b, s.Close())
				b.StartTimer()
			}
			b.ReportMetric(float64(info.Size())/users, "B/account")
			b.ReportMetric(float64(log.Size()>>10), "log-KiB")
		})
	}
	b.Run("monthly actives", func(b *testing.B) {
		s := openBench(b, path, store.Options{})
		for b.Loop() {
			a, err := s.Actives(b.Context(), alice.App, today, today+29)
			require.NoError(b, err)
			require.Greater(b, a.Users, int64(users/2))
		}
	})
}

func openBench(b *testing.B, path string, o store.Options) *store.Store {
	s, err := Open(b.Context(), path, o)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, s.Close()) })
	return s
}

func names(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = numbered(i).User
	}
	return list
}
