package core

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// This file goes through the table of calls: what each call does in each state.

func TestACallBeforeOpenOrAfterCloseIsNotInitialized(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.Close()
		for name, c := range map[string]*Client{"before open": new(Client), "after close": w.Client} {
			_, err := c.Login(w.t.Context(), "alice", ticket("a"))
			require.ErrorIs(t, err, codes.NotInitialized, name)
			require.ErrorIs(t, c.StartLogin("alice", ticket("a"), nil), codes.NotInitialized, name)
			require.ErrorIs(t, c.Logout(w.t.Context()), codes.NotInitialized, name)
			require.ErrorIs(t, c.StartLogout(nil), codes.NotInitialized, name)
			require.ErrorIs(t, c.Renew(w.t.Context(), ticket("a")), codes.NotInitialized, name)
			require.ErrorIs(t, c.StartRenew(ticket("a"), nil), codes.NotInitialized, name)
			c.Wake()
			c.SetBackground(true)
			c.Close()
			require.Equal(t, Snapshot{}, c.Snapshot(), name)
			_, known := c.ServerTime()
			require.False(t, known, name)
		}
		w.tells("closed OK")
	})
}

func TestAMistakeInTheArgumentsIsToldAtOnceAndChangesNothing(t *testing.T) {
	tests := []struct {
		name, user, ticket string
		want               codes.Code
	}{
		{"no userID", "", "t", codes.InvalidParameters},
		{"33 bytes", strings.Repeat("a", 33), "t", codes.InvalidParameters},
		{"a newline", "al\nice", "t", codes.InvalidUserID},
		{"beyond ASCII", "älice", "t", codes.InvalidUserID},
		{"DEL", "a\x7f", "t", codes.InvalidUserID},
		{"no ticket", "alice", "", codes.InvalidParameters},
		{"a ticket that no frame holds", "alice", strings.Repeat("t", maxTicket+1), codes.InvalidParameters},
	}
	simulate(t, nil, func(w *world) {
		for range 2 { // logged out, then logged in
			for _, tt := range tests {
				_, err := w.Login(w.t.Context(), tt.user, tt.ticket)
				require.ErrorIs(t, err, tt.want, tt.name)
				require.ErrorIs(t, w.StartLogin(tt.user, tt.ticket, nil), tt.want, tt.name)
			}
			require.ErrorIs(t, w.Renew(w.t.Context(), ""), codes.InvalidParameters)
			require.ErrorIs(t, w.StartRenew("", nil), codes.InvalidParameters)
			w.tells()
			w.logIn("alice", "alice1")
			require.Contains(t, w.told(), "OK")
		}
		_, err := w.Login(w.t.Context(), "alice ~", ticket("x")) // the ends of printable ASCII
		require.NoError(t, err)
	})
}

func TestALoginGoesUpInStepsAndAnswersLast(t *testing.T) {
	simulate(t, nil, func(w *world) {
		require.Equal(t, Snapshot{}, w.Snapshot())
		w.logIn("alice", "alice1")
		w.tells(signsIn, "login alice OK")
		require.Equal(t, codes.LoggedIn, w.Status())
		require.Equal(t, codes.StateConnected, w.Connection())
		require.True(t, w.Ready())
		require.Equal(t, "alice", w.User())

		sent := received[wire.Login](w)
		require.Len(t, sent, 1)
		require.Equal(t, &wire.Login{
			Request: 1, Version: wire.Version, App: 1400000001, User: "alice", Ticket: ticket("alice1"), Platform: codes.PlatformAndroid,
			Instance: sent[0].Instance, Label: "test", SDK: "tim-go/" + codes.Version,
		}, sent[0])
		require.NotEmpty(t, sent[0].Instance)
	})
}

func TestABlockingLoginReturnsTheSessionAfterTheEventsThatLedToIt(t *testing.T) {
	simulate(t, nil, func(w *world) {
		got, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
		require.NoError(t, err)
		w.tells(signsIn)
		require.Equal(t, LoginResult{Session: "session-1", TicketExpires: got.TicketExpires}, got)
		require.WithinDuration(t, time.Now().Add(24*time.Hour), got.TicketExpires, time.Second)
	})
}

func TestARefusalIsTheServersCodeAndIsNotTriedAgain(t *testing.T) {
	for _, code := range []codes.Code{
		codes.TicketExpired, codes.TicketUnreadable, codes.TicketKeyMismatch, codes.TicketUserMismatch, codes.TooManyFailures,
		codes.AccountBanned, codes.AppNotFound, codes.KickedOffline, 70999,
	} {
		simulate(t, func(s *timtest.Server, _ *Options) {
			s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
				c.Refuse(f.(*wire.Login).Request, code, 0)
				return true
			}
		}, func(w *world) {
			started := time.Now()
			_, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
			require.ErrorIs(t, err, code)
			require.Zero(t, time.Since(started))
			w.tells("logging_in, connecting, logged_out, disconnected OK")
			time.Sleep(time.Hour)
			require.Equal(t, 1, w.server.Dials())
			require.Equal(t, codes.LoggedOut, w.Status())
			require.Empty(t, w.User())
		})
	}
}

func TestTheServersOwnWordsAreInTheError(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			c.Send(&wire.Refused{Request: f.(*wire.Login).Request, Code: codes.TicketExpired, Text: "3 h ago\xff"})
			return true
		}
	}, func(w *world) {
		_, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
		require.EqualError(t, err, "login alice: the ticket is expired (70001): 3 h ago\uFFFD")
	})
}

func TestADialIsTriedAgainWithinTheLoginTimeout(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnDial = func(_ context.Context, n int) error {
			if n < 4 {
				return syscall.ECONNREFUSED
			}
			return nil
		}
	}, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(3 * time.Second) // three waits of at most 500 ms
		again := "disconnected ConnectRefused, connecting, "
		w.tells("logging_in, connecting, " + again + again + again + "connected first, logged_in, ready true, login alice OK")
	})
}

func TestARefusalWhoseCodeSaysRetryIsTriedAgain(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			if c.N == 1 {
				c.Refuse(f.(*wire.Login).Request, codes.Overloaded, 4*time.Second)
			}
			return c.N == 1
		}
	}, func(w *world) {
		started := time.Now()
		_, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
		require.NoError(t, err)
		require.Equal(t, 4*time.Second, time.Since(started), "the server said when")
		w.tells("logging_in, connecting, disconnected Overloaded, connecting, connected first, logged_in, ready true")
	})
}

func TestARetryThatWouldComeTooLateEndsTheLoginAtOnce(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			c.Refuse(f.(*wire.Login).Request, codes.Overloaded, 20*time.Second)
			return true
		}
	}, func(w *world) {
		started := time.Now()
		_, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
		require.ErrorIs(t, err, codes.Overloaded)
		require.Zero(t, time.Since(started))
	})
}

func TestALoginAlwaysEndsWithinItsTimeoutWithTheLastFailure(t *testing.T) {
	never := func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }
	silent := func(*timtest.Conn, wire.Frame) bool { return true }
	for _, tt := range []struct {
		name    string
		arrange func(s *timtest.Server)
		want    codes.Code
	}{
		{"refused every time", func(s *timtest.Server) {
			s.OnDial = func(context.Context, int) error { return syscall.ECONNREFUSED }
		}, codes.ConnectRefused},
		{"no way", func(s *timtest.Server) {
			s.OnDial = func(context.Context, int) error { return syscall.ENETUNREACH }
		}, codes.NetUnreachable},
		{"a network that swallows everything", func(s *timtest.Server) { s.OnDial = never }, codes.ConnectTimeout},
		{"a server that never answers the login", func(s *timtest.Server) { s.OnFrame = silent }, codes.AckTimeout},
		{"a server that always drops", func(s *timtest.Server) {
			s.OnFrame = func(c *timtest.Conn, _ wire.Frame) bool { c.Drop(); return true }
		}, codes.Disconnected},
		{"a crowded server", func(s *timtest.Server) {
			s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
				c.Refuse(f.(*wire.Login).Request, codes.Overloaded, 0)
				return true
			}
		}, codes.Overloaded},
	} {
		for _, timeout := range []time.Duration{0, 3 * time.Second} {
			simulate(t, func(s *timtest.Server, o *Options) {
				tt.arrange(s)
				o.LoginTimeout = timeout
			}, func(w *world) {
				started := time.Now()
				_, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
				require.ErrorIs(t, err, tt.want, tt.name)
				want := timeout
				if want == 0 {
					want = 15 * time.Second
				}
				require.Equal(t, want, time.Since(started), tt.name)
				require.Equal(t, codes.LoggedOut, w.Status())
				time.Sleep(time.Minute)
				dials := w.server.Dials()
				time.Sleep(time.Hour)
				require.Equal(t, dials, w.server.Dials(), "it does not go on in secret")
			})
		}
	}
}

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
