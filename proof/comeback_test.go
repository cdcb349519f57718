//go:build linux

package proof

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// A route leads a phone to one node at a time.
type route struct{ to atomic.Pointer[node] }

func (r *route) dial(ctx context.Context, network, _ string) (net.Conn, error) {
	n := r.to.Load()
	if n == nil {
		return nil, errors.New("the phone is in a tunnel")
	}
	return fromAnywhere(ctx, network, n.addr)
}

// newPhoneOn returns a phone that is led to a node first.
func newPhoneOn(t testing.TB, j *journal, d Device, n *node) (*phone, *route) {
	t.Helper()
	r := new(route)
	r.to.Store(n)
	return newPhone(t, j, d, r.dial), r
}

func TestWhoseNodeDiesComesBackOnAnotherWithoutATicket(t *testing.T) {
	t.Parallel()
	c := startCluster(t, clusterOptions{nats: 1, nodes: 2})
	a, b := c.nodes[0], c.nodes[1]
	j := newJournal()
	d := Device{"phone", "alice", codes.PlatformIOS}
	p, way := newPhoneOn(t, j, d, a)
	result, err := p.client.Login(ctx, d.User, mustSign(t, d.User))
	require.NoError(t, err)
	p.hears(t, time.Second, codes.EventReady)

	a.kill()
	killed := time.Now()
	way.to.Store(b)
	back := p.hears(t, 15*time.Second, codes.EventConnected)
	t.Logf("back on the other node after %s", time.Since(killed).Round(time.Millisecond))
	require.True(t, back.Resumed, "it came back by its resume ticket")
	require.Equal(t, codes.LoggedIn, p.client.Status())
	sessions, err := b.sessions(ctx, d.User)
	require.NoError(t, err)
	require.Len(t, sessions, 1)
	require.Equal(t, result.Session, sessions[0].ID, "the same session")
	require.Contains(t, string(sessions[0].Node), "node-1.")

	// The lease ends and nobody minds.
	time.Sleep(8 * time.Second)
	require.False(t, p.heardOf(codes.EventDisconnected, codes.EventKickedOffline))
	sessions, err = b.sessions(ctx, d.User)
	require.NoError(t, err)
	require.Len(t, sessions, 1)
	require.True(t, sessions[0].AwayUntil.IsZero())
}

// Two phones of one user, of which one may stay, lose their nodes. Whoever comes back first, the one that logged in last
// stays; the other is told who took its place, when and where.
func TestTheOrderOfReturnNeverDecidesWhoStays(t *testing.T) {
	t.Parallel()
	c := startCluster(t, clusterOptions{nats: 1})
	a, b, last := c.nodes[0], c.nodes[1], c.nodes[2]
	lose := map[string]func(){
		"the nodes die": func() { a.kill(); b.kill() },
		"the nodes die and the registry is lost": func() {
			c.nats[0].kill()
			a.kill()
			b.kill()
			require.NoError(t, c.nats[0].start())
		},
	}
	for what, disaster := range lose {
		for _, first := range []string{"the older", "the newer"} {
			t.Run(what+", and "+first+" comes back first", func(t *testing.T) {
				for _, n := range c.nodes {
					n.kill()
				}
				for _, n := range c.nodes {
					require.NoError(t, n.start())
				}
				user := fmt.Sprintf("order-%d", time.Now().UnixNano())
				j := newJournal()
				older, olderWay := newPhoneOn(t, j, Device{user + " phone", user, codes.PlatformIOS}, a)
				newer, newerWay := newPhoneOn(t, j, Device{user + " tablet", user, codes.PlatformIPad}, b)
				require.NoError(t, older.login(mustSign(t, user)))
				olderWay.to.Store(nil)
				older.cut()
				older.hears(t, 5*time.Second, codes.EventDisconnected)
				began := time.Now()
				require.NoError(t, newer.login(mustSign(t, user)))
				newer.hears(t, 5*time.Second, codes.EventReady)
				newerWay.to.Store(nil)
				newer.cut()
				newer.hears(t, 5*time.Second, codes.EventDisconnected)
				disaster()

				ways := []*route{olderWay, newerWay}
				phones := []*phone{older, newer}
				if first == "the newer" {
					ways[0], ways[1], phones[0], phones[1] = ways[1], ways[0], phones[1], phones[0]
				}
				for i, w := range ways {
					w.to.Store(last)
					phones[i].client.Wake()
					soon(t, 20*time.Second, "it is back or told why not", func() error {
						s := phones[i].client.Snapshot()
						return errorIf(s.Status == codes.LoggedIn && s.Connection != codes.StateConnected, "%v", s)
					})
				}
				k := older.hears(t, 20*time.Second, codes.EventKickedOffline)
				require.Equal(t, codes.KickedOffline, k.Code)
				require.Equal(t, codes.KickMultipleDevice, k.Kick.Reason)
				require.Equal(t, codes.PlatformIPad, k.Kick.ByPlatform)
				require.Equal(t, newer.Name, k.Kick.ByLabel)
				require.WithinRange(t, k.Kick.At, began.Add(-time.Second), began.Add(5*time.Second))
				require.Equal(t, codes.LoggedIn, newer.client.Status())
				sessions, err := last.sessions(ctx, user)
				require.NoError(t, err)
				require.Len(t, sessions, 1)
				require.Equal(t, newer.Name, sessions[0].Label)
				require.False(t, newer.heardOf(codes.EventKickedOffline))
			})
		}
	}
}

// A resume ticket is looked at by its MAC and against the key: with PostgreSQL away nobody needs to read an account.
func TestAResumeNeedsNeitherATicketNorTheStore(t *testing.T) {
	t.Parallel()
	c := startCluster(t, clusterOptions{nats: 1, nodes: 2})
	s, err := c.nodes[0].attempt(ctx, Device{"phone", "alice", codes.PlatformIOS}, false)
	require.NoError(t, err)
	c.nodes[0].kill()
	_ = s.conn.Drop()
	require.NoError(t, c.postgres.Kill())
	back, err := c.nodes[1].open(ctx, &wire.Resume{Request: 1, Version: wire.Version, Ticket: s.ResumeTicket})
	require.NoError(t, err)
	defer back.conn.Drop()
	require.Equal(t, s.Session, back.Session)
	require.Equal(t, s.LoginSeq, back.LoginSeq)
}
