package core

import (
	"context"
	"strings"
	"syscall"
	"testing"
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
