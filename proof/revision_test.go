//go:build linux

package proof

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

// Users log in and out, and lose connections, on three nodes whose clocks differ by four seconds, and every nats-server is killed
// again and again, so that the registry forgets everything. Each node tells the webhook what it sees. A receiver that goes by the
// highest revision of each user sees what is true in the end, whatever came late, twice, or after what came later.
func TestRevisionsAreInOrderWhateverNodesTellAndTheRegistryLoses(t *testing.T) {
	t.Parallel()
	seed := newSeed(t)
	hook := newReceiver(t, seed)
	c := startCluster(t, clusterOptions{nats: 1, skews: []int{2, 0, -2}, grace: 3 * time.Second, hook: hook})
	const users = 10
	var all []*owner
	for u := range users {
		for i, p := range []codes.Platform{codes.PlatformAndroid, codes.PlatformWindows, codes.PlatformWeb} {
			all = append(all, &owner{Device: Device{fmt.Sprintf("user-%d device %d", u, i), fmt.Sprint("user-", u), p}})
		}
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for i, o := range all {
		r := rand.New(rand.NewPCG(seed, uint64(i)))
		wait.Go(func() { live(c, o, r, stop) })
	}
	r := rand.New(rand.NewPCG(seed, users))
	for range 3 {
		time.Sleep(time.Duration(500+r.IntN(2000)) * time.Millisecond)
		c.nats[0].kill()
		time.Sleep(time.Duration(r.IntN(1000)) * time.Millisecond)
		require.NoError(t, c.nats[0].start())
	}
	time.Sleep(2 * time.Second)
	close(stop)
	wait.Wait()
	soon(t, 2*time.Minute, "the receiver sees what is true", func() error {
		return hook.seesWhatIsTrue(c.nodes[r.IntN(3)], names(all))
	})
}

// live logs in on any node, and out, and loses the connection, until it is stopped. Half of the devices are signed in at the end,
// if nobody pushes them out.
func live(c *cluster, o *owner, r *rand.Rand, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(r.IntN(200)) * time.Millisecond):
		}
		switch {
		case o.s == nil:
			_ = o.login(c.nodes[r.IntN(len(c.nodes))])
		case r.IntN(2) == 0:
			_ = o.s.logout(ctx)
			o.s = nil
		case r.IntN(2) == 0:
			_ = o.s.conn.Drop()
			o.s = nil
		default:
			_ = o.comeBack(c.nodes[r.IntN(len(c.nodes))])
		}
	}
}
