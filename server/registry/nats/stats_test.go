package nats_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

func TestConflictsAndTheAgeOfTheLeaseAreCounted(t *testing.T) {
	t.Parallel()
	s := startServer(t, freePorts(t, 1)[0])
	o := nats.Options{URL: s.ClientURL(), Cluster: newCluster()}
	a, b := open(t, o), open(t, o)
	require.Zero(t, a.LeaseAge(), "it has not joined")
	for i, r := range []*nats.Registry{a, b} {
		r.BePatient(10 * time.Second)
		require.NoError(t, r.Join(ctx, server.NodeID([]string{"a.1", "b.1"}[i]), deaf{}))
	}
	var wait sync.WaitGroup
	for _, r := range []*nats.Registry{a, b} {
		wait.Go(func() {
			for range 100 {
				_ = r.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) { return []server.Session{aSession}, nil })
			}
		})
	}
	wait.Wait()
	require.NotZero(t, a.Conflicts()+b.Conflicts())
	require.Less(t, a.LeaseAge(), 6*time.Second)

	stopServer(s)
	soon(t, 20*time.Second, "the lease grows old", func() bool { return a.LeaseAge() > 3*time.Second })
}
