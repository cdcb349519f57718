package nats_test

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

// BenchmarkOnlineUser says what a user who is online costs: each NATS server, by its memory as the kernel sees it, and this
// node, whose index of its own keys is on its heap.
func BenchmarkOnlineUser(b *testing.B) {
	const users = 50_000
	child := startChildren(b, 1)[0]
	r := alone(b, nats.Options{URL: child.url})
	time.Sleep(time.Second) // the server comes to rest
	rss, heap := residentOf(b, child.Pid), heapNow()
	next := make(chan int)
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for i := range next {
				one := aSession
				one.Node, one.LoginSeq = "bench.1", uint64(i)
				if err := r.Update(ctx, key(fmt.Sprintf("user-%d", i)), func([]server.Session) ([]server.Session, error) {
					return []server.Session{one}, nil
				}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range users {
		next <- i
	}
	close(next)
	wait.Wait()
	for b.Loop() {
		_, err := r.Sessions(ctx, key("user-1"))
		require.NoError(b, err)
	}
	b.ReportMetric(float64(residentOf(b, child.Pid)-rss)/users, "server-B/user")
	b.ReportMetric(float64(heapNow()-heap)/users, "node-B/user")
}

func residentOf(b *testing.B, pid int) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	require.NoError(b, err)
	var size, resident int64
	_, err = fmt.Sscan(string(text), &size, &resident)
	require.NoError(b, err)
	return resident * int64(os.Getpagesize())
}

func heapNow() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
