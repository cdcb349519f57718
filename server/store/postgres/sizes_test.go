//go:build unix

package postgres

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkArriveAtSizes is the login of an account that is not in the cache and was active today, with 10 thousand accounts and
// with a million: it should not matter. The accounts are written into the tables themselves.
//
//	go test ./server/store/postgres -run '^$' -bench ArriveAtSizes -benchtime 20000x
func BenchmarkArriveAtSizes(b *testing.B) {
	for _, size := range []int{10_000, 1_000_000} {
		url := schemaOf(b, brittle.get(b))
		s := openStore(b, url)
		fill(b, url, size)
		b.Run(fmt.Sprintf("accounts=%d", size), func(b *testing.B) {
			b.SetParallelism(32)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					key := numbered(rand.N(size))
					s.Forget(key.App, key.User)
					if a, err := s.Arrive(b.Context(), key, today, nil); err != nil || a.New || a.FirstToday {
						b.Error(a, err)
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
		})
	}
}

// fill makes accounts, all of them marked today, without a login.
func fill(b *testing.B, url string, accounts int) {
	b.Helper()
	c := connection(b, url)
	for _, step := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO accounts (app, user_id, number, created_ms)
			SELECT $1, 'user-' || lpad(i::text, 7, '0'), i, 0 FROM generate_series(0, $2::bigint - 1) AS i`, []any{int64(alice.App), accounts}},
		{`INSERT INTO apps (app, numbered) VALUES ($1, $2)`, []any{int64(alice.App), accounts}},
		{`INSERT INTO marks (app, day, chunk, bits)
			SELECT $1, $2, n, decode(repeat('ff', 512), 'hex') FROM generate_series(0, $3::bigint / 4096) AS n`,
			[]any{int64(alice.App), int32(today), accounts}},
	} {
		_, err := c.Exec(b.Context(), step.sql, step.args...)
		require.NoError(b, err)
	}
	for _, table := range []string{"accounts", "marks"} {
		_, err := c.Exec(b.Context(), "VACUUM ANALYZE "+table)
		require.NoError(b, err)
	}
}
