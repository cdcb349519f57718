package storetest

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// BenchmarkArrive measures logins: of a user in the cache, of one in the database, of one whose day has not been marked, and
// of one who is new. Beside the mean it reports the latency that half and 99 of 100 callers stay under.
func BenchmarkArrive(b *testing.B, s server.Store) {
	const known = 100_000
	require.NoError(b, s.Import(b.Context(), app, benchNames(known)))
	var day atomic.Int64
	day.Store(int64(today))

	b.Run("cached", func(b *testing.B) {
		_, err := s.Arrive(b.Context(), numbered(1), today, nil)
		require.NoError(b, err)
		b.ReportAllocs()
		key := numbered(1)
		for b.Loop() {
			_, _ = s.Arrive(context.Background(), key, today, nil)
		}
	})
	for i := range known {
		_, err := s.Arrive(b.Context(), numbered(i), today, nil) // marked, so that the next is a read
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
				_, err := s.Arrive(context.Background(), key, today, nil)
				return err
			})
		})
	}
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("first of day/callers=%d", callers), func(b *testing.B) {
			from := day.Add(1000)
			crowdBench(b, callers, func(i int) error {
				_, err := s.Arrive(context.Background(), numbered(i*7919%known), server.Day(from+int64(i/known)), nil)
				return err
			})
		})
	}
	var made atomic.Int64
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("new/callers=%d", callers), func(b *testing.B) {
			crowdBench(b, callers, func(int) error {
				n := uint64(made.Add(1)) * 0x9e3779b97f4a7c15 // new users come in no order
				_, err := s.Arrive(context.Background(), server.UserKey{App: app, User: fmt.Sprintf("new-%016x", n)}, today, nil)
				return err
			})
		})
	}
}

func benchNames(n int) []string {
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
