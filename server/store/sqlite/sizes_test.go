//go:build unix

package sqlite

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
)

var mostAccounts = flag.Int("most-accounts", 1_000_000, "the largest store of BenchmarkArriveAtSizes")

// BenchmarkArriveAtSizes is the login of any account, each on the first day that it is seen again, and that of a new one, in
// stores of 10 thousand to 10 million accounts: it should not matter. The accounts are written into the file itself.
//
//	go test ./server/store/sqlite -run '^$' -bench ArriveAtSizes -benchtime 50000x -most-accounts 10000000
func BenchmarkArriveAtSizes(b *testing.B) {
	for _, size := range []int{10_000, 1_000_000, 10_000_000} {
		if size > *mostAccounts {
			continue
		}
		path := diskPath(b)
		fill(b, path, size)
		info, err := os.Stat(path)
		require.NoError(b, err)
		for what, login := range map[string]func(s *store.Store, i int) error{
			"uncached": func(s *store.Store, _ int) error {
				key := sized(rand.N(size))
				s.Forget(key.App, key.User)
				_, err := s.Arrive(b.Context(), key, today, nil)
				return err
			},
			"new": func(s *store.Store, i int) error {
				_, err := s.Arrive(b.Context(), server.UserKey{App: alice.App, User: fmt.Sprintf("new-%x-%d", rand.Uint32(), i)}, today, nil)
				return err
			},
		} {
			b.Run(fmt.Sprintf("%s/accounts=%d", what, size), func(b *testing.B) {
				s := openBench(b, path, store.Options{})
				b.SetParallelism(32)
				began := cpuTime()
				b.RunParallel(func(pb *testing.PB) {
					for i := 0; pb.Next(); i++ {
						if err := login(s, i); err != nil {
							b.Error(err)
						}
					}
				})
				b.ReportMetric(float64((cpuTime()-began).Nanoseconds())/float64(b.N), "cpu-ns/login")
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "logins/s")
				b.ReportMetric(float64(info.Size())/float64(size), "B/account")
			})
		}
	}
}

// cpuTime is what this process has used.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func sized(i int) server.UserKey {
	return server.UserKey{App: alice.App, User: fmt.Sprintf("sized-%08d", i)}
}

// fill makes accounts by the hundred thousand, all of them marked today, without a login.
func fill(b *testing.B, path string, accounts int) {
	b.Helper()
	db, err := open(b.Context(), path)
	require.NoError(b, err)
	for from := 0; from < accounts; from += 100_000 {
		_, err := db.writer.conn.ExecContext(b.Context(), `
			WITH RECURSIVE n (i) AS (SELECT ? UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?)
			INSERT INTO accounts (app, user, number, created_ms) SELECT ?, printf('sized-%08d', i), i, 0 FROM n`,
			from, min(from+100_000, accounts), int64(alice.App))
		require.NoError(b, err)
	}
	_, err = db.writer.conn.ExecContext(b.Context(), `INSERT INTO apps (app, numbered) VALUES (?, ?)`, int64(alice.App), accounts)
	require.NoError(b, err)
	_, err = db.writer.conn.ExecContext(b.Context(), `
		WITH RECURSIVE chunks (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM chunks WHERE n < ?)
		INSERT INTO marks SELECT ?, ?, n, unhex(printf('%.1024c', 'f')) FROM chunks`, accounts/4096, int64(alice.App), int(today))
	require.NoError(b, err)
	require.NoError(b, store.New(db, store.Options{}).Close())
}
