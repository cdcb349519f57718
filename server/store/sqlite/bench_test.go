package sqlite

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
)

// BenchmarkArrive measures logins: of a user in the cache, of one in the database, of one whose day has not been marked, and
// of one who is new. Beside the mean it reports the latency that half and 99 of 100 callers stay under.
func BenchmarkArrive(b *testing.B) {
	s := openBench(b, diskPath(b), store.Options{})
	const known = 100_000
	require.NoError(b, s.Import(b.Context(), alice.App, names(known)))
	var day atomic.Int64
	day.Store(int64(today))

	b.Run("cached", func(b *testing.B) {
		_, err := s.Arrive(b.Context(), numbered(1), today)
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			_, _ = s.Arrive(context.Background(), numbered1, today)
		}
	})
	for i := range known {
		_, err := s.Arrive(b.Context(), numbered(i), today) // marked, so that the next is a read
		require.NoError(b, err)
		if i == 10_000 {
			break
		}
	}
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("uncached/callers=%d", callers), func(b *testing.B) {
			crowdBench(b, callers, func(i int) error {
				key := numbered(i % 10_000)
				s.Forget(key.App, key.User)
				_, err := s.Arrive(context.Background(), key, today)
				return err
			})
		})
	}
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("first of day/callers=%d", callers), func(b *testing.B) {
			from := day.Add(1000)
			crowdBench(b, callers, func(i int) error {
				_, err := s.Arrive(context.Background(), numbered(i*7919%known), server.Day(from+int64(i/known)))
				return err
			})
		})
	}
	var made atomic.Int64
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("new/callers=%d", callers), func(b *testing.B) {
			crowdBench(b, callers, func(int) error {
				n := uint64(made.Add(1)) * 0x9e3779b97f4a7c15 // new users come in no order
				_, err := s.Arrive(context.Background(), server.UserKey{App: alice.App, User: fmt.Sprintf("new-%016x", n)}, today)
				return err
			})
		})
	}
}

var numbered1 = numbered(1)

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
				_, err = s.Arrive(b.Context(), numbered(users/2), today)
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

// crowdBench runs op b.N times from callers goroutines and reports the rate and the latencies.
func crowdBench(b *testing.B, callers int, op func(i int) error) {
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				began := time.Now()
				if err := op(i); err != nil {
					b.Error(err)
				}
				took[i] = time.Since(began)
			}
		})
	}
	wg.Wait()
	b.StopTimer()
	slices.Sort(took)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
	b.ReportMetric(float64(took[b.N/2].Microseconds()), "p50-µs")
	b.ReportMetric(float64(took[b.N*99/100].Microseconds()), "p99-µs")
}
