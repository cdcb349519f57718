package core

import (
	"context"
	"errors"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// What ends a session or a call from this side.

func TestALogoutDuringALoginEndsBoth(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool { return f.Kind() == wire.KindLogin }
	}, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(time.Second)
		w.logOut()
		w.tells("logging_in, connecting, logged_out, disconnected OK, login alice LoggedOutBeforeLoginFinished, logout OK")
		require.Len(t, received[wire.Logout](w), 1, "the server may have let alice in")
	})
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnDial = func(context.Context, int) error { return syscall.ECONNREFUSED }
	}, func(w *world) {
		w.logIn("alice", "alice1")
		w.told()
		w.logOut()
		w.tells("logged_out, login alice LoggedOutBeforeLoginFinished, logout OK")
	})
}

func TestALogoutIsLocalAtOnceAndSucceedsWhenTheServerConfirms(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.Delay = time.Second }, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(10 * time.Second)
		w.told()
		w.logOut()
		w.tells(signsOut)
		require.Equal(t, Snapshot{ClockKnown: true, ClockOffset: w.Snapshot().ClockOffset}, w.Snapshot())
		time.Sleep(3 * time.Second)
		w.tells("logout OK")
	})
}

func TestALogoutDoesNotFailForTheNetworksSake(t *testing.T) {
	for name, arrange := range map[string]func(*world){
		"a silent server": func(w *world) { w.server.OnFrame = func(*timtest.Conn, wire.Frame) bool { return true } },
		"a server that is gone": func(w *world) {
			w.server.OnDial = func(context.Context, int) error { return syscall.ECONNREFUSED }
			w.server.Last().Drop()
		},
		"no way": func(w *world) {
			w.server.OnDial = func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }
			w.server.Last().Drop()
		},
	} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			arrange(w)
			w.told()
			started := time.Now()
			require.NoError(t, w.Logout(w.t.Context()), name)
			require.Equal(t, 5*time.Second, time.Since(started), name)
			require.Equal(t, codes.LoggedOut, w.Status(), name)
		})
	}
}

func TestALogoutWhileAwayComesBackForTheSessionToEndIt(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		var up atomic.Bool
		w.server.OnDial = func(context.Context, int) error {
			if up.Load() {
				return nil
			}
			return syscall.ENETUNREACH
		}
		w.server.Last().Drop()
		w.tells("disconnected Disconnected")
		w.logOut()
		w.tells("logged_out, ready false")
		time.Sleep(2 * time.Second)
		up.Store(true)
		time.Sleep(time.Second)
		w.tells("logout OK")
		require.Len(t, received[wire.Resume](w), 1)
		require.Len(t, received[wire.Logout](w), 1)
	})
}

func TestALogoutWithoutALoginIsNotLoggedIn(t *testing.T) {
	simulate(t, nil, func(w *world) {
		require.ErrorIs(t, w.Logout(w.t.Context()), codes.NotLoggedIn)
		require.ErrorIs(t, w.Renew(w.t.Context(), ticket("x")), codes.NotLoggedIn)
		w.signedIn()
		require.NoError(t, w.Logout(w.t.Context()))
		require.ErrorIs(t, w.Logout(w.t.Context()), codes.NotLoggedIn)
	})
}

func TestCloseEndsPendingCallsAndIsTheLastEvent(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool { return f.Kind() != wire.KindLogin || c.N == 2 }
	}, func(w *world) {
		w.signedIn()
		w.renews("alice2")
		w.logOut()
		w.logIn("bob", "bob1")
		w.tells(signsOut, "renew NotLoggedIn", "logging_in, connecting")
		w.Close()
		w.Close()
		w.tells("logged_out, disconnected OK, logout Interrupted, login bob Interrupted, closed OK")
	})
}

func TestACallerWhoGivesUpEndsTheAttemptOnlyIfNobodyElseWaits(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(*timtest.Conn, wire.Frame) bool { return true }
	}, func(w *world) {
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		w.logIn("alice", "alice1")
		_, err := w.Login(ctx, "alice", ticket("alice1"))
		require.ErrorIs(t, err, codes.Canceled)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		w.tells("logging_in, connecting")
		require.Equal(t, codes.LoggingIn, w.Status(), "another caller waits")
		time.Sleep(time.Minute)
		w.told()

		ctx, cancel = context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		_, err = w.Login(ctx, "alice", ticket("alice1"))
		require.ErrorIs(t, err, codes.Canceled)
		require.Equal(t, codes.LoggedOut, w.Status())
		w.tells("logging_in, connecting, logged_out, disconnected OK")

		_, err = w.Login(ctx, "alice", ticket("alice1"))
		require.ErrorIs(t, err, codes.Canceled, "without any effect")
		w.tells()
	})
}

func TestACanceledLogoutIsALogoutAllTheSame(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(*timtest.Conn, wire.Frame) bool { return true }
		ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, w.Logout(ctx), codes.Canceled)
		require.Equal(t, codes.LoggedOut, w.Status())
		time.Sleep(10 * time.Second)
	})
}

func TestMoreCallsThanFitAreRefused(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(*timtest.Conn, wire.Frame) bool { return true }
	}, func(w *world) {
		var answers atomic.Int32
		for range maxCalls {
			require.NoError(t, w.StartLogin("alice", ticket("a"), func(LoginResult, error) { answers.Add(1) }))
		}
		require.ErrorIs(t, w.StartLogin("alice", ticket("a"), nil), codes.QueueFull)
		time.Sleep(time.Minute)
		require.EqualValues(t, maxCalls, answers.Load())
		w.signedOutAndIn()
	})
}

// signedOutAndIn shows that the client is as good as new.
func (w *world) signedOutAndIn() {
	w.t.Helper()
	w.told()
	w.server.OnFrame, w.server.OnDial = nil, nil
	w.logIn("carol", "carol1")
	require.Contains(w.t, w.told(), signsIn+", login carol OK")
}

func TestErrorsAreCodesWhateverWrapsThem(t *testing.T) {
	err := failure{code: codes.ConnectRefused, text: "connection refused"}.err("login alice")
	require.EqualError(t, err, "login alice: the server refused the connection (9511): connection refused")
	var code codes.Code
	require.True(t, errors.As(err, &code))
	require.Equal(t, codes.ConnectRefused, code)
}
