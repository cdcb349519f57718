package nats_test

import (
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

func TestALoginOnOneNodeKicksOnAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nats.Options{URL: startServer(t, 0).ClientURL()})
	a, b := w.node(), w.node()
	phone := a.mustLogin(t, "alice", codes.PlatformIOS)
	web := a.mustLogin(t, "alice", codes.PlatformWeb)
	other := b.mustLogin(t, "alice", codes.PlatformIOS)
	soon(t, 5*time.Second, "the first phone is kicked", func() bool { return phone.conn.ended() == "kicked: multiple_account" })
	require.Empty(t, web.conn.ended())
	require.Empty(t, other.conn.ended())
	require.Len(t, b.live("alice"), 2)
}

func TestWhoWasOnANodeThatDiedComesBackOnAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nats.Options{URL: startServer(t, 0).ClientURL()})
	w.options.Grace = time.Second
	a, b := w.node(), w.node()
	early, late := a.mustLogin(t, "early", codes.PlatformIOS), a.mustLogin(t, "late", codes.PlatformIOS)
	soon(t, 5*time.Second, "both nodes are seen", func() bool {
		nodes, err := b.registry.Nodes(ctx)
		return err == nil && len(nodes) == 2
	})
	a.registry.Crash()
	require.NoError(t, b.resume(early), "before anybody noticed")
	require.Equal(t, b.id, b.live("early")[0].Node)

	soon(t, 15*time.Second, "the other session is released", func() bool { return len(b.live("late")) == 0 })
	require.NoError(t, b.resume(late), "a resume ticket outlives the key")
	require.Len(t, b.live("late"), 1)
	require.Empty(t, early.conn.ended())
}

// All nodes restart at once: keys name nodes that nobody has ever heard of.
func TestSessionsOfNodesThatNobodyHeardOfAreReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nats.Options{URL: startServer(t, 0).ClientURL()})
	w.options.Grace = time.Second
	a := w.node()
	a.mustLogin(t, "alice", codes.PlatformIOS)
	a.registry.Crash()

	b := w.node()
	require.Len(t, b.live("alice"), 1)
	soon(t, 20*time.Second, "the session is released", func() bool { return len(b.live("alice")) == 0 })
	nodes, err := b.registry.Nodes(ctx)
	require.NoError(t, err)
	require.Equal(t, []server.NodeID{b.id}, nodes)
}

func TestNATSLosesEverythingAndNobodyIsLoggedOut(t *testing.T) {
	t.Parallel()
	s := startServer(t, freePorts(t, 1)[0])
	w := newWorld(t, nats.Options{URL: s.ClientURL()})
	a, b := w.node(), w.node()
	steady := a.mustLogin(t, "steady", codes.PlatformIOS)
	older := a.mustLogin(t, "alice", codes.PlatformIOS)

	port := s.Addr().(*net.TCPAddr).Port
	stopServer(s)
	began := time.Now()
	newer := b.mustLogin(t, "alice", codes.PlatformIOS) // for the time being
	require.Less(t, time.Since(began), 10*time.Second)
	require.Empty(t, older.conn.ended(), "nobody can tell it")

	startServer(t, port)
	soon(t, 20*time.Second, "the rule settles it", func() bool { return older.conn.ended() == "kicked: multiple_account" })
	soon(t, 20*time.Second, "the nodes write their sessions back", func() bool { return len(b.live("steady")) == 1 && len(b.live("alice")) == 1 })
	require.Equal(t, newer.grant.Session, a.live("alice")[0].ID)
	require.Empty(t, steady.conn.ended())
	require.Empty(t, newer.conn.ended())
}

func TestANATSThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	c := startChildren(t, 1)[0]
	w := newWorld(t, nats.Options{URL: c.url})
	a := w.node()
	steady := a.mustLogin(t, "steady", codes.PlatformIOS)
	require.NoError(t, c.Signal(syscall.SIGSTOP))
	soon(t, 5*time.Second, "it hangs", func() bool {
		_, err := a.registry.Sessions(ctx, key("steady"))
		return err != nil
	})
	read, changed := time.Hour, time.Hour // the quickest: a busy machine holds up one or the other
	for range 3 {                         // before and after the connection is given up
		began := time.Now()
		_, err := a.registry.Sessions(ctx, key("steady"))
		require.ErrorIs(t, err, server.ErrUnavailable)
		read = min(read, time.Since(began))
		began = time.Now()
		err = a.registry.Update(ctx, key("steady"), func(s []server.Session) ([]server.Session, error) { return s, nil })
		require.ErrorIs(t, err, server.ErrUnavailable)
		changed = min(changed, time.Since(began))
		a.mustLogin(t, "late", codes.PlatformIOS)
	}
	require.Less(t, max(read, changed), 2*time.Second)
	soon(t, 10*time.Second, "the connection is given up", func() bool {
		_, err := a.registry.Nodes(ctx)
		return err != nil
	})
	require.NoError(t, c.Signal(syscall.SIGCONT))
	soon(t, 20*time.Second, "the newest login is settled", func() bool { return len(a.live("late")) == 1 })
	require.Empty(t, steady.conn.ended())
}

func TestAKeyWithoutSessionsIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nats.Options{URL: startServer(t, 0).ClientURL()})
	a := w.node()
	d := a.mustLogin(t, "alice", codes.PlatformIOS)
	before, err := a.registry.Messages(ctx)
	require.NoError(t, err)
	require.EqualValues(t, 1, before)
	require.NoError(t, a.Logout(ctx, d.grant.Held))
	require.Empty(t, a.live("alice"))
	soon(t, 10*time.Second, "nothing is left of the key", func() bool {
		n, err := a.registry.Messages(ctx)
		return err == nil && n == 0
	})
	a.mustLogin(t, "alice", codes.PlatformIOS)
	require.Len(t, a.live("alice"), 1)
}
