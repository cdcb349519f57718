package core

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// A login while somebody is logging in or logged in: it joins, replaces, repeats or switches.

func TestALoginOfTheSameUserAndTicketJoins(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.Delay = time.Second }, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(time.Second)
		w.logIn("alice", "alice1")
		time.Sleep(5 * time.Second)
		w.tells(signsIn, "login alice OK, login alice OK")
		require.Len(t, received[wire.Login](w), 1)
	})
}

func TestALoginThatJoinsFailsWithTheOther(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnDial = func(ctx context.Context, _ int) error { return syscall.ECONNREFUSED }
	}, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(14 * time.Second)
		w.logIn("alice", "alice1")
		w.told()
		time.Sleep(time.Second)
		require.Contains(t, w.told(), "logged_out, login alice ConnectRefused, login alice ConnectRefused")
	})
}

func TestANewerTicketReplacesTheAttemptAndTheFirstCallJoinsTheSecond(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			return f.(*wire.Login).Ticket == ticket("alice1") // never answers the first
		}
	}, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(time.Second)
		w.logIn("alice", "alice2")
		w.tells(signsIn, "login alice OK, login alice OK")
		require.Len(t, received[wire.Login](w), 2)
		require.NotNil(t, w.server.Conns()[0].Closed(), "the first connection is given up")
	})
}

func TestACallThatJoinedANewerTicketStillEndsWithinItsOwnTimeout(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnDial = func(ctx context.Context, _ int) error { return syscall.ECONNREFUSED }
	}, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(10 * time.Second)
		w.logIn("alice", "alice2")
		w.told()
		time.Sleep(5 * time.Second)
		require.Equal(t, 1, strings.Count(w.told(), "login alice ConnectRefused"))
		require.Equal(t, codes.LoggingIn, w.Status(), "the second goes on")
		time.Sleep(10 * time.Second)
		require.Equal(t, 1, strings.Count(w.told(), "logged_out, login alice ConnectRefused"))
	})
}

func TestALoginOfAnotherUserEndsTheOneUnderWay(t *testing.T) {
	for name, arrange := range map[string]func(*timtest.Server, *Options){
		"while dialing": func(s *timtest.Server, _ *Options) {
			s.OnDial = func(ctx context.Context, n int) error {
				if n == 1 {
					<-ctx.Done()
				}
				return ctx.Err()
			}
		},
		"while authenticating": func(s *timtest.Server, _ *Options) {
			s.OnFrame = func(c *timtest.Conn, _ wire.Frame) bool { return c.N == 1 }
		},
	} {
		simulate(t, arrange, func(w *world) {
			w.logIn("alice", "alice1")
			time.Sleep(time.Second)
			w.logIn("bob", "bob1")
			synctest.Wait()
			got := w.told()
			require.Equal(t, "logging_in, connecting, logged_out, disconnected OK, login alice LoggedOutBeforeLoginFinished, "+
				signsIn+", login bob OK", got, name)
		})
	}
}

func TestALoginOfTheUserWhoIsLoggedInSucceedsAtOnce(t *testing.T) {
	for _, away := range []bool{false, true} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			if away {
				w.server.OnDial = func(context.Context, int) error { return syscall.ENETUNREACH }
				w.server.Last().Drop()
				w.told()
			}
			w.logIn("alice", "alice1")
			w.tells("login alice (repeat) OK")
			result, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
			require.NoError(t, err)
			require.Equal(t, "session-1", result.Session)
			require.True(t, result.Repeat)
			require.Empty(t, received[wire.Renew](w))
		})
	}
}

func TestARepeatedLoginWithANewerTicketRenewsInTheBackground(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.logIn("alice", "alice2")
		w.tells("login alice (repeat) OK")
		sent := received[wire.Renew](w)
		require.Len(t, sent, 1)
		require.Equal(t, ticket("alice2"), sent[0].Ticket)
		w.logIn("alice", "alice2")
		w.tells("login alice (repeat) OK")
		require.Len(t, received[wire.Renew](w), 1, "it is the session's ticket now")
	})
}

func TestASwitchLogsTheOldUserOutHereAndOnTheServer(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.Delay = 10 * time.Millisecond }, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(time.Second)
		w.told()
		w.logIn("bob", "bob1")
		time.Sleep(time.Second)
		w.tells(signsOut, signsIn, "login bob OK")
		require.Equal(t, "bob", w.User())
		require.Len(t, received[wire.Logout](w), 1)
		_, isLogout := w.server.Conns()[0].Frames()[1].(*wire.Logout)
		require.True(t, isLogout, "on alice's connection")
		require.Len(t, w.server.Conns(), 2)
	})
}

func TestNoEventOfTheOldUserComesAfterTheNewUsersSuccess(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		old := w.server.Last()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			_, isLogout := f.(*wire.Logout)
			if isLogout { // the server has other news for alice than the answer
				old.Send(&wire.Kicked{Reason: codes.KickMultipleDevice, Code: codes.KickedOffline})
				old.Send(&wire.Ticket{Expired: true})
				old.Close(codes.KickedOffline.CloseCode(), "")
			}
			return isLogout
		}
		w.logIn("bob", "bob1")
		w.tells(signsOut, signsIn, "login bob OK")
		time.Sleep(time.Hour)
		w.tells()
		require.Equal(t, "bob", w.User())
	})
}

func TestATicketThatTheServerHasCalledExpiredIsNotSentAgain(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			f, isLogin := f.(*wire.Login)
			if isLogin && f.(*wire.Login).Ticket == ticket("old") {
				c.Refuse(f.(*wire.Login).Request, codes.TicketExpired, 0)
				return true
			}
			return false
		}
	}, func(w *world) {
		_, err := w.Login(w.t.Context(), "alice", ticket("old"))
		require.ErrorIs(t, err, codes.TicketExpired)
		w.told()
		dials := w.server.Dials()

		_, err = w.Login(w.t.Context(), "alice", ticket("old"))
		require.ErrorIs(t, err, codes.UserSigExpired)
		w.tells()
		w.signedIn()
		_, err = w.Login(w.t.Context(), "alice", ticket("old"))
		require.ErrorIs(t, err, codes.UserSigExpired, "also while logged in")
		require.ErrorIs(t, w.Renew(w.t.Context(), ticket("old")), codes.UserSigExpired)
		w.tells()
		require.Equal(t, dials+1, w.server.Dials())
	})
}
