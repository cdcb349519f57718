package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// valid makes a login with a ticket that is valid for d.
func valid(w *world, user string, d time.Duration) func(*server.LoginRequest) {
	return func(in *server.LoginRequest) { in.Ticket = w.ticket(user, d) }
}

func TestATicketEndsWhileItsUserIsOnline(t *testing.T) {
	for _, tt := range []struct {
		name     string
		validity time.Duration
		reminded time.Duration // before the end
	}{
		{"of 50 years", 49 * 365 * 24 * time.Hour, 10 * time.Minute},
		{"of 180 days", 180 * 24 * time.Hour, 10 * time.Minute},
		{"of an hour", time.Hour, 10 * time.Minute},
		{"of ten minutes", 10 * time.Minute, 2 * time.Minute},
		{"of ten seconds", 10 * time.Second, 2 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				w.options.SweepEvery = 100 * 24 * time.Hour // they would make years long
				n := w.node()
				phone := w.device("alice", ios).login(n, valid(w, "alice", tt.validity))
				expires := phone.grant.TicketExpires
				w.wait(time.Until(expires) - tt.reminded - 2*time.Second)
				phone.hearsNothing()
				w.wait(4 * time.Second)
				require.Len(t, phone.conn.heard(), 1)

				w.wait(time.Until(expires.Add(900 * time.Millisecond))) // the second that it names is good
				require.Len(t, phone.conn.heard(), 1)
				w.online(n, "alice", "ios")
				w.wait(300 * time.Millisecond)
				require.Len(t, phone.conn.heard(), 2)
				require.Equal(t, "ticket ended", phone.conn.heard()[1])
				w.online(n, "alice")
				require.Zero(t, n.Online())
				requireRefused(t, codes.TicketExpired, phone.back(n))
			})
		})
	}
}

func TestARenewal(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a, valid(w, "alice", time.Hour))
		w.wait(55 * time.Minute)
		require.Len(t, phone.conn.heard(), 1, "reminded")
		grant, err := a.Renew(ctx, phone.grant.Held, w.ticket("alice", time.Hour))
		require.NoError(t, err)
		require.Equal(t, phone.grant.Session, grant.Session)
		require.Equal(t, phone.grant.LoginSeq, grant.LoginSeq)
		require.Equal(t, time.Now().Add(time.Hour).Unix(), grant.TicketExpires.Unix())
		w.wait(30 * time.Minute)
		phone.resume = grant.ResumeTicket
		sessions, err := b.SessionsOf(ctx, key("alice"))
		require.NoError(t, err)
		require.Equal(t, grant.TicketExpires.Unix(), sessions[0].TicketExpires.Unix(), "other nodes know")
		require.Len(t, phone.conn.heard(), 1)
		w.wait(29 * time.Minute)
		require.Len(t, phone.conn.heard(), 2, "reminded again")
		w.wait(2 * time.Minute)
		require.Equal(t, "ticket ended", phone.conn.heard()[2])
	})
}

func TestARenewalIsRefused(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		renew := func(ticket string) error {
			_, err := n.Renew(ctx, phone.grant.Held, ticket)
			return err
		}
		requireRefused(t, codes.TicketUserMismatch, renew(w.ticket("bob", time.Hour)))
		requireRefused(t, codes.TicketEmpty, renew(""))
		old := w.ticket("alice", time.Hour)
		w.wait(2 * time.Second)
		require.NoError(t, w.store.Revoke(ctx, key("alice"), time.Now()))
		bad := requireRefused(t, codes.TicketRevoked, renew(old))
		require.Nil(t, bad.Kick, "the session goes on")
		require.NoError(t, renew(w.ticket("alice", time.Hour)))
		phone.hearsNothing()
		w.online(n, "alice", "ios")
	})
}
