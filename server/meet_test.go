package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// Stories of two things at the same moment: one comes between two steps of the other.

func TestAConnectionIsLostWhileItsRenewalIsWritten(t *testing.T) {
	observed(t, func(w *world, saw func(...string)) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		saw("login ios -> ios")
		n.registry.set(func() { n.registry.updated = func() { phone.lose(n) } })
		_, err := n.Renew(ctx, phone.grant.Held, w.ticket("alice", 2*time.Hour))
		require.NoError(w.t, err)
		saw("link ios -> ios away")
		w.online(n, "alice", "ios away")

		phone.comeBack(n)
		saw("login ios -> ios")
		phone.lose(n)
		saw("link ios -> ios away")
		w.wait(3 * time.Minute)
		saw("timeout ios -> ")
		require.Zero(w.t, n.Away())
	})
}

func TestSettingsChangeWhileALoginIsUnderWay(t *testing.T) {
	for _, back := range []bool{false, true} {
		inWorld(t, func(t *testing.T, w *world) {
			n := w.node()
			set, err := n.SetSettings(ctx, appID, server.Settings{Policy: codes.PolicyMulti, Limits: map[codes.Platform]int{ios: 2}})
			require.NoError(t, err)
			first, second := w.device("alice", ios).login(n), w.device("alice", ios)
			if back {
				second.login(n)
				second.lose(n)
				w.wait(time.Second)
			}
			n.registry.set(func() {
				n.registry.updating = func() { // the login has looked at the settings; the key does not have it yet
					_, err := n.SetSettings(ctx, appID, server.Settings{Policy: codes.PolicyMulti, Version: set.Version})
					require.NoError(t, err)
					time.Sleep(time.Second) // all who are there are looked at
				}
			})
			if back {
				second.comeBack(n)
			} else {
				second.login(n)
			}
			w.wait(time.Second)
			w.online(n, "alice", "ios")
			first.hears("kicked: multiple_account by ios")
		})
	}
}

// The wheel takes out a timer that is due, and calls what it is for a moment later.
func TestARenewalComesJustBeforeTheReminderOfTheTicketsEnd(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		_, err := n.Renew(ctx, phone.grant.Held, w.ticket("alice", 100*time.Hour))
		require.NoError(t, err)
		phone.grant.Held.TicketDue()
		phone.hearsNothing()
		w.wait(100*time.Hour - 11*time.Minute)
		phone.hearsNothing()
		w.wait(2 * time.Minute)
		require.Len(t, phone.conn.heard(), 1, "reminded in time")
	})
}

func TestAPanicOnTheWayOfALoginLeavesNothing(t *testing.T) {
	for name, plant := range map[string]func(w *world, n *node, boom func()){
		"in the store":        func(w *world, _ *node, boom func()) { w.store.set(func() { w.store.arrived = boom }) },
		"before the registry": func(_ *world, n *node, boom func()) { n.registry.set(func() { n.registry.updating = boom }) },
		"after the registry":  func(_ *world, n *node, boom func()) { n.registry.set(func() { n.registry.updated = boom }) },
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.options.Observer = new(witness)
				n := w.node()
				phone := w.device("alice", ios)
				plant(w, n, func() { panic("a fault") })
				require.Panics(t, func() { _ = phone.try(n) })
				require.Zero(t, n.Online())

				phone.login(n) // no lock stays behind
				w.online(n, "alice", "ios")
				other := w.device("alice", ios).login(n)
				phone.hears("kicked: multiple_account by ios")
				other.lose(n)
				w.wait(5 * time.Minute) // what nobody holds is found by the sweep
				w.online(n, "alice")
			})
		})
	}
}

func TestOnlyWhoIsThereCountsAsOnline(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		w.device("alice", web).login(n)
		phone.lose(n)
		require.Equal(t, map[codes.Platform]int{web: 1}, n.OnlineBy())
	})
}
