package server_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

var chaosSeeds = flag.Int("chaos.seeds", 40, "how many random histories TestChaos plays")

// TestChaos plays random histories: devices log in, get lost, come back anywhere and log out, while nodes crash, registries
// are out of reach and kicks get lost. When all is well again, what the keys say must be what the connections are, and
// nobody may have been treated unfairly.
func TestChaos(t *testing.T) {
	for seed := range *chaosSeeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				c := &chaos{w: w, t: t, rand: rand.New(rand.NewPCG(uint64(seed), 1))}
				c.play()
			})
		})
	}
}

type chaos struct {
	w       *world
	t       *testing.T
	rand    *rand.Rand
	nodes   []*node
	devices []*player
	version int64
	story   []string
}

// A player is a device and what has become of it.
type player struct {
	*device
	name string
	on   *node // nil while it has no connection
	out  bool  // logged out, or was never in
	seqs map[uint64]bool
}

func (c *chaos) say(format string, args ...any) {
	c.story = append(c.story, fmt.Sprintf("%s %s", time.Now().Format("04:05.000"), fmt.Sprintf(format, args...)))
}

func (c *chaos) play() {
	for range 3 {
		c.nodes = append(c.nodes, c.w.node())
	}
	for _, user := range []string{"alice", "bob"} {
		for i, p := range []codes.Platform{ios, ios, ipad, android, mac, web, web} {
			c.devices = append(c.devices, &player{
				device: c.w.device(user, p), name: fmt.Sprint(user, "'s ", p, " ", i), out: true, seqs: map[uint64]bool{},
			})
		}
	}
	for range 80 {
		c.step()
		c.w.wait(time.Duration(c.rand.ExpFloat64() * float64(time.Second)))
		if c.rand.IntN(10) == 0 {
			c.w.wait(time.Duration(c.rand.IntN(60)) * time.Second)
		}
		c.notice()
	}
	for _, n := range c.nodes {
		n.registry.set(func() { n.registry.down, n.registry.loseKick = false, false })
	}
	c.say("all is well")
	c.w.wait(5 * time.Minute)
	c.notice()
	c.check()
}

func (c *chaos) step() {
	n := c.nodes[c.rand.IntN(len(c.nodes))]
	d := c.devices[c.rand.IntN(len(c.devices))]
	switch roll := c.rand.IntN(100); {
	case roll < 35:
		c.login(d, n, roll < 10)
	case roll < 60:
		c.resume(d, n)
	case roll < 72:
		if d.on != nil {
			c.say("%s is lost", d.name)
			d.lose(d.on)
			d.on = nil
		}
	case roll < 80:
		if d.on != nil {
			c.say("%s logs out", d.name)
			_ = d.on.Logout(ctx, d.grant.Held)
			d.on, d.out = nil, true
		}
	case roll < 88:
		c.say("%s: the registry goes or comes", n.registry.id)
		n.registry.set(func() { n.registry.down = !n.registry.down })
	case roll < 93:
		n.registry.set(func() { n.registry.loseKick = !n.registry.loseKick })
	case roll < 95:
		c.crash(n)
	case roll < 96:
		c.say("the registry forgets %s", d.user)
		c.w.wipe(n, d.user)
	case roll < 98:
		c.settings(n)
	default:
		c.kickUser(n, d.user)
	}
}

func (c *chaos) login(d *player, n *node, meek bool) {
	before, held := d.on, d.grant.Held
	err := d.try(n, func(in *server.LoginRequest) { in.Reconnect = meek })
	c.say("%s logs in on %s, meek %t: %v", d.name, n.registry.id, meek, err)
	if err == nil {
		d.arrived(n, before, held)
	}
}

func (c *chaos) resume(d *player, n *node) {
	if d.out || d.resume == nil {
		return
	}
	before, held := d.on, d.grant.Held
	err := d.back(n)
	c.say("%s comes back on %s: %v", d.name, n.registry.id, err)
	if err == nil {
		d.arrived(n, before, held)
	} else {
		d.out = true
		if before != nil {
			d.on = nil
			d.lose(before)
		}
	}
}

// arrived notes a new connection. The gateway notices later that the one before is dead, if nobody tells it.
func (d *player) arrived(n, before *node, held *server.Held) {
	d.on, d.out = n, false
	d.seqs[d.grant.LoginSeq] = true
	if before != nil {
		time.AfterFunc(35*time.Second, func() { before.Lost(held) })
	}
}

// crash replaces a node. Its clients notice.
func (c *chaos) crash(n *node) {
	c.say("%s crashes", n.registry.id)
	n.crash()
	for _, d := range c.devices {
		if d.on == n {
			d.on = nil
		}
	}
	c.nodes[slices.Index(c.nodes, n)] = c.w.node()
}

func (c *chaos) settings(n *node) {
	s := server.Settings{
		Policy: codes.Policies()[c.rand.IntN(4)], Version: c.version,
		Limits: map[codes.Platform]int{ios: 1 + c.rand.IntN(2), web: 1 + c.rand.IntN(2)},
	}
	stored, err := n.SetSettings(ctx, appID, s)
	require.NoError(c.t, err)
	c.version = stored.Version
	c.say("settings %v", stored)
}

func (c *chaos) kickUser(n *node, user string) {
	if n.registry.isDown() {
		return
	}
	_, err := n.KickUser(ctx, key(user))
	c.say("an administrator kicks %s: %v", user, err)
}

// notice lets clients act on what they were told.
func (c *chaos) notice() {
	for _, d := range c.devices {
		if d.on == nil {
			continue
		}
		d.conn.mu.Lock()
		over, said := d.conn.over, d.conn.said
		k := d.conn.kick
		d.conn.mu.Unlock()
		if !over {
			continue
		}
		c.say("%s hears %q", d.name, said)
		if said[len(said)-1] == "moved" {
			c.t.Fatalf("%s has one connection, and it was closed for a newer one", d.name)
		}
		c.requireFair(d, k)
		d.on, d.out = nil, true
	}
}

// requireFair looks for the login that k says somebody had to leave for.
func (c *chaos) requireFair(d *player, k server.Kick) {
	if k.ByPlatform == 0 {
		return // an administrator
	}
	for _, other := range c.devices {
		if other.user != d.user || other.platform != k.ByPlatform || other.name == d.name && k.Reason != codes.KickReplaced {
			continue
		}
		if other.seqs[uint64(k.At.UnixMicro())] {
			return
		}
	}
	c.t.Fatalf("%s was kicked by nobody: %+v\n%s", d.name, k, c.telling())
}

func (c *chaos) telling() string {
	out := ""
	for _, line := range c.story {
		out += line + "\n"
	}
	return out + c.w.logs.String()
}

func (c *chaos) check() {
	settings := server.DefaultSettings()
	if c.version > 0 {
		settings = c.w.store.settings[appID]
	}
	for _, n := range c.nodes {
		got, err := n.Settings(appID)
		require.NoError(c.t, err)
		require.Equal(c.t, settings, got)
	}
	for _, user := range []string{"alice", "bob"} {
		sessions, err := c.nodes[0].SessionsOf(ctx, key(user))
		require.NoError(c.t, err)
		require.Empty(c.t, server.Departures(sessions, settings), "%s", c.telling())

		kept := map[string]string{}
		for _, s := range sessions {
			kept[s.ID] = fmt.Sprint(s.Node, " ", s.AwayUntil.IsZero())
		}
		live := map[string]string{}
		for _, d := range c.devices {
			if d.user == user && d.on != nil {
				live[d.grant.Session] = fmt.Sprint(d.on.registry.id, " ", true)
			}
		}
		require.Equal(c.t, live, kept, "%s\n%s", user, c.telling())
	}
	held := 0
	for _, n := range c.nodes {
		held += n.Online()
	}
	connected := 0
	for _, d := range c.devices {
		if d.on != nil {
			connected++
		}
	}
	require.Equal(c.t, connected, held, "%s", c.telling())
}
