package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/usersig"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	appID  = 1400000001
	appKey = "a secret key of the app, only for tests"
)

// ctx is the context of stories: that of a test must not be made on fake time.
var ctx = context.Background()

var resumeKey = []byte("a resume key, only for tests")

// A world is a cluster of nodes with one store, on fake time.
type world struct {
	t       *testing.T
	cluster *memory.Cluster
	store   *fakeStore
	options server.Options
	logs    *logLines
	tickets []string // all that were signed
	nodes   int

	revisions revisions
	joining   func() // while a node joins
}

// inWorld runs a story on fake time, from the first second of a minute on.
func inWorld(t *testing.T, story func(t *testing.T, w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, cluster: memory.NewCluster(), store: newFakeStore(), logs: new(logLines), revisions: revisions{keys: map[server.UserKey]uint64{}}}
		w.options = server.Options{
			Apps:       []server.App{{ID: appID, Name: "test", Keys: []string{appKey}}, {ID: 2, Name: "no keys"}},
			ResumeKeys: [][]byte{resumeKey}, SettingsEvery: time.Hour, // stories last for months
			Logger: slog.New(slog.NewTextHandler(w.logs, nil)),
		}
		time.Sleep(400 * time.Millisecond) // a moment that is no whole second
		story(t, w)
		w.requireNoSecrets()
	})
}

// A node is a Sessions and its view of the registry.
type node struct {
	*server.Sessions
	w        *world
	registry *faultyRegistry
	close    func()
}

// node adds a node to the cluster; it is closed with the story.
func (w *world) node() *node {
	w.t.Helper()
	return w.nodeOn(w.cluster.Open())
}

func (w *world) nodeOn(registry server.Registry) *node {
	w.t.Helper()
	w.nodes++
	r := &faultyRegistry{Registry: registry, revisions: &w.revisions, joining: w.joining}
	o := w.options
	o.Node, o.Registry, o.Store = server.NodeID(fmt.Sprintf("node-%d.1", w.nodes)), r, w.store
	s, err := server.New(ctx, o)
	require.NoError(w.t, err)
	r.id = o.Node
	n := &node{Sessions: s, w: w, registry: r}
	n.close = sync.OnceFunc(func() {
		if err := s.Close(ctx); err != nil {
			w.t.Errorf("close: %v", err)
		}
		_ = r.Close()
	})
	w.t.Cleanup(n.close)
	return n
}

// crash makes a node fall silent, with all its connections.
func (n *node) crash() {
	n.registry.Registry.(*memory.Registry).Crash()
}

// wait lets time pass and everything happen that is due by then.
func (w *world) wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// ticket signs a ticket that is valid for d from now on.
func (w *world) ticket(user string, d time.Duration) string {
	w.t.Helper()
	sig, err := usersig.Sign(appID, appKey, user, d)
	require.NoError(w.t, err)
	w.tickets = append(w.tickets, sig)
	return sig
}

func key(user string) server.UserKey { return server.UserKey{App: appID, User: user} }

// A device is an installation of a user's, with what its client remembers.
type device struct {
	w        *world
	user     string
	platform codes.Platform
	instance string
	addr     string

	conn   *fakeConn
	grant  server.Grant
	resume []byte
}

func (w *world) device(user string, p codes.Platform) *device {
	w.nodes++
	return &device{w: w, user: user, platform: p, instance: fmt.Sprintf("%s of %s %d", p, user, w.nodes), addr: "203.0.113.1"}
}

func (d *device) request() server.LoginRequest {
	return server.LoginRequest{
		App: appID, User: d.user, Ticket: d.w.ticket(d.user, time.Hour), Platform: d.platform,
		Instance: d.instance, Label: "label of " + d.platform.String(), SDK: "test/1",
	}
}

// try logs in with a request, on a new connection.
func (d *device) try(n *node, change ...func(*server.LoginRequest)) error {
	in := d.request()
	for _, c := range change {
		c(&in)
	}
	conn := &fakeConn{addr: netip.MustParseAddr(d.addr)}
	grant, err := n.Login(ctx, conn, in)
	return d.took(conn, grant, err)
}

// back resumes on a new connection.
func (d *device) back(n *node) error {
	conn := &fakeConn{addr: netip.MustParseAddr(d.addr)}
	grant, err := n.Resume(ctx, conn, d.resume)
	return d.took(conn, grant, err)
}

func (d *device) took(conn *fakeConn, grant server.Grant, err error) error {
	if err != nil {
		var r *server.Refusal
		require.ErrorAs(d.w.t, err, &r)
		require.NotEmpty(d.w.t, r.Text)
		return err
	}
	d.conn, d.grant, d.resume = conn, grant, grant.ResumeTicket
	require.Equal(d.w.t, key(d.user), grant.Held.Key())
	return nil
}

func (d *device) login(n *node, change ...func(*server.LoginRequest)) *device {
	d.w.t.Helper()
	require.NoError(d.w.t, d.try(n, change...))
	return d
}

func (d *device) comeBack(n *node) {
	d.w.t.Helper()
	require.NoError(d.w.t, d.back(n))
}

// lose cuts the device's connection as the gateway notices it.
func (d *device) lose(n *node) { n.Lost(d.grant.Held) }

// hears requires what the device's present connection was told, in order.
func (d *device) hears(what ...string) {
	d.w.t.Helper()
	synctest.Wait()
	require.Equal(d.w.t, what, d.conn.heard())
}

func (d *device) hearsNothing() {
	d.w.t.Helper()
	synctest.Wait()
	require.Empty(d.w.t, d.conn.heard())
}

// online requires which sessions of a user last, as "platform" or "platform away", oldest login first.
func (w *world) online(n *node, user string, want ...string) {
	w.t.Helper()
	synctest.Wait()
	sessions, err := n.SessionsOf(ctx, key(user))
	require.NoError(w.t, err)
	got := []string{}
	for _, s := range sessions {
		name := s.Platform.String()
		if !s.AwayUntil.IsZero() {
			name += " away"
		}
		got = append(got, name)
	}
	require.Equal(w.t, append([]string{}, want...), got)
}

// A fakeConn writes down what it is told, and checks what Conn promises its implementer.
type fakeConn struct {
	addr netip.Addr

	mu   sync.Mutex
	said []string
	kick server.Kick
	over bool
}

func (c *fakeConn) say(last bool, format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		panic("told something after it was over: " + fmt.Sprintf(format, args...))
	}
	c.over = last
	c.said = append(c.said, fmt.Sprintf(format, args...))
}

func (c *fakeConn) Kick(k server.Kick) {
	c.mu.Lock()
	c.kick = k
	c.mu.Unlock()
	if k.ByPlatform != 0 {
		c.say(true, "kicked: %s by %s", k.Reason, k.ByPlatform)
		return
	}
	c.say(true, "kicked: %s", k.Reason)
}

func (c *fakeConn) TicketExpiring(at time.Time) { c.say(false, "ticket ends in %s", time.Until(at)) }
func (c *fakeConn) TicketExpired(time.Time)     { c.say(true, "ticket ended") }
func (c *fakeConn) Moved()                      { c.say(true, "moved") }
func (c *fakeConn) RemoteAddr() netip.Addr      { return c.addr }

func (c *fakeConn) heard() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.said)
}

// logLines keep what was logged.
type logLines struct {
	mu   sync.Mutex
	text []byte
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	return len(p), nil
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return string(l.text)
}

// requireNoSecrets looks for the tickets that were signed and for the keys, or a good part of them.
func (w *world) requireNoSecrets() {
	for _, secret := range append(w.tickets, appKey, string(resumeKey)) {
		require.False(w.t, strings.Contains(w.logs.String(), secret[:20]), "%.20s… was logged", secret)
	}
}

// requireRefused requires a Refusal with a code, and returns it.
func requireRefused(t *testing.T, code codes.Code, err error) *server.Refusal {
	t.Helper()
	require.ErrorIs(t, err, code)
	var r *server.Refusal
	require.ErrorAs(t, err, &r)
	return r
}
