package core

import (
	"context"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

func TestRenewGivesTheSessionAFreshTicketWithoutGoingOffline(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		require.NoError(t, w.Renew(w.t.Context(), ticket("alice2")))
		w.tells()
		sent := received[wire.Renew](w)
		require.Len(t, sent, 1)
		require.Equal(t, ticket("alice2"), sent[0].Ticket)

		w.server.Last().Drop()
		time.Sleep(waitBase)
		require.Equal(t, "resume-renewed", string(received[wire.Resume](w)[0].Ticket), "it comes with a resume ticket of its own")
		w.logIn("alice", "alice2")
		synctest.Wait()
		require.Len(t, received[wire.Renew](w), 1, "alice2 is the session's ticket")
	})
}

func TestARefusedRenewalLeavesTheSessionAsItIs(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			renew, isRenew := f.(*wire.Renew)
			if isRenew {
				c.Send(&wire.Reply{Request: renew.Request, Code: codes.TicketUserMismatch, Text: "it is bob's"})
			}
			return isRenew
		}
		err := w.Renew(w.t.Context(), ticket("bob1"))
		require.ErrorIs(t, err, codes.TicketUserMismatch)
		require.ErrorContains(t, err, "it is bob's")
		require.Equal(t, codes.LoggedIn, w.Status())
		w.tells()
	})
}

func TestARenewalWhileAwayIsSentOnReturn(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.OnDial = func(context.Context, int) error { return syscall.ENETUNREACH }
		w.server.Last().Drop()
		w.tells("disconnected Disconnected")
		require.ErrorIs(t, w.Renew(w.t.Context(), ticket("alice2")), codes.NetUnreachable, "within the timeout")
		w.told()
		w.server.OnDial = nil
		w.Wake()
		w.tells(comesUp)
		sent := received[wire.Renew](w)
		require.Len(t, sent, 1, "a good ticket is good later, too")
		require.Equal(t, ticket("alice2"), sent[0].Ticket)
	})
}

func TestARenewalThatIsLostWithItsConnectionIsSentAgain(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			if f.Kind() == wire.KindRenew && c.N == 1 {
				c.Drop()
				return true
			}
			return false
		}
		w.renews("alice2")
		time.Sleep(waitBase)
		w.tells("disconnected Disconnected", comesUp, "renew OK")
	})
}

func TestANewerRenewalReplacesOneThatIsNotAnswered(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			renew, isRenew := f.(*wire.Renew)
			if isRenew && renew.Ticket == ticket("alice2") {
				time.AfterFunc(time.Second, func() { c.Send(&wire.Reply{Request: renew.Request, Code: codes.TicketRevoked}) })
				return true
			}
			if isRenew {
				time.AfterFunc(2*time.Second, func() { c.Send(&wire.Reply{Request: renew.Request}) })
			}
			return isRenew
		}
		w.renews("alice2")
		w.renews("alice3")
		w.renews("alice3")
		time.Sleep(3 * time.Second)
		w.tells("renew OK, renew OK, renew OK")
		require.Len(t, received[wire.Renew](w), 2)
	})
}

func TestARenewalThatNobodyAnswersEnds(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(*timtest.Conn, wire.Frame) bool { return true }
		started := time.Now()
		require.ErrorIs(t, w.Renew(w.t.Context(), ticket("alice2")), codes.AckTimeout)
		require.Equal(t, 15*time.Second, time.Since(started))
	})
}

func TestWithoutAProviderTheApplicationIsToldOncePerTicket(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.TicketLife = 100 * time.Minute; s.Skew = time.Hour }, func(w *world) {
		var at time.Time
		w.hears = func(e Event) { at = e.At }
		w.signedIn()
		ends := w.server.Now().Add(100 * time.Minute)
		time.Sleep(80*time.Minute - time.Nanosecond)
		w.tells()
		time.Sleep(time.Nanosecond)
		w.tells("user_sig_will_expire")
		require.WithinDuration(t, ends, at, time.Millisecond, "by the server's clock")
		w.server.Last().Send(&wire.Ticket{Expires: ends.UnixMilli()})
		w.tells()

		require.NoError(t, w.Renew(w.t.Context(), ticket("alice2")))
		time.Sleep(80 * time.Minute)
		w.tells("user_sig_will_expire")
	})
}

func TestTheServersWarningIsTold(t *testing.T) {
	simulate(t, nil, func(w *world) {
		var at time.Time
		w.hears = func(e Event) { at = e.At }
		w.signedIn()
		ends := time.UnixMilli(w.server.Now().Add(time.Minute).UnixMilli())
		w.server.Last().Send(&wire.Ticket{Expires: ends.UnixMilli()})
		w.tells("user_sig_will_expire")
		require.Equal(t, ends, at)
	})
}

func TestAnExpiredTicketEndsTheSessionAndIsNotUsedAgain(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.Last().Send(&wire.Ticket{Expired: true})
		w.tells("user_sig_expired TicketExpired", signsOut)
		time.Sleep(24 * time.Hour)
		w.logIn("alice", "alice1")
		w.tells("login alice UserSigExpired")
		require.Equal(t, 1, w.server.Dials())
		w.logIn("alice", "alice2")
		w.tells(signsIn, "login alice OK")
	})
}

func TestATicketThatEndsWhileAwayIsToldOnReturn(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.TicketLife = time.Hour }, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			c.Refuse(f.(*wire.Resume).Request, codes.TicketExpired, 0)
			return true
		}
		w.server.Last().Send(&wire.Bye{Action: codes.ByeResume, RetryAfter: (2 * time.Hour).Milliseconds()})
		w.tells("disconnected Disconnected")
		time.Sleep(2 * time.Hour)
		w.tells("user_sig_will_expire", "connecting, user_sig_expired TicketExpired", signsOut)
	})
}

func TestATicketIsPrintedAsItsLengthAndLastFourCharacters(t *testing.T) {
	require.Equal(t, "(20 bytes …qrst)", redact("abcdefghijklmnopqrst"))
	require.Equal(t, "(15 bytes)", redact("abcdefghijklmno"), "four of so few would tell too much")
	simulate(t, nil, func(w *world) {
		w.signedIn()
		synctest.Wait()
		w.mu.Lock()
		defer w.mu.Unlock()
		require.Contains(t, w.logs, "link=1 login user=alice ticket=(57 bytes …ice1) reconnect=false")
	})
}

func TestOnlyTheLastFewSpentTicketsAreRemembered(t *testing.T) {
	var s spentTickets
	require.False(t, s.has(""))
	for i := range 9 {
		s.note(codes.TicketExpired, ticket(string(rune('a'+i))))
	}
	s.note(codes.TicketKeyMismatch, "wrong")
	require.False(t, s.has("wrong"), "it may be the server's key that is wrong")
	require.False(t, s.has(ticket("a")))
	require.True(t, s.has(ticket("b")))
	require.True(t, s.has(ticket("i")))
}
