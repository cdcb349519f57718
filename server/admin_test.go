package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

func TestKickUser(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b, c := w.node(), w.node(), w.node()
		phone := w.device("alice", ios).login(a)
		browser := w.device("alice", web).login(b)
		other := w.device("bob", ios).login(a)
		w.wait(10 * time.Second)
		at := time.Now()
		before := w.ticket("alice", time.Hour) // of the same second
		old := func(in *server.LoginRequest) { in.Ticket = before }

		ended, err := c.KickUser(ctx, key("alice"))
		require.NoError(t, err)
		require.Len(t, ended, 2)
		for i, d := range []*device{phone, browser} {
			require.Equal(t, d.grant.Session, ended[i].Session.ID)
			require.True(t, ended[i].Told)
			require.NoError(t, ended[i].Err)
			d.hears("kicked: rest_api")
			require.Equal(t, at.UnixMilli(), d.conn.kick.At.UnixMilli())
			bad := requireRefused(t, codes.TicketRevoked, d.back(c))
			require.Equal(t, codes.KickRESTAPI, bad.Kick.Reason)
		}
		other.hearsNothing()
		w.online(a, "alice")

		w.wait(5 * time.Second)
		phone.login(b, old)
		browser.login(b)
		w.wait(time.Hour - 10*time.Second)
		phone.lose(b)
		browser.lose(b)
		phone.comeBack(a)
		w.online(b, "alice", "ios", "web away")
	})
}

func TestKickUserRefusesOlderTickets(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		old := w.ticket("alice", time.Hour)
		phone := w.device("alice", ios).login(n)
		w.wait(2 * time.Second)
		_, err := n.KickUser(ctx, key("alice"))
		require.NoError(t, err)
		requireRefused(t, codes.TicketRevoked, phone.try(n, func(in *server.LoginRequest) { in.Ticket = old }))
		w.wait(time.Hour / 2) // nobody remembers but the store
		bad := requireRefused(t, codes.TicketRevoked, phone.back(n))
		require.Equal(t, codes.KickRESTAPI, bad.Kick.Reason)
	})
}

func TestKickUserWhereClocksDiffer(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		fast, late := w.node(), w.node()
		late.registry.handler.HandleClock("node-1.1", time.Now().Add(3*time.Second)) // as if the first one's clock were
		phone := w.device("alice", ios).login(late)
		phone.lose(late)
		w.wait(time.Second)
		fast.registry.handler.HandleClock("node-3.1", time.Now().Add(3*time.Second))
		_, err := fast.KickUser(ctx, key("alice"))
		require.NoError(t, err)
		w.wait(time.Millisecond)
		pad := w.device("alice", ipad).login(late) // with a ticket that was signed in the same second
		w.wipe(fast, "alice")
		requireRefused(t, codes.TicketRevoked, phone.back(late))
		w.wipe(fast, "alice")
		pad.comeBack(late)
		w.wipe(fast, "alice")
		pad.comeBack(fast)
	})
}

func TestKickUserOfNobody(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		_, err := n.KickUser(ctx, key("alice"))
		require.ErrorIs(t, err, codes.AccountNotFound)
		phone := w.device("alice", ios).login(n)
		require.NoError(t, n.Logout(ctx, phone.grant.Held))
		ended, err := n.KickUser(ctx, key("alice"))
		require.NoError(t, err)
		require.Empty(t, ended)
		w.online(n, "alice")
		w.wait(time.Hour)
		for range n.registry.UsersOn(ctx, "node-1.1") {
			t.Fatal("something was left behind")
		}
	})
}

func TestKickUserSaysWhoWasNotTold(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		away := w.device("alice", ios).login(a)
		away.lose(a)
		silent := w.device("alice", web).login(b)
		w.wait(time.Second)
		b.crash()
		began := time.Now()
		ended, err := a.KickUser(ctx, key("alice"))
		require.NoError(t, err)
		require.LessOrEqual(t, time.Since(began), 2500*time.Millisecond)
		require.Len(t, ended, 2)
		require.False(t, ended[0].Told)
		require.NoError(t, ended[0].Err)
		require.False(t, ended[1].Told)
		require.Error(t, ended[1].Err)
		for _, d := range []*device{away, silent} {
			bad := requireRefused(t, codes.TicketRevoked, d.back(a))
			require.Equal(t, codes.KickRESTAPI, bad.Kick.Reason)
		}
	})
}

func TestALoginThatIsUnderWayWhileAnAdministratorActs(t *testing.T) {
	for name, tt := range map[string]struct {
		act  func(n *node) error
		code codes.Code
	}{
		"kick": {func(n *node) error { _, err := n.KickUser(ctx, key("alice")); return err }, codes.TicketRevoked},
		"ban": {func(n *node) error { _, err := n.Ban(ctx, key("alice"), time.Time{}); return err },
			codes.AccountBanned},
		"delete": {func(n *node) error { _, err := n.DeleteAccount(ctx, key("alice")); return err },
			codes.TicketRevoked},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a, b := w.node(), w.node()
				phone := w.device("alice", ios)
				old := w.ticket("alice", time.Hour)
				w.wait(2 * time.Second)
				w.store.set(func() {
					w.store.arrived = func() { // the account was read, the key not yet
						if err := tt.act(b); err != nil {
							t.Error(err)
						}
					}
				})
				requireRefused(t, tt.code, phone.try(a, func(in *server.LoginRequest) { in.Ticket = old }))
				w.online(a, "alice")
				require.Zero(t, a.Online())
			})
		})
	}
}

func TestAnAdministratorWhoKicksAgainAndAgainDoesNotFillAKey(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios)
		for range 50 {
			phone.login(n)
			_, err := n.KickUser(ctx, key("alice"))
			require.NoError(t, err)
			_, err = n.KickUser(ctx, key("alice"))
			require.NoError(t, err)
			w.wait(time.Second)
		}
		kept, err := n.registry.Sessions(ctx, key("alice"))
		require.NoError(t, err)
		require.LessOrEqual(t, len(kept), 17)
		require.Empty(t, kept[len(kept)-1].ID, "the newest says that an administrator was here")
		require.Equal(t, codes.KickRESTAPI, requireRefused(t, codes.TicketRevoked, phone.back(n)).Kick.Reason)
		phone.login(n)
	})
}

func TestABan(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		ended, err := n.Ban(ctx, key("alice"), time.Now().Add(time.Hour))
		require.NoError(t, err)
		require.True(t, ended[0].Told)
		phone.hears("kicked: rest_api")
		requireRefused(t, codes.AccountBanned, phone.back(n))
		requireRefused(t, codes.AccountBanned, phone.try(n))
		w.wait(30 * time.Minute)
		bad := requireRefused(t, codes.AccountBanned, phone.try(n))
		require.Contains(t, bad.Text, "until")
		w.wait(31 * time.Minute)
		phone.login(n)

		_, err = n.Ban(ctx, key("alice"), time.Time{})
		require.NoError(t, err)
		w.wait(1000 * time.Hour)
		requireRefused(t, codes.AccountBanned, phone.try(n))
		require.NoError(t, n.Unban(ctx, key("alice")))
		phone.login(n)

		_, err = n.Ban(ctx, key("nobody"), time.Time{})
		require.ErrorIs(t, err, codes.AccountNotFound)
	})
}

func TestAnAccountIsDeleted(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a)
		old := w.ticket("alice", time.Hour)
		w.wait(2 * time.Second)
		ended, err := b.DeleteAccount(ctx, key("alice"))
		require.NoError(t, err)
		require.True(t, ended[0].Told)
		phone.hears("kicked: account_deleted")
		bad := requireRefused(t, codes.TicketRevoked, phone.back(b))
		require.Equal(t, codes.KickAccountDeleted, bad.Kick.Reason)
		w.wait(30 * time.Minute)
		bad = requireRefused(t, codes.TicketRevoked, phone.back(b))
		require.Equal(t, codes.KickAccountDeleted, bad.Kick.Reason)
		requireRefused(t, codes.TicketRevoked, phone.try(a, func(in *server.LoginRequest) { in.Ticket = old }))
		phone.login(a)
	})
}

func TestOneSessionIsKicked(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a)
		browser := w.device("alice", web).login(a)
		old := w.ticket("alice", time.Hour)
		w.wait(2 * time.Second)
		ended, err := b.KickSession(ctx, key("alice"), phone.grant.Session)
		require.NoError(t, err)
		require.Len(t, ended, 1)
		require.True(t, ended[0].Told)
		phone.hears("kicked: rest_api")
		browser.hearsNothing()
		w.online(b, "alice", "web")
		bad := requireRefused(t, codes.KickedOffline, phone.back(b))
		require.Equal(t, codes.KickRESTAPI, bad.Kick.Reason)
		phone.login(b, func(in *server.LoginRequest) { in.Ticket = old })

		ended, err = b.KickSession(ctx, key("alice"), "nobody")
		require.NoError(t, err)
		require.Empty(t, ended)
		w.online(b, "alice", "web", "ios")
	})
}
