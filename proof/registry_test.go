//go:build linux

package proof

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

// A nats-server of three is killed while users log in on three nodes. No login fails: where the leader was lost, it waits half a
// second and is admitted for the time being. In the end every user has the one phone that logged in last.
func TestNoLoginFailsBecauseALeaderDied(t *testing.T) {
	const workers = 6
	seed := newSeed(t)
	c := startCluster(t, clusterOptions{})
	type try struct {
		d    Device
		s    *session
		took time.Duration
		err  error
		at   time.Time
	}
	var mu sync.Mutex
	var tries []try
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for w := range workers {
		r := rand.New(rand.NewPCG(seed, uint64(w)))
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(time.Duration(20+r.IntN(60)) * time.Millisecond):
				}
				// Each worker has users of its own, so that it knows who was last.
				user := fmt.Sprintf("user-%d-%d", w, r.IntN(12))
				one := try{d: Device{fmt.Sprintf("%s phone %d", user, i), user, codes.PlatformIOS}, at: time.Now()}
				one.s, one.err = c.nodes[r.IntN(3)].attempt(ctx, one.d, false)
				one.took = time.Since(one.at)
				mu.Lock()
				tries = append(tries, one)
				mu.Unlock()
			}
		})
	}
	time.Sleep(time.Second)
	killed := time.Now()
	c.nats[seed%3].kill()
	time.Sleep(7 * time.Second)
	close(stop)
	wait.Wait()

	var calm, after []time.Duration
	last := map[string]try{}
	for _, one := range tries {
		require.NoError(t, one.err, "a login after %s, %s after the kill", one.took, one.at.Sub(killed))
		last[one.d.User] = one
		if one.at.Before(killed) {
			calm = append(calm, one.took)
		} else {
			after = append(after, one.took)
		}
	}
	t.Logf("before the kill %s, after it %s", quantiles(calm), quantiles(after))
	for user, one := range last {
		soon(t, 40*time.Second, user+" has the newest phone only", func() error {
			sessions, err := c.nodes[0].sessions(ctx, user)
			if err != nil {
				return err
			}
			return errorIf(len(sessions) != 1 || sessions[0].Label != one.d.Name, "%v instead of %s", sessions, one.d.Name)
		})
	}
	for _, one := range tries {
		if one.d.Name != last[one.d.User].d.Name {
			_, err := one.s.kicked(10 * time.Second)
			require.NoError(t, err, "%s was told that it had to leave", one.d.Name)
		}
		_ = one.s.conn.Drop()
	}
}

func quantiles(list []time.Duration) string {
	if len(list) == 0 {
		return "none"
	}
	slices.Sort(list)
	at := func(q float64) time.Duration { return list[int(q*float64(len(list)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("%d logins: p50 %s, p99 %s, max %s", len(list), at(.5), at(.99), at(1))
}

// NATS loses everything. Nobody is signed out; the nodes write back whom they hold; where two logged in meanwhile that do
// not go together, the older leaves.
func TestNATSLosesEverythingAndTheNodesWriteItBack(t *testing.T) {
	t.Parallel()
	c := startCluster(t, clusterOptions{nats: 1})
	var steady []*session
	for i := range 30 {
		user := fmt.Sprintf("steady-%d", i)
		s, err := c.nodes[i%3].attempt(ctx, Device{user, user, codes.PlatformIOS}, false)
		require.NoError(t, err)
		defer s.conn.Drop()
		steady = append(steady, s)
	}
	older, err := c.nodes[0].attempt(ctx, Device{"older", "alice", codes.PlatformIOS}, false)
	require.NoError(t, err)
	defer older.conn.Drop()

	c.nats[0].kill()
	began := time.Now()
	newer, err := c.nodes[1].attempt(ctx, Device{"newer", "alice", codes.PlatformMac}, false)
	require.NoError(t, err)
	defer newer.conn.Drop()
	t.Logf("a login without NATS took %s", time.Since(began))
	require.Less(t, time.Since(began), 3*time.Second)

	require.NoError(t, c.nats[0].start())
	k, err := older.kicked(20 * time.Second)
	require.NoError(t, err)
	require.Equal(t, codes.KickMultipleDevice, k.Reason)
	require.Equal(t, "newer", k.ByLabel)
	for i, s := range steady {
		user := fmt.Sprintf("steady-%d", i)
		soon(t, 20*time.Second, user+" is written back", func() error {
			sessions, err := c.nodes[(i+1)%3].sessions(ctx, user)
			if err != nil {
				return err
			}
			return errorIf(len(sessions) != 1 || sessions[0].ID != s.Session, "%v", sessions)
		})
	}
}

// A node is parted from NATS for longer than its lease: the others take it for dead. Whoever is signed in on it stays so, it
// takes logins for the time being, and when the network is back, everybody is told what happened meanwhile.
func TestANodeThatIsCutOffFromNATSForLongerThanItsLease(t *testing.T) {
	t.Parallel()
	c := startCluster(t, clusterOptions{nats: 1})
	cut, other := c.nodes[2], c.nodes[0]
	phone := func(n *node, user string, p codes.Platform) *session {
		s, err := n.attempt(ctx, Device{fmt.Sprintf("%s %s", user, p), user, p}, false)
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.conn.Drop() })
		return s
	}
	steady, older := phone(cut, "steady", codes.PlatformIOS), phone(cut, "alice", codes.PlatformIOS)
	require.NoError(t, cut.nats[0].swallow())
	time.Sleep(4 * time.Second) // it notices
	meanwhile := phone(cut, "bob", codes.PlatformIOS)
	phone(other, "alice", codes.PlatformMac)
	away := func(user string) func() error {
		return func() error {
			sessions, err := other.sessions(ctx, user)
			if err != nil {
				return err
			}
			return errorIf(len(sessions) != 1 || sessions[0].AwayUntil.IsZero(), "%v", sessions)
		}
	}
	soon(t, 15*time.Second, "the others take its sessions for away", away("steady"))

	require.NoError(t, cut.nats[0].mend(ctx))
	k, err := older.kicked(15 * time.Second)
	require.NoError(t, err, "it is told what happened")
	require.Equal(t, "alice mac", k.ByLabel)
	for user, s := range map[string]*session{"steady": steady, "bob": meanwhile} {
		soon(t, 20*time.Second, user+" is online for all", func() error {
			sessions, err := other.sessions(ctx, user)
			if err != nil {
				return err
			}
			return errorIf(len(sessions) != 1 || sessions[0].ID != s.Session || !sessions[0].AwayUntil.IsZero(), "%v", sessions)
		})
		_, err := s.kicked(10 * time.Millisecond)
		require.ErrorContains(t, err, "i/o timeout", "%s heard nothing", user)
	}
}
