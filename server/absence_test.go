package server_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// absent requires which devices of a user a push would reach, as the REST face finds out.
func (w *world) absent(n *node, user string, want ...codes.Platform) {
	w.t.Helper()
	w.wait(time.Second)
	all, err := w.store.Absences(ctx, appID, []string{user})
	require.NoError(w.t, err)
	sessions, err := n.SessionsOf(ctx, key(user))
	require.NoError(w.t, err)
	settings, err := n.Settings(appID)
	require.NoError(w.t, err)
	var got []codes.Platform
	for _, a := range server.Absent(all[user], sessions, settings, time.Now()) {
		got = append(got, a.Platform)
	}
	require.Equal(w.t, want, got)
}

const windows = codes.PlatformWindows

// long is a ticket that outlives a story.
func (w *world) long(user string) func(*server.LoginRequest) {
	return func(in *server.LoginRequest) { in.Ticket = w.ticket(user, 60*24*time.Hour) }
}

func TestAPhoneThatDoesNotComeBackIsAbsentForSevenDays(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n, w.long("alice"))
		browser := w.device("alice", web).login(n, w.long("alice"))
		phone.lose(n)
		browser.lose(n)
		w.absent(n, "alice")
		w.wait(3 * time.Minute)
		w.absent(n, "alice", ios) // and no browser
		w.wait(server.AbsenceLife - 4*time.Minute)
		w.absent(n, "alice", ios)
		w.wait(4 * time.Minute)
		w.absent(n, "alice")
	})
}

func TestAnAbsenceEnds(t *testing.T) {
	for name, end := range map[string]func(w *world, a, b *node, phone *device){
		"when the phone comes back": func(w *world, _, b *node, phone *device) { phone.comeBack(b) },
		"when the phone logs in":    func(w *world, _, b *node, phone *device) { phone.login(b) },
		"for good when it comes back and logs out": func(w *world, _, b *node, phone *device) {
			phone.comeBack(b)
			require.NoError(w.t, b.Logout(ctx, phone.grant.Held))
		},
		"for good when another device logs in, and out again": func(w *world, a, _ *node, _ *device) {
			other := w.device("alice", windows).login(a)
			w.absent(a, "alice")
			require.NoError(w.t, a.Logout(ctx, other.grant.Held))
		},
		"for good when another device logs in and is lost": func(w *world, a, _ *node, _ *device) {
			other := w.device("alice", windows).login(a)
			other.lose(a)
			w.wait(3 * time.Minute)
		},
		"when the user is kicked by an administrator": func(w *world, a, _ *node, _ *device) {
			_, err := a.KickUser(ctx, key("alice"))
			require.NoError(w.t, err)
			w.store.set(func() { delete(w.store.absences, key("alice")) }) // as storetest demands of a real one
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a, b := w.node(), w.node()
				phone := w.device("alice", android).login(a, w.long("alice"))
				phone.lose(a)
				w.wait(3 * time.Minute)
				w.absent(a, "alice", android)
				w.absent(b, "alice", android)
				end(w, a, b, phone)
				w.absent(a, "alice")
				w.wait(time.Hour)
				w.absent(b, "alice")
			})
		})
	}
}

func TestAnAbsenceSurvivesABrowserThatComesAndGoes(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", android).login(n, w.long("alice"))
		phone.lose(n)
		w.wait(3 * time.Minute)
		browser := w.device("alice", web).login(n)
		w.absent(n, "alice", android)
		require.NoError(t, n.Logout(ctx, browser.grant.Held))
		w.absent(n, "alice", android)
	})
}

func TestThePhonesOfADeadNodeBecomeAbsent(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		w.device("alice", ios).login(a, w.long("alice"))
		a.crash()
		w.wait(4 * time.Minute)
		w.absent(b, "alice", ios)
	})
}

func TestANodeThatStopsNotesWhoIsAway(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a, w.long("alice"))
		phone.lose(a)
		a.close()
		w.store.set(func() { require.Len(t, w.store.absences[key("alice")], 1) })
		phone.comeBack(b)
		w.absent(b, "alice")
	})
}

func TestAStoreThatTakesNoAbsencesIsAskedAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		for i := range 300 {
			name := fmt.Sprint("user-", i)
			w.device(name, ios).login(n, w.long(name)).lose(n)
		}
		w.store.set(func() { w.store.err = errors.New("the disk is full") })
		w.wait(10 * time.Minute)
		w.store.set(func() { w.store.err = nil })
		w.wait(5 * time.Second)
		for i := range 300 {
			w.absent(n, fmt.Sprint("user-", i), ios)
		}
	})
}

// A login must not wait for what absences cost, nor cost more for it.
func TestALoginTellsNobodyOfAbsences(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n, w.long("alice"))
		w.store.set(func() { w.store.absences = nil }) // a write to it would panic
		for range 3 {
			phone.lose(n)
			phone.comeBack(n)
			phone.login(n)
		}
		w.wait(time.Minute)
		w.store.set(func() { w.store.absences = map[server.UserKey][]server.Absence{} })
	})
}
