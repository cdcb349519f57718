//go:build unix

package postgres

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/storetest"
)

func BenchmarkArrive(b *testing.B) {
	storetest.BenchmarkArrive(b, openStore(b, schemaOf(b, brittle.get(b))))
}

// BenchmarkNodes measures the first logins of a day, and of new users, that several nodes write together.
func BenchmarkNodes(b *testing.B) {
	const known = 100_000
	url := schemaOf(b, brittle.get(b))
	var names []string
	for i := range known {
		names = append(names, numbered(i).User)
	}
	nodes := make([]*store.Store, 4)
	for i := range nodes {
		nodes[i] = openStore(b, url)
	}
	require.NoError(b, nodes[0].Import(b.Context(), alice.App, names))
	var day, made atomic.Int64
	day.Store(int64(today))
	for _, n := range []int{1, 2, 4} {
		for what, op := range map[string]func(i int) (server.UserKey, server.Day){
			"new": func(int) (server.UserKey, server.Day) {
				return server.UserKey{App: alice.App, User: fmt.Sprintf("new-%016x", uint64(made.Add(1))*0x9e3779b97f4a7c15)}, today
			},
			"first of day": func(i int) (server.UserKey, server.Day) {
				return numbered(i * 7919 % known), server.Day(day.Load() + int64(i/known))
			},
		} {
			b.Run(fmt.Sprintf("%s/nodes=%d", what, n), func(b *testing.B) {
				day.Add(1000)
				var next atomic.Int64
				var wg sync.WaitGroup
				b.ResetTimer()
				for c := range 512 {
					wg.Go(func() {
						for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
							key, day := op(i)
							if _, err := nodes[c%n].Arrive(context.Background(), key, day, nil); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
			})
		}
	}
}

// BenchmarkReopen measures, with a million accounts and 30 days of marks, how long a node takes until its first login, counting
// the month, and a full commit.
func BenchmarkReopen(b *testing.B) {
	const users = 1_000_000
	url := schemaOf(b, brittle.get(b))
	s := openStore(b, url)
	_, err := s.Arrive(b.Context(), alice, today, nil)
	require.NoError(b, err)
	execute(b, url, `INSERT INTO accounts (app, user_id, number, created_ms)
		SELECT $1, 'user-' || lpad(n::text, 7, '0'), n, 0 FROM generate_series(1, $2::bigint) AS n`, int64(alice.App), users)
	execute(b, url, `INSERT INTO marks SELECT $1, $2::integer + day, chunk, decode(repeat(md5(random()::text), 32), 'hex')
		FROM generate_series(1, 30) AS day, generate_series(0, $3::bigint / 4096) AS chunk`, int64(alice.App), int32(today), users)
	execute(b, url, "ANALYZE")
	b.Run("first login", func(b *testing.B) {
		for b.Loop() {
			s, err := Open(b.Context(), url, store.Options{})
			require.NoError(b, err)
			_, err = s.Arrive(b.Context(), numbered(users/2), today, nil)
			require.NoError(b, err)
			b.StopTimer()
			require.NoError(b, s.Close())
			b.StartTimer()
		}
	})
	b.Run("monthly actives", func(b *testing.B) {
		for b.Loop() {
			a, err := s.Actives(b.Context(), alice.App, today, today+29)
			require.NoError(b, err)
			require.Greater(b, a.Users, int64(users/2))
		}
	})
	d := openDatabase(b, url)
	b.Run("commit of 512", func(b *testing.B) { // the first logins of a day, of users all over the table
		for i := 0; b.Loop(); i++ {
			logins := make([]*store.Arrive, 512)
			for j := range logins {
				n := (i*len(logins) + j) * 7919
				logins[j] = &store.Arrive{Key: numbered(1 + n%users), Day: today + 1000 + server.Day(i*len(logins)/users)}
			}
			require.NoError(b, d.Update(func(tx store.Tx) error { return tx.Arrive(logins) }))
			require.True(b, logins[0].Result.FirstToday)
			require.False(b, logins[0].Result.New)
		}
	})
	var size int64
	require.NoError(b, d.reading.QueryRow(b.Context(), "SELECT pg_total_relation_size('accounts')").Scan(&size))
	b.Logf("%d bytes for each account", size/users)
	require.NoError(b, d.reading.QueryRow(b.Context(), "SELECT pg_total_relation_size('marks')").Scan(&size))
	b.Logf("%d KiB for a day of %d accounts", size/30/1024, users)
}
