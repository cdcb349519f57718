package nats_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

// engines are one server, and three that keep three copies.
var engines = map[string]int{"R1": 1, "R3": 3}

// start starts the servers of an engine, in processes of their own.
func start(b *testing.B, replicas int) (nats.Options, []child) {
	servers := startChildren(b, replicas)
	return nats.Options{URL: urls(servers), Replicas: replicas}, servers
}

// BenchmarkUpdate replaces the session of a user: what the registry adds to a login.
func BenchmarkUpdate(b *testing.B) {
	for name, replicas := range engines {
		b.Run(name, func(b *testing.B) {
			o, servers := start(b, replicas)
			r := alone(b, o)
			for _, callers := range []int{1, 64, 512} {
				b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
					one := []server.Session{aSession}
					measure(b, callers, servers, func(i int) {
						err := r.Update(ctx, key(fmt.Sprintf("user-%d", i%50_000)), func([]server.Session) ([]server.Session, error) { return one, nil })
						if err != nil {
							b.Error(err)
						}
					})
				})
			}
		})
	}
}

// alone returns a registry that joined, with nobody above it.
func alone(b *testing.B, o nats.Options) *nats.Registry {
	r := open(b, o)
	r.BePatient(10 * time.Second)
	require.NoError(b, r.Join(ctx, "bench.1", deaf{}))
	return r
}

type deaf struct{}

func (deaf) HandleKick(server.Kick) bool          { return false }
func (deaf) HandleNews(server.News)               {}
func (deaf) HandleClock(server.NodeID, time.Time) {}

// BenchmarkKick is from a login on one node to the kick on another.
func BenchmarkKick(b *testing.B) {
	for name, replicas := range engines {
		b.Run(name, func(b *testing.B) {
			o, servers := start(b, replicas)
			w := newWorld(b, o)
			nodes := []*node{w.node(), w.node(), w.node()}
			last := nodes[2].mustLogin(b, "alice", codes.PlatformIOS)
			measure(b, 1, servers, func(i int) {
				next := nodes[i%3].mustLogin(b, "alice", codes.PlatformIOS)
				for last.conn.ended() == "" {
					time.Sleep(20 * time.Microsecond)
				}
				last = next
			})
		})
	}
}

// BenchmarkWalk is what a sweep asks for: all keys, to find those of one node.
func BenchmarkWalk(b *testing.B) {
	o, _ := start(b, 1)
	r := alone(b, o)
	const users = 20_000
	one := []server.Session{aSession}
	measured := make(chan int, users)
	for i := range users {
		measured <- i
	}
	close(measured)
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for i := range measured {
				_ = r.Update(ctx, key(fmt.Sprint(i)), func([]server.Session) ([]server.Session, error) { return one, nil })
			}
		})
	}
	wait.Wait()
	for b.Loop() {
		n := 0
		for _, err := range r.UsersOn(ctx, aSession.Node) {
			require.NoError(b, err)
			n++
		}
		require.Equal(b, users, n)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*users), "µs/key")
}

// measure runs f b.N times from so many callers, and reports how long it took, and what it cost: the processors' time and the
// messages do not depend on who else is there.
func measure(b *testing.B, callers int, servers []child, f func(i int)) {
	took := make([]time.Duration, b.N)
	next := make(chan int, callers)
	var wait sync.WaitGroup
	before, mine := usages(b, servers), cpu()
	b.ResetTimer()
	for range callers {
		wait.Go(func() {
			for i := range next {
				began := time.Now()
				f(i)
				took[i] = time.Since(began)
			}
		})
	}
	for i := range b.N {
		next <- i
	}
	close(next)
	wait.Wait()
	b.StopTimer()
	after, n := usages(b, servers), float64(b.N)
	b.ReportMetric(float64((cpu()-mine).Microseconds())/n, "node-cpu-µs/op")
	b.ReportMetric(float64((after.CPU-before.CPU).Microseconds())/n, "servers-cpu-µs/op")
	b.ReportMetric(float64(after.Messages-before.Messages)/n, "messages/op")
	slices.Sort(took)
	at := func(q float64) float64 { return float64(took[int(q*float64(b.N-1))].Microseconds()) / 1000 }
	b.ReportMetric(at(.5), "p50-ms")
	b.ReportMetric(at(.99), "p99-ms")
	b.ReportMetric(n/b.Elapsed().Seconds(), "ops/s")
}

// usages is the sum of what all took.
func usages(b *testing.B, servers []child) (sum usage) {
	for _, c := range servers {
		u := c.usage(b)
		sum.CPU += u.CPU
		sum.Messages += u.Messages
	}
	return sum
}
