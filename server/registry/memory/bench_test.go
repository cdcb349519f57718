package memory_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/memory"
)

// BenchmarkAdmissions replaces the session of one user after the other, from so many callers, and says what a user who is
// online costs here: beside what the connection and its session cost the node.
func BenchmarkAdmissions(b *testing.B) {
	const users = 200_000
	r := memory.Open()
	require.NoError(b, r.Join(context.Background(), "a.1", nil))
	keys := make([]server.UserKey, users)
	for i := range keys {
		keys[i] = server.UserKey{App: 1400000001, User: fmt.Sprintf("user-%d", i)}
	}
	login := func(i int) error {
		one := []server.Session{{
			ID: "0123456789abcdef", Instance: "an-instance", Platform: codes.PlatformIOS, LoginSeq: uint64(i), Node: "a.1", TicketExpires: time.Now(),
		}}
		return r.Update(context.Background(), keys[i%users], func([]server.Session) ([]server.Session, error) { return one, nil })
	}
	before := heap()
	for i := range users {
		require.NoError(b, login(i))
	}
	perUser := float64(heap()-before) / users
	for _, callers := range []int{1, 64, 512} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			var next atomic.Int64
			var wait sync.WaitGroup
			for range callers {
				wait.Go(func() {
					for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
						if err := login(int(i)); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wait.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
			b.ReportMetric(perUser, "B/user")
		})
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
