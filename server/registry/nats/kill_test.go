package nats_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server/registry/nats"
)

// Three servers keep three copies. One is killed while users log in on three nodes: nobody who stays is disturbed, no login
// fails, and in the end every user has the one phone that logged in last.
func TestANATSServerIsKilledMidLoad(t *testing.T) {
	t.Parallel()
	servers := startChildren(t, 3)
	w := newWorld(t, nats.Options{URL: urls(servers), Replicas: 3})
	nodes := []*node{w.node(), w.node(), w.node()}

	var steady []*device
	for i := range 60 {
		steady = append(steady, nodes[i%3].mustLogin(t, fmt.Sprintf("steady-%d", i), codes.PlatformIOS))
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	l := &load{nodes: nodes, devices: map[string][]*device{}}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for i := range uint64(8) {
		wait.Go(func() { l.run(rand.New(rand.NewPCG(seed, i)), stop) })
	}
	time.Sleep(time.Second)
	killed := time.Now()
	require.NoError(t, servers[seed%3].Kill())
	time.Sleep(8 * time.Second) // an election takes up to 9 s
	close(stop)
	wait.Wait()
	l.report(t, killed)
	require.Empty(t, l.errs)

	for user, devices := range l.devices {
		soon(t, 40*time.Second, "only the newest phone of "+user+" stays", func() bool { return settled(nodes[0], user, devices) })
	}
	for i, d := range steady {
		require.Empty(t, d.conn.ended())
		require.Len(t, nodes[(i+1)%3].live(d.user), 1)
	}
}

// settled reports whether one session of a user is left, the newest one, and nobody else's connection.
func settled(n *node, user string, devices []*device) bool {
	newest := slices.MaxFunc(devices, func(a, b *device) int {
		return int(int64(a.grant.LoginSeq - b.grant.LoginSeq))
	})
	for _, d := range devices {
		if (d.conn.ended() == "") != (d == newest) {
			return false
		}
	}
	live := n.live(user)
	return len(live) == 1 && live[0].ID == newest.grant.Session
}

// A load logs users in, on any node.
type load struct {
	nodes []*node

	mu      sync.Mutex
	devices map[string][]*device
	took    []timing
	errs    []error
}

type timing struct {
	at   time.Time
	took time.Duration
}

func (l *load) run(r *rand.Rand, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(r.IntN(20)) * time.Millisecond):
		}
		user := fmt.Sprintf("user-%d", r.IntN(100))
		began := time.Now()
		d, err := l.nodes[r.IntN(len(l.nodes))].login(user, codes.PlatformIOS)
		l.mu.Lock()
		l.took = append(l.took, timing{began, time.Since(began)})
		if err != nil {
			l.errs = append(l.errs, err)
		} else {
			l.devices[user] = append(l.devices[user], d)
		}
		l.mu.Unlock()
	}
}

func (l *load) report(t testing.TB, killed time.Time) {
	var before, after []time.Duration
	for _, x := range l.took {
		if x.at.Before(killed) {
			before = append(before, x.took)
		} else {
			after = append(after, x.took)
		}
	}
	slow := 0
	for _, d := range after {
		if d > 400*time.Millisecond {
			slow++
		}
	}
	t.Logf("before the kill: %s; after it: %s, %d provisional", quantiles(before), quantiles(after), slow)
}

func quantiles(list []time.Duration) string {
	if len(list) == 0 {
		return "none"
	}
	slices.Sort(list)
	at := func(q float64) time.Duration { return list[int(q*float64(len(list)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("%d, p50 %s, p99 %s, max %s", len(list), at(.5), at(.99), at(1))
}
