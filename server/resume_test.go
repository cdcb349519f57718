package server_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/memory"
)

func TestAConnectionIsLostAndTheSessionComesBack(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a)
		first := phone.grant
		phone.lose(a)
		w.online(a, "alice", "ios away")
		require.Zero(t, a.Online())

		w.wait(time.Minute)
		require.Zero(t, w.store.readsOf(func() { phone.comeBack(b) }), "of accounts")
		require.Equal(t, first.Session, phone.grant.Session)
		require.Equal(t, first.LoginSeq, phone.grant.LoginSeq)
		require.Equal(t, first.TicketExpires.Unix(), phone.grant.TicketExpires.Unix())
		w.online(a, "alice", "ios")
		require.Equal(t, 1, b.Online())

		w.wait(time.Hour / 2)
		w.online(a, "alice", "ios")
	})
}

func TestAHalfOpenConnection(t *testing.T) {
	t.Run("of this node is closed without a word", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			phone := w.device("alice", ios).login(n)
			before := *phone
			phone.comeBack(n)
			before.hears("moved")
			before.lose(n)
			w.online(n, "alice", "ios")
			require.Equal(t, 1, n.Online())
			phone.hearsNothing()
		})
	})
	t.Run("of another node is closed without a word", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			a, b := w.node(), w.node()
			phone := w.device("alice", ios).login(a)
			before := *phone
			phone.comeBack(b)
			before.hears("moved")
			before.lose(a)
			w.online(a, "alice", "ios")
			require.Zero(t, a.Online())

			again := *phone // and to and fro
			phone.comeBack(a)
			again.hears("moved")
			phone.hearsNothing()
		})
	})
	t.Run("of another node that misses it is closed by the sweep", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			a, b := w.node(), w.node()
			phone := w.device("alice", ios).login(a)
			before := *phone
			b.registry.set(func() { b.registry.loseKick = true })
			phone.comeBack(b)
			before.hearsNothing()
			w.wait(time.Minute)
			before.hears("moved")
			w.online(a, "alice", "ios")
			require.Equal(t, 1, b.Online())
		})
	})
	t.Run("is noticed as lost while the session comes back", func(t *testing.T) {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			phone := w.device("alice", ios).login(n)
			before := *phone
			n.registry.set(func() {
				n.registry.updated = func() { // the key knows the new connection, the node does not yet
					before.lose(n)
					w.wait(time.Second)
				}
			})
			phone.comeBack(n)
			w.online(n, "alice", "ios")
			phone.lose(n)
			w.online(n, "alice", "ios away")
		})
	})
}

func TestASessionComesBackTwiceAtOnce(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		slow, quick := *phone, *phone
		n.registry.set(func() {
			n.registry.updated = func() { quick.comeBack(n) }
		})
		slow.comeBack(n)
		slow.hears("moved")
		quick.hearsNothing()
		phone.hears("moved")
		require.Equal(t, 1, n.Online())
		slow.lose(n)
		w.online(n, "alice", "ios")
		quick.lose(n)
		w.online(n, "alice", "ios away")
	})
}

func TestWhoIsAwayTooLongIsReleased(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		browser := w.device("alice", web).login(n)
		phone.lose(n)
		browser.lose(n)
		w.wait(59 * time.Second)
		w.online(n, "alice", "ios away", "web away")
		w.wait(2 * time.Second)
		w.online(n, "alice", "ios away")
		w.wait(58 * time.Second)
		w.online(n, "alice", "ios away")
		w.wait(2 * time.Second)
		w.online(n, "alice")

		phone.comeBack(n) // there is room: better than to ask for the ticket again
		w.online(n, "alice", "ios")
	})
}

func TestNothingIsKeptOfAnAwaySessionThatNeedsNoRelease(t *testing.T) {
	for name, end := range map[string]func(w *world, n *node, phone *device){
		"it came back":               func(_ *world, n *node, phone *device) { phone.comeBack(n) },
		"its instance logged in":     func(_ *world, n *node, phone *device) { phone.login(n) },
		"another one took its place": func(w *world, n *node, _ *device) { w.device("alice", ios).login(n) },
		"its grace is over":          func(w *world, _ *node, _ *device) { w.wait(121 * time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				n := w.node()
				phone := w.device("alice", ios).login(n)
				browser := w.device("alice", web).login(n)
				phone.lose(n)
				w.wait(time.Second)
				require.Equal(t, 1, n.Away())
				end(w, n, phone)
				w.wait(time.Second)
				require.Zero(t, n.Away())
				browser.hearsNothing()
			})
		})
	}
}

// The key of a registry that never waits says it at once, and another one's as soon as it can.
func TestALostConnectionIsNotedAtOnceInAPromptRegistry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := memory.Open()
		s, err := server.New(ctx, server.Options{
			Node: "a.1", Apps: []server.App{{ID: appID, Keys: []string{appKey}}}, Registry: r, Store: newFakeStore(),
			ResumeKeys: [][]byte{resumeKey},
		})
		require.NoError(t, err)
		login := requests(t, 1)[0]
		grant, err := s.Login(ctx, quiet{}, login)
		require.NoError(t, err)
		s.Lost(grant.Held)
		sessions, err := r.Sessions(ctx, grant.Held.Key())
		require.NoError(t, err)
		require.Len(t, sessions, 1)
		require.Equal(t, time.Now().Add(120*time.Second), sessions[0].AwayUntil)
		require.NoError(t, s.Close(ctx))
		require.NoError(t, r.Close())
	})
}

func TestWhoIsKickedWhileAwayLearnsItOnReturn(t *testing.T) {
	for name, then := range map[string]func(w *world, n *node, pad *device){
		"while the other is there": func(*world, *node, *device) {},
		"after the other left":     func(w *world, n *node, pad *device) { require.NoError(w.t, n.Logout(ctx, pad.grant.Held)) },
		"after an hour":            func(w *world, _ *node, _ *device) { w.wait(time.Hour - 10*time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a, b := w.node(), w.node()
				phone := w.device("alice", ios).login(a, func(in *server.LoginRequest) { in.Ticket = w.ticket("alice", 24*time.Hour) })
				phone.lose(a)
				w.wait(10 * time.Second)
				pad := w.device("alice", ipad).login(b)
				at := time.Now()
				w.wait(10 * time.Second)
				then(w, b, pad)

				for range 2 { // and every time
					bad := requireRefused(t, codes.KickedOffline, phone.back(a))
					require.Equal(t, codes.KickMultipleDevice, bad.Kick.Reason)
					require.Equal(t, ipad, bad.Kick.ByPlatform)
					require.Equal(t, "label of ipad", bad.Kick.ByLabel)
					require.Equal(t, at.UnixMicro(), bad.Kick.At.UnixMicro())
				}
				phone.hearsNothing()
				if name == "while the other is there" {
					pad.hearsNothing()
					w.online(a, "alice", "ipad")
				}
			})
		})
	}
}

func TestAResumeIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		good := phone.resume

		phone.resume = append(append([]byte(nil), good[:len(good)-1]...), good[len(good)-1]^1)
		bad := requireRefused(t, codes.TicketUnreadable, phone.back(n))
		require.Nil(t, bad.Kick)
		phone.resume = nil
		requireRefused(t, codes.TicketUnreadable, phone.back(n))
		phone.hearsNothing()

		w.options.ResumeKeys = [][]byte{[]byte("another key of 16 bytes")}
		other := w.node()
		phone.resume = good
		requireRefused(t, codes.TicketUnreadable, phone.back(other))

		w.options.ResumeKeys = [][]byte{[]byte("another key of 16 bytes"), resumeKey}
		w.options.Apps = w.options.Apps[1:]
		requireRefused(t, codes.AppNotFound, phone.back(w.node()))
	})
}

func TestAResumeComesAfterTheTicketsEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		old := phone.resume
		w.wait(50 * time.Minute)
		grant, err := n.Renew(ctx, phone.grant.Held, w.ticket("alice", time.Hour))
		require.NoError(t, err)
		w.wait(9 * time.Minute)
		phone.lose(n)
		w.wait(61 * time.Second)
		requireRefused(t, codes.TicketExpired, phone.back(n))
		phone.resume = grant.ResumeTicket
		phone.comeBack(n)
		phone.resume = old
		requireRefused(t, codes.TicketExpired, phone.back(n))
	})
}

func TestAnOldResumeTicketKnowsLessThanTheKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		_, err := n.Renew(ctx, phone.grant.Held, w.ticket("alice", 24*time.Hour))
		require.NoError(t, err)
		w.wait(time.Minute) // the answer was lost with the connection
		phone.lose(n)
		phone.comeBack(n)
		require.Equal(t, 24*time.Hour-time.Minute, time.Until(phone.grant.TicketExpires).Round(time.Second))
	})
}

func TestAResumeTicketOfAWeekAgo(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n, func(in *server.LoginRequest) { in.Ticket = w.ticket("alice", 30*24*time.Hour) })
		w.wait(7*24*time.Hour + time.Second)
		phone.lose(n)
		requireRefused(t, codes.TicketUnreadable, phone.back(n))
		phone.login(n, func(in *server.LoginRequest) { in.Reconnect = true })
	})
}

func TestAServerRestarts(t *testing.T) {
	// The registry is empty afterwards. Who comes back decides nothing about who stays.
	for name, order := range map[string][]int{"the older one is back first": {0, 1, 2}, "the newer one is back first": {2, 1, 0}} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := w.node()
				a.registry.set(func() { a.registry.loseKick = true })
				phone := w.device("alice", ios).login(a)
				browser := w.device("alice", web).login(a)
				w.wait(time.Second)
				pad := w.device("alice", ipad)
				b := w.node()
				b.registry.set(func() { b.registry.loseKick = true })
				pad.login(b)
				devices := []*device{phone, browser, pad}
				a.crash()
				b.crash()
				w.wipe(w.node(), "alice")

				c := w.node()
				w.store.readsOf(func() {
					for _, i := range order {
						err := devices[i].back(c)
						if i == 0 && order[0] == 2 {
							requireRefused(t, codes.KickedOffline, err)
							continue
						}
						require.NoError(t, err)
					}
				})
				w.online(c, "alice", "web", "ipad")
				if order[0] == 0 {
					phone.hears("kicked: multiple_device by ipad")
				}
			})
		})
	}
}
