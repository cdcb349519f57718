//go:build linux

package proof

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/ws"
	"github.com/opentim/tim/server"
)

// patience is how long a node waits for NATS.
const patience = 500 * time.Millisecond

// Logins, logouts and reads of a user, on any node, over slow networks, while a node and PostgreSQL are killed: there is an
// order in which they happened one after the other. Two things are not linear, on purpose, and are for the chaos to judge: a
// login while NATS is away is admitted for the time being, and a kick by REST is two steps, the store's and the registry's,
// so that a login that comes in between is seen for a moment before it is refused.
func TestTheSessionsOfAUserAreLinear(t *testing.T) {
	const users, actors, long = 8, 3, 8 * time.Second
	seed := newSeed(t)
	c := startCluster(t, clusterOptions{skews: []int{0, 2, -2}})
	j := newJournal()
	var mu sync.Mutex
	var ops []UserOp
	var wait sync.WaitGroup
	for u := range users {
		user := fmt.Sprintf("linear-%d", u)
		first, err := c.nodes[0].attempt(ctx, Device{user + "-first", user, codes.PlatformIOS}, false)
		require.NoError(t, err, "an account")
		defer first.conn.Drop()
		ops = append(ops, UserOp{Op: Op{Result: Yes}, Kind: LogIn, User: user, Device: Device{user + "-first", user, codes.PlatformIOS}})
	}
	ends := time.Now().Add(long)
	for u := range users {
		user := fmt.Sprintf("linear-%d", u)
		for a := range actors {
			r := rand.New(rand.NewPCG(seed, uint64(u*actors+a+1)))
			wait.Go(func() {
				for i := 0; time.Now().Before(ends); i++ {
					o := c.once(j, r, user, fmt.Sprintf("%s-%d-%d", user, a, i))
					mu.Lock()
					ops = append(ops, o...)
					mu.Unlock()
					time.Sleep(time.Duration(r.IntN(60)) * time.Millisecond)
				}
			})
		}
	}
	r := rand.New(rand.NewPCG(seed, 1_000))
	for _, w := range c.cables() {
		require.NoError(t, w.delay(1+r.IntN(10)))
	}
	// Not more often: each request without an answer doubles what has to be tried to find an order.
	time.Sleep(time.Second)
	n := c.nodes[r.IntN(len(c.nodes))]
	n.kill()
	require.NoError(t, n.start())
	require.NoError(t, c.postgres.Kill())
	require.NoError(t, c.postgres.Run())
	wait.Wait()
	unknown := map[UserKind]int{}
	for i, o := range ops {
		if o.Kind != Read && o.Result == Yes && o.Return-o.Call >= patience { // for the time being: it happens later
			ops[i].Result, ops[i].ForNow = Unknown, o.Kind == LogIn
		}
		if ops[i].Result == Unknown {
			unknown[o.Kind]++
		}
	}
	t.Logf("%d requests; without an answer, by kind: %v", len(ops), unknown)
	linear, known := Linear(ops, server.DefaultSettings(), 20*time.Second)
	if !known {
		t.Skip("this machine is too slow: too many requests took so long that it cannot be found out")
	}
	require.True(t, linear, "no order of these makes all answers right:\n%s", Crooked(ops, server.DefaultSettings(), 20*time.Second))
	require.Greater(t, len(ops), 10*users*actors, "too few requests to prove anything")
}

// didNothing reports whether an error says that nothing came of a login.
func didNothing(err error) bool {
	var code codes.Code
	var dial *ws.DialError
	return errors.As(err, &code) || errors.As(err, &dial)
}

// once makes one request, or a login and later its logout.
func (c *cluster) once(j *journal, r *rand.Rand, user, name string) []UserOp {
	limited, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	n := c.nodes[r.IntN(len(c.nodes))]
	if r.IntN(100) < 40 {
		var sessions []server.Session
		o := UserOp{Kind: Read, User: user}
		o.Op, _ = j.ask(func() (err error) {
			sessions, err = n.sessions(limited, user)
			return err
		}, func(error) bool { return true }) // a read that failed says nothing
		if o.Result != Yes {
			return nil
		}
		for _, s := range sessions {
			o.Found = append(o.Found, s.Instance)
		}
		return []UserOp{o}
	}
	d := Device{name, user, []codes.Platform{codes.PlatformIOS, codes.PlatformMac, codes.PlatformWeb}[r.IntN(3)]}
	o := UserOp{Kind: LogIn, User: user, Device: d}
	var s *session
	o.Op, _ = j.ask(func() (err error) {
		s, err = n.attempt(limited, d, false)
		return err
	}, didNothing)
	if s == nil {
		return []UserOp{o}
	}
	defer s.conn.Drop()
	if r.IntN(2) == 0 {
		return []UserOp{o} // its connection is lost; the session stays for a while
	}
	time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond)
	out := UserOp{Kind: LogOut, User: user, Device: d}
	out.Op, _ = j.ask(func() error { return s.logout(limited) }, nil)
	return []UserOp{o, out}
}
