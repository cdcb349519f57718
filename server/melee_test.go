package server_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/gateway"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/server/registry/nats"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/sqlite"
)

var (
	meleeSeed  = flag.Uint64("melee.seed", 0, "of a melee's dice; 0 throws for it. The moments are the machine's own, whatever the seed")
	meleeLasts = flag.Duration("melee.for", time.Second, "how long one melee lasts")
	meleeTimes = flag.Int("melee.times", 1, "how many there are of each")
)

// patience is for what must happen; nothing waits that long when it works.
const patience = time.Minute

// TestMelee has dozens of clients do whatever they like at the same time, through real gateways, while administrators kick, ban,
// delete and change settings, and at last everybody is sent away. Nobody may crash or hang, each request is answered once, observers
// are told a story that can be true, and in the end nothing is left.
func TestMelee(t *testing.T) {
	for _, kind := range []struct {
		name  string
		nodes int
		open  func(m *melee) func() server.Registry
	}{
		{"one node, in memory", 1, inMemory},
		{"two nodes, over NATS", 2, overNATS},
	} {
		for i := range *meleeTimes {
			seed := *meleeSeed + uint64(i)
			if *meleeSeed == 0 {
				seed = rand.Uint64N(1 << 32)
			}
			t.Run(fmt.Sprint(kind.name, ", seed ", seed), func(t *testing.T) {
				m := newMelee(t, seed)
				open := kind.open(m)
				for range kind.nodes {
					m.addNode(open())
				}
				m.play(*meleeLasts)
			})
		}
	}
}

func inMemory(m *melee) func() server.Registry {
	path := filepath.Join(m.t.TempDir(), "journal")
	return func() server.Registry { return memory.OpenJournal(path, slog.New(slog.DiscardHandler)) }
}

func overNATS(m *melee) func() server.Registry {
	t := m.t
	s, err := natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	require.True(t, s.ReadyForConnections(patience))
	return func() server.Registry {
		r, err := nats.Open(nats.Options{URL: s.ClientURL()})
		require.NoError(t, err)
		return &busyRegistry{r, &m.late}
	}
}

// A busyRegistry notes that it could not be reached in time, as on a machine that is busy. Then nodes do as well as they can.
type busyRegistry struct {
	server.Registry
	late *atomic.Bool
}

func (r *busyRegistry) note(err error) error {
	if errors.Is(err, server.ErrUnavailable) {
		r.late.Store(true)
	}
	return err
}

func (r *busyRegistry) Update(ctx context.Context, k server.UserKey, change func([]server.Session) ([]server.Session, error)) error {
	return r.note(r.Registry.Update(ctx, k, change))
}

func (r *busyRegistry) Revise(
	ctx context.Context, k server.UserKey, change func([]server.Session, uint64) ([]server.Session, uint64, error),
) error {
	return r.note(r.Registry.Revise(ctx, k, change))
}

// A melee is a cluster and what everybody does to it.
type melee struct {
	t     *testing.T
	seed  uint64
	store *store.Store
	nodes []*meleeNode
	ears  *ears
	logs  *logLines
	tally tally
	users []string
	all   []*fighter
	late  atomic.Bool // the registry was, at least once
}

type meleeNode struct {
	sessions *server.Sessions
	registry server.Registry
	gateway  *gateway.Gateway
	address  string
	served   chan error
}

func newMelee(t *testing.T, seed uint64) *melee {
	s, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "tim.db"), store.Options{CacheAccounts: 256})
	require.NoError(t, err)
	return &melee{
		t: t, seed: seed, store: s, ears: newEars(), logs: new(logLines),
		users: []string{"alice", "bob", "carol", "dave", "erin", "frank"},
	}
}

func (m *melee) addNode(r server.Registry) {
	t := m.t
	n := &meleeNode{registry: r, served: make(chan error, 1)}
	log := slog.New(slog.NewTextHandler(m.logs, nil))
	var err error
	n.sessions, err = server.New(ctx, server.Options{
		Node: server.NodeID(fmt.Sprintf("node-%d.1", len(m.nodes))), Registry: r, Store: m.store,
		Apps: []server.App{{ID: appID, Keys: []string{appKey}}}, ResumeKeys: [][]byte{resumeKey},
		Grace: 150 * time.Millisecond, GraceWeb: 50 * time.Millisecond, SweepEvery: 200 * time.Millisecond,
		SettingsEvery: 50 * time.Millisecond, EvictRate: 5000, Observer: m.ears, Logger: log,
	})
	require.NoError(t, err)
	n.gateway, err = gateway.New(gateway.Options{
		Sessions: n.sessions, Logger: log, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Admissions: 1e6,
		FramesPerSecond: 100, AddressConnections: 1000, AddressRate: 1e4, FirstFrame: patience,
		HTTP: http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(out, "hello") }),
	})
	require.NoError(t, err)
	l, err := gateway.Listen(ctx, "127.0.0.1:0")
	require.NoError(t, err)
	n.address = l.Addr().String()
	go func() { n.served <- n.gateway.Serve(l) }()
	m.nodes = append(m.nodes, n)
}

// dice returns those of one who takes part.
func (m *melee) dice(who int) *rand.Rand { return rand.New(rand.NewPCG(m.seed, uint64(who))) }

func (m *melee) play(lasts time.Duration) {
	for i := range 32 {
		m.all = append(m.all, newFighter(m, i))
	}
	m.round(lasts*2/3, func() {})
	m.soon("clients, nodes and keys agree on who is online, and that is allowed", func() any { return m.quarrel() }, "")
	m.round(lasts/3, func() { m.drain(m.nodes[0]) })
	for _, n := range m.nodes {
		m.drain(n)
	}
	m.nothingIsLeft()
	m.stop()
	m.t.Log("what clients heard, and how often:", m.tally.String())
	if m.late.Load() {
		m.t.Log("the registry was late")
	} else {
		m.ears.check(m.t)
	}
	for line := range strings.Lines(m.logs.String()) {
		require.NotContains(m.t, line, "level=ERROR")
		require.NotContains(m.t, line, appKey)
	}
}

// round lets everybody fight for a while, and until last has returned. Clients keep their connections.
func (m *melee) round(lasts time.Duration, last func()) {
	var busy sync.WaitGroup
	ending := make(chan struct{})
	for _, f := range m.all {
		busy.Go(func() { f.fight(ending) })
	}
	for i := range 3 {
		busy.Go(func() { (&ruler{m, m.dice(1000 + i)}).rule(ending) })
	}
	time.Sleep(lasts)
	last()
	close(ending)
	within(m.t, "a round ends", busy.Wait)
}

// quarrel returns what clients and keys do not agree on while nobody does anything, or nothing.
func (m *melee) quarrel() string {
	var clients, keys []string
	for _, f := range m.all {
		for _, l := range f.links {
			if id := l.session(); id != "" {
				clients = append(clients, id)
			}
		}
	}
	for _, user := range m.users {
		list, err := m.nodes[0].sessions.SessionsOf(ctx, key(user))
		if err != nil {
			return err.Error()
		}
		settings, err := m.nodes[0].sessions.Settings(appID)
		if gone := server.Departures(list, settings); err != nil || len(gone) > 0 {
			return fmt.Sprintf("%s has %d sessions too many of %v, by %v: %v", user, len(gone), list, settings, err)
		}
		for _, s := range list {
			if s.AwayUntil.IsZero() {
				keys = append(keys, s.ID)
			}
		}
	}
	online := 0
	for _, n := range m.nodes {
		online += n.sessions.Online()
	}
	slices.Sort(clients)
	slices.Sort(keys)
	if !slices.Equal(clients, keys) || online != len(keys) {
		return fmt.Sprintf("clients say %v, keys %v, and nodes hold %d", clients, keys, online)
	}
	return ""
}

// drain sends everybody away; some are slow to go.
func (m *melee) drain(n *meleeNode) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := n.gateway.Drain(ctx, gateway.Drain{Over: 200 * time.Millisecond, Elsewhere: true}); err != nil {
		m.t.Errorf("drain: %v", err)
	}
}

func (m *melee) nothingIsLeft() {
	for _, n := range m.nodes {
		m.soon("no connection is left", func() any { return n.gateway.Online() }, 0)
		m.soon("no session is held", func() any { return n.sessions.Online() }, 0)
		m.soon("no session is away", func() any { return n.sessions.Away() }, 0)
		m.soon("nobody is on the way", func() any { return n.sessions.Arriving() }, 0)
		m.soon("all is settled", func() any { return n.sessions.Unsettled() }, 0)
		m.soon("no timer is left", func() any { return n.sessions.Wheel().Timers() }, 0)
		require.Zero(m.t, n.gateway.Stats().Panics)
	}
	for _, user := range m.users {
		m.soon(user+" has no session", func() any {
			list, err := m.nodes[0].sessions.SessionsOf(ctx, key(user))
			if err != nil {
				return err
			}
			return len(list)
		}, 0)
	}
	m.soon("the observers know", func() any {
		if m.late.Load() { // what was told may have gaps
			return ""
		}
		return m.ears.believe()
	}, "")
}

// soon waits until read returns want.
func (m *melee) soon(what string, read func() any, want any) {
	m.t.Helper()
	var got any
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = read(); got == want {
			return
		}
	}
	require.Fail(m.t, what, "got %v", got)
}

func (m *melee) stop() {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for _, n := range m.nodes {
		require.NoError(m.t, n.gateway.Close(ctx))
		require.NoError(m.t, <-n.served)
		require.NoError(m.t, n.sessions.Close(ctx))
		require.NoError(m.t, n.registry.Close())
	}
	require.NoError(m.t, m.store.Close())
}

// A tally counts what clients heard, by kind and code.
type tally struct {
	mu    sync.Mutex
	heard map[string]int
}

func (t *tally) count(f wire.Frame) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.heard == nil {
		t.heard = map[string]int{}
	}
	what := strings.TrimPrefix(fmt.Sprintf("%T", f), "*wire.")
	switch f := f.(type) {
	case *wire.Refused:
		what += fmt.Sprint(" ", int(f.Code))
	case *wire.Reply:
		what += fmt.Sprint(" ", int(f.Code))
	case *wire.Kicked:
		what += fmt.Sprint(" ", f.Reason)
	}
	t.heard[what]++
}

func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return fmt.Sprint(t.heard)
}

// within requires that f returns.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		f()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(2 * patience):
		panic(what + ": somebody hangs") // with all stacks
	}
}
