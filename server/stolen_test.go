package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// What SECURITY.md says of a thief, who has what the user has and no more.

func TestAThiefOfATicketPushesTheUserOutWhoIsToldByWhom(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		stolen := w.ticket("alice", time.Hour)
		phone := w.device("alice", ios).login(n)
		w.wait(time.Second)
		thief := w.device("alice", ios).login(n, func(in *server.LoginRequest) { in.Ticket = stolen })
		phone.hears("kicked: multiple_account by ios")

		w.wait(2 * time.Second)
		_, err := n.KickUser(ctx, key("alice"))
		require.NoError(t, err)
		thief.hears("kicked: rest_api")
		requireRefused(t, codes.TicketRevoked, thief.try(n, func(in *server.LoginRequest) { in.Ticket = stolen }))
		requireRefused(t, codes.TicketRevoked, thief.back(n))
		w.wait(time.Second)
		phone.login(n)
	})
}

func TestAThiefOfAResumeTicketHasTheSessionUntilItsTicketEndsOrAnAdministratorActs(t *testing.T) {
	for name, end := range map[string]struct {
		act  func(w *world, n *node)
		code codes.Code
	}{
		"a kick":     {func(w *world, n *node) { _, err := n.KickUser(ctx, key("alice")); require.NoError(w.t, err) }, codes.TicketRevoked},
		"its end":    {func(w *world, _ *node) { w.wait(time.Hour) }, codes.TicketExpired},
		"nothing":    {func(*world, *node) {}, codes.OK},
		"the logout": {func(w *world, _ *node) { w.wait(time.Second) }, codes.OK}, // as SECURITY.md says: a logout does not revoke
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				n := w.node()
				phone := w.device("alice", ios).login(n)
				thief := *phone // its resume ticket and nothing else
				w.wait(2 * time.Second)
				thief.comeBack(n)
				phone.hears("moved") // whose engine finds its connection closed, and comes back
				phone.comeBack(n)
				if name == "the logout" {
					require.NoError(t, n.Logout(ctx, phone.grant.Held))
				}
				end.act(w, n)
				err := thief.back(n)
				if end.code == codes.OK {
					require.NoError(t, err)
					return
				}
				requireRefused(t, end.code, err)
			})
		})
	}
}
