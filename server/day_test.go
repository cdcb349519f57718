package server_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// activeOn says whether the user counts as active today.
func (w *world) activeToday(user string) bool {
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	return w.store.marks[key(user)][server.DayOf(time.Now(), time.UTC)]
}

func TestARefusedLoginNeitherMakesAnAccountNorCounts(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios)
		old := w.ticket("alice", 72*time.Hour)
		phone.login(n)
		w.wait(2 * time.Second)
		_, err := n.DeleteAccount(ctx, key("alice"))
		require.NoError(t, err)
		requireRefused(t, codes.TicketRevoked, phone.try(n, func(in *server.LoginRequest) { in.Ticket = old }))
		_, err = w.store.Account(ctx, key("alice"))
		require.ErrorIs(t, err, codes.AccountNotFound)

		phone.login(n)
		_, err = n.Ban(ctx, key("alice"), time.Time{})
		require.NoError(t, err)
		w.wait(24 * time.Hour)
		requireRefused(t, codes.AccountBanned, phone.try(n))
		require.False(t, w.activeToday("alice"))
		require.NoError(t, n.Unban(ctx, key("alice")))
		phone.login(n)
		require.True(t, w.activeToday("alice"))
	})
}

func TestAResumeOnAnotherDayCountsBeforeItIsAnswered(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios)
		phone.login(a, func(in *server.LoginRequest) { in.Ticket = w.ticket("alice", 72*time.Hour) })
		w.wait(24 * time.Hour)
		phone.lose(a)
		require.False(t, w.activeToday("alice"))
		phone.comeBack(b)
		require.True(t, w.activeToday("alice"))

		arrivals := w.store.arrivals
		for _, n := range []*node{a, b, a} {
			phone.comeBack(n)
		}
		require.Equal(t, arrivals, w.store.arrivals, "the resume ticket knows that the day is marked")

		_, err := a.Renew(ctx, phone.grant.Held, w.ticket("alice", 72*time.Hour))
		require.NoError(t, err)
		require.Equal(t, arrivals, w.store.arrivals)
	})
}

func TestAResumeIsNotHeldUpByAStoreThatCannotCountIt(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios)
		phone.login(n, func(in *server.LoginRequest) { in.Ticket = w.ticket("alice", 72*time.Hour) })
		w.wait(24 * time.Hour)
		w.store.set(func() { w.store.err = errors.New("the disk is full") })
		phone.comeBack(n)
		require.False(t, w.activeToday("alice"))
		w.store.set(func() { w.store.err = nil })
		phone.comeBack(n)
		require.True(t, w.activeToday("alice"), "the next resume tries again")
	})
}

func TestAResumeDoesNotMakeAnAccount(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios)
		phone.login(n, func(in *server.LoginRequest) { in.Ticket = w.ticket("alice", 72*time.Hour) })
		w.wait(24 * time.Hour)
		w.store.set(func() { delete(w.store.accounts, key("alice")) }) // a restored backup has lost it
		phone.comeBack(n)
		require.False(t, w.activeToday("alice"))
		_, err := w.store.Account(ctx, key("alice"))
		require.ErrorIs(t, err, codes.AccountNotFound)
	})
}
