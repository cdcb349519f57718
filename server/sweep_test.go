package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

func TestAKickThatIsLostIsFoundByTheSweep(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a)
		b.registry.set(func() { b.registry.loseKick = true })
		w.wait(time.Second)
		w.device("alice", ipad).login(b)
		phone.hearsNothing()
		w.wait(time.Minute)
		phone.hears("kicked: multiple_device by ipad")
		w.online(a, "alice", "ipad")
	})
}

func TestANodeDies(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(b)
		pad := w.device("bob", ipad).login(b)
		browser := w.device("bob", web).login(a)
		w.wait(10 * time.Second) // a has seen b
		b.crash()
		w.wait(5 * time.Second)
		w.online(a, "alice", "ios")
		w.wait(7 * time.Second)
		w.online(a, "alice", "ios away")
		w.online(a, "bob", "ipad away", "web")

		require.Zero(t, w.store.readsOf(func() { phone.comeBack(a) }))
		w.online(a, "alice", "ios")
		w.wait(3 * time.Minute)
		w.online(a, "alice", "ios")
		w.online(a, "bob", "web")
		browser.hearsNothing()
		pad.comeBack(a)
		w.online(a, "bob", "ipad", "web")
	})
}

func TestTheRegistryIsEmptyAllOfASudden(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a)
		w.wait(time.Second)
		w.wipe(a, "alice")
		pad := w.device("alice", ipad).login(b) // knows nobody
		browser := w.device("bob", web).login(a)
		w.wipe(a, "bob")
		w.wait(time.Minute)
		w.online(a, "alice", "ipad")
		phone.hears("kicked: multiple_device by ipad")
		w.online(b, "bob", "web")
		pad.hearsNothing()
		browser.hearsNothing()
	})
}

func TestWhoWasRevokedIsNotWrittenBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		pad := w.device("bob", ipad).login(n)
		w.wait(time.Second)
		require.NoError(t, w.store.Revoke(ctx, key("alice"), time.Now()))
		require.NoError(t, w.store.Delete(ctx, key("bob"), time.Now()))
		w.wipe(n, "alice", "bob")
		w.wait(time.Minute)
		phone.hears("kicked: rest_api")
		pad.hears("kicked: account_deleted")
		w.online(n, "alice")
		w.online(n, "bob")
	})
}

func TestNothingStaysBehind(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		for _, p := range codes.Platforms() {
			d := w.device("alice", p).login(a)
			w.wait(time.Second)
			w.device("alice", p).login(b) // pushes it out
			d.lose(a)
		}
		w.online(a, "alice", "linux", "web")
		a.close()
		b.close()
		c := w.node()
		w.wait(time.Hour)
		w.online(c, "alice", "linux", "web") // their nodes are gone, and nobody was there to see
		w.device("alice", web).login(c)
		w.device("alice", mac).login(c)
		w.online(c, "alice", "web", "mac")
		w.wait(2 * time.Hour)
		kept, err := c.registry.Sessions(ctx, key("alice"))
		require.NoError(t, err)
		require.Empty(t, kept, "tickets ended, records are forgotten")
	})
}

func TestTheRegistryCannotBeReached(t *testing.T) {
	down := func(on bool, nodes ...*node) {
		for _, n := range nodes {
			n.registry.set(func() { n.registry.down = on })
		}
	}

	t.Run("a login waits half a second and is admitted", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			a, b := w.node(), w.node()
			phone := w.device("alice", ios).login(a)
			w.wait(time.Second)
			down(true, a, b)
			began := time.Now()
			pad := w.device("alice", ipad).login(b)
			require.Equal(t, 500*time.Millisecond, time.Since(began))
			w.wait(8 * time.Second)
			phone.hearsNothing()
			require.Equal(t, 1, a.Online())
			require.Equal(t, 1, b.Online())
			down(false, a, b)
			w.wait(time.Second)
			phone.hears("kicked: multiple_device by ipad")
			pad.hearsNothing()
			w.online(a, "alice", "ipad")
		})
	})

	t.Run("who logged out on a node with a fast clock and logs in on another one stays", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			fast, other := w.node(), w.node()
			for _, n := range []*node{fast, other} { // clocks of one process agree: a third node is as fast as the first is meant to be
				n.registry.handler.HandleClock("node-3.1", time.Now().Add(3*time.Second))
			}
			phone := w.device("alice", ios).login(fast)
			w.wait(time.Second)
			down(true, fast, other)
			require.Error(t, fast.Logout(ctx, phone.grant.Held))
			phone.login(other)
			down(false, other) // the first does not know yet
			w.wait(5 * time.Second)
			down(false, fast)
			w.wait(2 * time.Minute)
			phone.hearsNothing()
			w.online(other, "alice", "ios")
		})
	})

	t.Run("a login does not wait longer than it has to", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			down(true, n)
			time.AfterFunc(210*time.Millisecond, func() { down(false, n) })
			began := time.Now()
			w.device("alice", ios).login(n)
			require.Equal(t, 250*time.Millisecond, time.Since(began))
			w.online(n, "alice", "ios")
		})
	})

	t.Run("two nodes admit too many, and the rule decides when it is back", func(t *testing.T) {
		for name, settlesFirst := range map[string]int{"the older login settles first": 0, "the newer login settles first": 1} {
			t.Run(name, func(t *testing.T) {
				inWorld(t, func(t *testing.T, w *world) {
					nodes := []*node{w.node(), w.node()}
					down(true, nodes...)
					phone := w.device("alice", ios).login(nodes[0])
					pad := w.device("alice", ipad).login(nodes[1])
					down(false, nodes[settlesFirst])
					w.wait(2 * time.Second)
					down(false, nodes...)
					w.wait(2 * time.Second)
					phone.hears("kicked: multiple_device by ipad")
					pad.hearsNothing()
					w.online(nodes[0], "alice", "ipad")
				})
			})
		}
	})

	t.Run("an engine that logged in by itself gives way when it is back", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			a, b := w.node(), w.node()
			phone := w.device("alice", ios).login(a)
			w.wait(time.Second)
			down(true, b)
			pad := w.device("alice", ipad).login(b, func(in *server.LoginRequest) { in.Reconnect = true })
			down(false, b)
			w.wait(2 * time.Second)
			pad.hears("kicked: multiple_device by ios")
			phone.hearsNothing()
			w.online(a, "alice", "ios")
		})
	})

	t.Run("who logs out before its key knows it has left", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			down(true, n)
			phone := w.device("alice", ios).login(n)
			n.registry.set(func() {
				n.registry.down = false
				n.registry.updating = func() { require.NoError(t, n.Logout(ctx, phone.grant.Held)) }
			})
			w.wait(time.Second)
			w.online(n, "alice")
		})
	})

	t.Run("who logs out while it comes back has left", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			down(true, n)
			phone := w.device("alice", ios).login(n)
			n.registry.set(func() {
				n.registry.down = false
				n.registry.updated = func() { // its key knows it, its node is about to
					n.registry.set(func() { n.registry.down = true })
					require.ErrorIs(t, n.Logout(ctx, phone.grant.Held), server.ErrUnavailable)
					n.registry.set(func() { n.registry.down = false })
				}
			})
			w.wait(10 * time.Second)
			w.online(n, "alice")
		})
	})

	t.Run("who is lost while it is away for long is away when it is back", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			phone := w.device("alice", ios).login(n)
			down(true, n)
			phone.lose(n)
			w.wait(10 * time.Minute)
			down(false, n)
			w.online(n, "alice", "ios")
			w.wait(time.Minute)
			w.online(n, "alice", "ios away")
			w.wait(4 * time.Minute)
			w.online(n, "alice")
		})
	})

	t.Run("changed settings wait for it", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			phone := w.device("alice", ios).login(n)
			w.device("alice", web).login(n)
			down(true, n)
			_, err := n.SetSettings(ctx, appID, single)
			require.NoError(t, err)
			w.wait(10 * time.Second)
			phone.hearsNothing()
			down(false, n)
			w.wait(time.Second)
			phone.hears("kicked: multiple_device by web")
		})
	})

	t.Run("a session comes back, on another node too", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			a, b := w.node(), w.node()
			phone := w.device("alice", ios).login(a)
			before := *phone
			w.wait(time.Second)
			down(true, a, b)
			phone.comeBack(b)
			again := *phone
			phone.comeBack(a) // and to and fro
			before.hears("moved")
			down(false, a, b)
			w.wait(2 * time.Second)
			again.hears("moved")
			phone.hearsNothing()
			w.online(a, "alice", "ios")
		})
	})

	t.Run("who was revoked does not come back", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			phone := w.device("alice", ios).login(n)
			phone.lose(n)
			w.wait(time.Second)
			require.NoError(t, w.store.Revoke(ctx, key("alice"), time.Now()))
			down(true, n)
			requireRefused(t, codes.TicketRevoked, phone.back(n))
		})
	})

	t.Run("who leaves meanwhile has left when it is back", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			phone := w.device("alice", ios).login(n)
			browser := w.device("alice", web).login(n)
			down(true, n)
			require.ErrorIs(t, n.Logout(ctx, phone.grant.Held), server.ErrUnavailable)
			browser.lose(n)
			provisional := w.device("bob", ios).login(n)
			require.Error(t, n.Logout(ctx, provisional.grant.Held))
			w.wait(10 * time.Second)
			down(false, n)
			w.wait(30 * time.Second)
			w.online(n, "alice", "web away")
			w.online(n, "bob")
		})
	})
}
