package nats_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

// listener keeps what it hears of clocks.
type listener struct {
	deaf
	mu     sync.Mutex
	clocks map[server.NodeID]time.Time
}

func (l *listener) HandleClock(node server.NodeID, reading time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.clocks[node] = reading
}

func (l *listener) heard(node server.NodeID) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.clocks[node]
}

func TestNodesHearEachOthersClocks(t *testing.T) {
	s := startServer(t, 0)
	o := nats.Options{URL: s.ClientURL(), Cluster: newCluster()}
	began := time.Now().Truncate(time.Microsecond)
	nodes := map[server.NodeID]*listener{"one.1": nil, "two.1": nil}
	for id := range nodes {
		nodes[id] = &listener{clocks: make(map[server.NodeID]time.Time)}
		require.NoError(t, open(t, o).Join(ctx, id, nodes[id]))
	}
	first := make(map[server.NodeID]time.Time)
	for id, other := range map[server.NodeID]server.NodeID{"one.1": "two.1", "two.1": "one.1"} {
		soon(t, 20*time.Second, "it hears the other's clock", func() bool { return !nodes[id].heard(other).IsZero() })
		first[id] = nodes[id].heard(other)
		require.WithinRange(t, first[id], began, time.Now())
		require.Zero(t, nodes[id].heard(id), "its own it knows")
	}
	soon(t, 20*time.Second, "and again with each heartbeat", func() bool { return nodes["one.1"].heard("two.1").After(first["one.1"]) })
}
