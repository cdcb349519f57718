package server_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

func TestALimiterCountsEachKeyByItself(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := server.NewLimiter[string](2, 3)
	for range 3 {
		require.Zero(t, l.Take("a", now))
	}
	require.Equal(t, 500*time.Millisecond, l.Take("a", now))
	require.Equal(t, 500*time.Millisecond, l.Take("a", now), "who is refused is not counted")
	require.Zero(t, l.Take("b", now))
	require.Zero(t, l.Take("a", now.Add(500*time.Millisecond)))
	require.NotZero(t, l.Take("a", now.Add(500*time.Millisecond)))
}

func TestALimiterRemembersOnlySoMany(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	l := server.NewLimiter[int](1, 1)
	for i := range 1 << 17 {
		require.Zero(t, l.Take(i, now))
	}
	require.NotZero(t, l.Take(0, now))
	require.Zero(t, l.Take(1<<17-1, now), "it came when there was no room: it is not limited")
	now = now.Add(time.Minute)
	require.Zero(t, l.Take(1<<18, now))
	require.NotZero(t, l.Take(1<<18, now), "those who have been quiet made room")
}

func TestANilLimiterAllowsEverything(t *testing.T) {
	l := server.NewLimiter[netip.Addr](0, 5)
	require.Nil(t, l)
	for range 100 {
		require.Zero(t, l.Take(netip.Addr{}, time.Now()))
	}
}

func TestAUserWhoLogsInTooOftenHasToWait(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.options.UserLogins = 0.5 // 5 at once, then one every two seconds
		n := w.node()
		phone, tablet := w.device("alice", ios), w.device("alice", ipad)
		for range 2 { // they push each other out
			phone.login(n)
			tablet.login(n)
		}
		tablet.comeBack(n)
		bad := requireRefused(t, codes.TooFrequent, phone.try(n))
		require.Equal(t, 2*time.Second, bad.RetryAfter.Round(time.Millisecond))
		require.Contains(t, bad.Text, "limits.user_logins_per_second", "an operator who benchmarks with one user finds what to set")
		requireRefused(t, codes.TooFrequent, tablet.back(n))
		w.device("bob", ios).login(n)
		w.wait(2 * time.Second)
		phone.login(n)

		stranger := w.device("carol", ios)
		for range 4 { // a bad ticket uses up nothing of hers
			requireRefused(t, codes.TicketUserMismatch, stranger.try(n, func(in *server.LoginRequest) { in.Ticket = w.ticket("alice", time.Hour) }))
		}
		for range 5 {
			stranger.login(n)
		}
	})
}
