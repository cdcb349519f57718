//go:build linux

package proof

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server"
)

var (
	figuresFlag = flag.Bool("proof.figures", false, "measure the cluster (TestFigures), for bench/README.md")
	wiresFlag   = flag.Bool("proof.wires", false, "measure with the wires of the other stories between nodes, NATS and PostgreSQL")
	phonesFlag  = flag.Int("proof.phones", 900, "clients in the figure of a node's death")
)

// TestFigures measures three nodes on this machine, as bench/README.md tells. It fails only if something does not work.
func TestFigures(t *testing.T) {
	if !*figuresFlag {
		t.Skip("it measures, with -proof.figures")
	}
	c := startCluster(t, clusterOptions{plain: !*wiresFlag})
	t.Run("kick", func(t *testing.T) {
		for _, workers := range []int{0, 16} {
			beside := c.saturate(t, workers)
			kick, rest := c.kicks(t, 600)
			t.Logf("beside %.0f logins/s: login on one node to kick on another: %s; REST on one node to the client on another: %s", beside(), kick, rest)
		}
	})
	t.Run("settings", func(t *testing.T) { t.Logf("settings in force on all nodes after: %s", c.settingsTake(t, 20)) })
	t.Run("death", func(t *testing.T) { c.death(t, *phonesFlag) })
}

// kicks has a user's devices push each other out, from node to node, and then end by REST.
func (c *cluster) kicks(t *testing.T, n int) (byLogin, byREST string) {
	var kick, rest []time.Duration
	for i := range n {
		user := fmt.Sprintf("kick-%d-%d", i, time.Now().UnixNano())
		a, b, other := c.nodes[i%3], c.nodes[(i+1)%3], c.nodes[(i+2)%3]
		first, err := a.attempt(ctx, Device{"first", user, codes.PlatformAndroid}, false)
		require.NoError(t, err)
		heard := make(chan time.Time, 1)
		go func() {
			if _, err := first.kicked(10 * time.Second); err == nil {
				heard <- time.Now()
			}
			close(heard)
		}()
		login, err := signIn(user, codes.PlatformIOS)
		require.NoError(t, err)
		conn, err := b.dial(ctx)
		require.NoError(t, err)
		began := time.Now()
		require.NoError(t, conn.Write(login))
		kick = append(kick, (<-heard).Sub(began))
		second, err := awaitAnswer(conn)
		require.NoError(t, err)
		_ = first.conn.Drop()
		if i%4 == 0 { // REST has a limit of 200/s
			heard := make(chan time.Time, 1)
			go func() {
				if _, err := second.kicked(10 * time.Second); err == nil {
					heard <- time.Now()
				}
				close(heard)
			}()
			began := time.Now()
			require.NoError(t, other.rest(ctx, "im_open_login_svc/kick", map[string]string{"UserID": user}, nil))
			rest = append(rest, (<-heard).Sub(began))
		}
		_ = second.conn.Drop()
	}
	return percentiles(kick), percentiles(rest)
}

// saturate has workers log users in and out on all nodes until the test is over; what it returns says how many a second.
func (c *cluster) saturate(t *testing.T, workers int) (perSecond func() float64) {
	stop := make(chan struct{})
	var wait sync.WaitGroup
	var mu sync.Mutex
	done, began := 0, time.Now()
	for w := range workers {
		wait.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				user := fmt.Sprintf("busy-%d-%d", w, i%50)
				if s, err := c.nodes[i%3].attempt(ctx, Device{user, user, codes.PlatformIOS}, false); err == nil {
					_ = s.conn.Drop()
					mu.Lock()
					done++
					mu.Unlock()
				}
			}
		})
	}
	return func() float64 {
		close(stop)
		wait.Wait()
		return float64(done) / time.Since(began).Seconds()
	}
}

// settingsTake measures the time until a phone on each node left for stricter settings.
func (c *cluster) settingsTake(t *testing.T, n int) string {
	var took []time.Duration
	for i := range n {
		require.NoError(t, c.nodes[0].rest(ctx, "tim_admin/set_login_settings", wish(server.Settings{Policy: codes.PolicyMulti}), nil))
		time.Sleep(200 * time.Millisecond)
		var phones []*session
		for k, node := range c.nodes {
			user := fmt.Sprintf("settings-%d-%d", i, k)
			phone, err := node.attempt(ctx, Device{"phone", user, codes.PlatformIOS}, false)
			require.NoError(t, err)
			tablet, err := node.attempt(ctx, Device{"tablet", user, codes.PlatformIPad}, false)
			require.NoError(t, err)
			defer tablet.conn.Drop()
			phones = append(phones, phone)
		}
		began := time.Now()
		require.NoError(t, c.nodes[i%3].rest(ctx, "tim_admin/set_login_settings", wish(server.Settings{Policy: codes.PolicySingle}), nil))
		for _, p := range phones {
			_, err := p.kicked(10 * time.Second)
			require.NoError(t, err)
			_ = p.conn.Drop()
		}
		took = append(took, time.Since(began))
		time.Sleep(300 * time.Millisecond) // REST takes ten changes a second
	}
	return percentiles(took)
}

// death kills one of three nodes and measures the time until its clients, which are core's, are signed in elsewhere.
func (c *cluster) death(t *testing.T, phones int) {
	j := newJournal()
	var list []*phone
	var ways []*route
	for i := range phones {
		user := fmt.Sprintf("death-%d", i)
		p, way := newPhoneOn(t, j, Device{user, user, codes.PlatformIOS}, c.nodes[i%3])
		list, ways = append(list, p), append(ways, way)
	}
	var wait sync.WaitGroup
	for i, p := range list {
		wait.Go(func() {
			ticket, err := signFor(p.User)
			if err == nil {
				err = p.login(ticket)
			}
			if err != nil {
				t.Error(err)
			}
		})
		if i%50 == 49 {
			wait.Wait()
		}
	}
	wait.Wait()
	require.False(t, t.Failed())
	for _, p := range list {
		p.heard()
	}
	killed := time.Now()
	c.nodes[0].kill()
	for i := range ways { // what a load balancer does that checks every second would be a second later
		if i%3 == 0 {
			ways[i].to.Store(c.nodes[1+i/3%2])
		}
	}
	var back []time.Duration
	for i, p := range list {
		if i%3 == 0 {
			e := p.hears(t, 60*time.Second, codes.EventConnected)
			require.True(t, e.Resumed)
			back = append(back, j.connected(p.Name).Sub(killed))
			continue
		}
		require.False(t, p.heardOf(codes.EventDisconnected), "others do not notice")
	}
	require.Len(t, back, (phones+2)/3)
	t.Logf("a node of three is killed: its %d clients are signed in elsewhere: %s", len(back), percentiles(back))
}

// connected returns when a device was connected last.
func (j *journal) connected(device string) time.Time {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.back[device]
}

func signIn(user string, p codes.Platform) (*wire.Login, error) {
	ticket, err := signFor(user)
	return &wire.Login{
		Request: 1, Version: wire.Version, App: appID, User: user, Ticket: ticket, Platform: p, Instance: p.String(), Label: p.String(), SDK: "proof",
	}, err
}

func percentiles(list []time.Duration) string {
	slices.Sort(list)
	at := func(q float64) time.Duration { return list[int(q*float64(len(list)-1))].Round(10 * time.Microsecond) }
	return fmt.Sprintf("p50 %s, p99 %s, the last %s (%d)", at(.5), at(.99), at(1), len(list))
}
