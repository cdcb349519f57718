//go:build linux

package proof

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server/store/postgres/pgtest"
)

// ctx is that of requests; each has its own limit.
var ctx = context.Background()

type clusterOptions struct {
	nodes int // 0 means 3
	nats  int // 0 means 3
	skews []int
	grace time.Duration // 0 means 2 min
	sweep time.Duration // 0 means 3 s
	hook  *receiver     // nil means that there is no webhook
	plain bool          // nodes reach NATS and the store without wires in between, which take a part of what a figure measures
}

// A cluster is everything an operator runs, with wires in between that can be bad.
type cluster struct {
	t         testing.TB
	o         clusterOptions
	dir       string
	nats      []*process
	natsAddrs []string
	postgres  *pgtest.Server
	nodes     []*node
}

func startCluster(t testing.TB, o clusterOptions) *cluster {
	t.Helper()
	o.nodes, o.nats = cmp.Or(o.nodes, 3), cmp.Or(o.nats, 3)
	o.grace, o.sweep = cmp.Or(o.grace, 2*time.Minute), cmp.Or(o.sweep, 3*time.Second)
	c := &cluster{t: t, o: o, dir: t.TempDir()}
	c.writeSecrets()
	c.postgres = pgtest.Start(t, pgtest.Options{})
	c.nats, c.natsAddrs = startNATS(t, c.dir, o.nats)
	var wait sync.WaitGroup
	for i, addr := range freeAddrs(t, o.nodes) {
		skew := 0
		if i < len(o.skews) {
			skew = o.skews[i]
		}
		n := c.newNode(addr, skew)
		if i == 0 {
			require.NoError(t, n.start(), "the first makes the tables and the buckets")
			continue
		}
		wait.Go(func() {
			if err := n.start(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	require.False(t, t.Failed())
	return c
}

// anyNode returns a node, dead or alive.
func (c *cluster) anyNode() *node { return c.nodes[rand.IntN(len(c.nodes))] }

// dialAny connects a client to any node, as a load balancer does that has not noticed yet who is dead.
func (c *cluster) dialAny(ctx context.Context, network, _ string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, c.anyNode().front.addr)
}

// wires returns all that lie between processes.
func (c *cluster) cables() (list []*cable) {
	for _, n := range c.nodes {
		list = append(list, n.nats...)
		list = append(list, n.store, n.front)
	}
	return list
}

// soon waits for something to become true, and says what was wrong if it does not.
func soon(t testing.TB, within time.Duration, what string, f func() error) {
	t.Helper()
	var err error
	for end := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) {
		if err = f(); err == nil {
			return
		}
		if time.Now().After(end) {
			require.NoError(t, err, "%s, within %s", what, within)
		}
	}
}

func errorIf(bad bool, format string, args ...any) error {
	if bad {
		return fmt.Errorf(format, args...)
	}
	return nil
}
