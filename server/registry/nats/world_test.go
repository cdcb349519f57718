package nats_test

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
	"github.com/opentim/tim/usersig"
)

const (
	appID  = 1400000001
	appKey = "a secret key of the app, only for tests"
)

var ctx = context.Background()

func key(user string) server.UserKey { return server.UserKey{App: appID, User: user} }

// A world is a cluster of nodes on NATS.
type world struct {
	t       testing.TB
	nats    nats.Options
	options server.Options
	nodes   atomic.Int32
}

func newWorld(t testing.TB, o nats.Options) *world {
	o.Cluster = newCluster()
	return &world{t: t, nats: o, options: server.Options{
		Apps: []server.App{{ID: appID, Keys: []string{appKey}}}, ResumeKeys: [][]byte{[]byte("a resume key, only for tests")},
		Store: openStore{}, SweepEvery: 2 * time.Second,
	}}
}

type node struct {
	*server.Sessions
	id       server.NodeID
	registry *nats.Registry
}

func (w *world) node() *node {
	w.t.Helper()
	r := open(w.t, w.nats)
	r.BeHasty()
	o := w.options
	o.Registry = r
	o.Node = server.NodeID(fmt.Sprintf("node-%d.%x", w.nodes.Add(1), time.Now().UnixNano()))
	s, err := server.New(ctx, o)
	require.NoError(w.t, err)
	w.t.Cleanup(func() {
		limited, cancel := context.WithTimeout(ctx, time.Minute)
		defer cancel()
		_ = s.Close(limited)
	})
	return &node{s, o.Node, r}
}

// A device is an installation that is signed in, or was.
type device struct {
	user  string
	conn  *fakeConn
	grant server.Grant
}

var instances atomic.Int32

// login signs in on an installation that is new.
func (n *node) login(user string, p codes.Platform) (*device, error) {
	ticket, err := usersig.Sign(appID, appKey, user, time.Hour)
	if err != nil {
		return nil, err
	}
	d := &device{user: user, conn: &fakeConn{}}
	d.grant, err = n.Login(ctx, d.conn, server.LoginRequest{
		App: appID, User: user, Ticket: ticket, Platform: p, Instance: fmt.Sprint(instances.Add(1)), Label: "a " + p.String(),
	})
	return d, err
}

func (n *node) mustLogin(t testing.TB, user string, p codes.Platform) *device {
	t.Helper()
	d, err := n.login(user, p)
	require.NoError(t, err)
	return d
}

func (n *node) resume(d *device) (err error) {
	d.conn = &fakeConn{}
	d.grant, err = n.Resume(ctx, d.conn, d.grant.ResumeTicket)
	return err
}

// live returns the sessions of a user that last, away or not. It waits for a registry that does not answer.
func (n *node) live(user string) (list []server.Session) {
	all, err := n.registry.Sessions(ctx, key(user))
	for end := time.Now().Add(time.Minute); err != nil && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		all, err = n.registry.Sessions(ctx, key(user)) // that it cannot be read does not mean that nobody is there
	}
	if err != nil {
		panic(err)
	}
	for _, s := range all {
		if s.Left == nil {
			list = append(list, s)
		}
	}
	return list
}

// soon waits for something to happen.
func soon(t testing.TB, within time.Duration, what string, f func() bool) {
	t.Helper()
	require.Eventually(t, f, within+time.Minute, 10*time.Millisecond, what)
}

// A fakeConn remembers how it ended.
type fakeConn struct {
	mu  sync.Mutex
	end string
	at  time.Time
}

func (c *fakeConn) over(end string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end == "" {
		c.end, c.at = end, time.Now()
	}
}

func (c *fakeConn) ended() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

func (c *fakeConn) Kick(k server.Kick)       { c.over("kicked: " + k.Reason.String()) }
func (c *fakeConn) Moved()                   { c.over("moved") }
func (c *fakeConn) TicketExpired(time.Time)  { c.over("ticket expired") }
func (c *fakeConn) TicketExpiring(time.Time) {}
func (c *fakeConn) RemoteAddr() netip.Addr   { return netip.MustParseAddr("192.0.2.1") }

// An openStore knows everybody. Stories do not call what it leaves out.
type openStore struct{ server.Store }

func (openStore) Arrive(context.Context, server.UserKey, server.Day, func(server.Account) bool) (server.Arrival, error) {
	return server.Arrival{}, nil
}
func (openStore) Account(context.Context, server.UserKey) (server.Account, error) {
	return server.Account{}, nil
}
func (openStore) Settings(context.Context, uint64) (server.Settings, error) {
	return server.DefaultSettings(), nil
}
func (openStore) Forget(uint64, string) {}
func (openStore) UpdateAbsences(context.Context, []server.UserKey, func(server.UserKey, []server.Absence) []server.Absence) error {
	return nil
}

// join joins for a moment only.
func join(r *nats.Registry, within time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return r.Join(limited, "one.1", deaf{})
}
