package core

import (
	"context"
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

func TestPingsKeepAConnectionForDays(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.TicketLife = 1000 * time.Hour }, func(w *world) {
		w.signedIn()
		time.Sleep(48 * time.Hour)
		w.tells()
		require.Equal(t, 48*3600/25, w.server.Last().Pongs(), "each ping is answered")
	})
}

func TestASilentServerIsGivenUpAfterThePingIntervalAndTenSeconds(t *testing.T) {
	for _, tt := range []struct{ interval, after time.Duration }{
		{25 * time.Second, 35 * time.Second}, {60 * time.Second, 70 * time.Second}, {0, 35 * time.Second},
	} {
		simulate(t, func(s *timtest.Server, _ *Options) {
			s.PingInterval = -1
			s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
				login, isLogin := f.(*wire.Login)
				if isLogin {
					c.Accept(login.Request, func(a *wire.Accepted) { a.PingInterval = tt.interval.Milliseconds() })
				}
				return isLogin
			}
		}, func(w *world) {
			w.signedIn()
			time.Sleep(tt.after - time.Second)
			w.tells()
			time.Sleep(time.Second)
			w.tells("disconnected Disconnected")
			time.Sleep(waitBase)
			w.tells(comesUp)
		})
	}
}

func TestAnythingFromTheServerIsASignOfLife(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.PingInterval = -1 }, func(w *world) {
		w.signedIn()
		for range 10 {
			time.Sleep(34 * time.Second)
			w.server.Last().Send(&wire.Reply{Request: 4711})
			w.tells()
		}
		time.Sleep(35 * time.Second)
		w.tells("disconnected Disconnected")
	})
}

func TestWakeProbesALiveConnectionAndKeepsIt(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.Wake()
		w.Wake()
		time.Sleep(time.Minute)
		w.tells()
		require.Equal(t, 1, w.server.Dials())
	})
}

func TestWakeGivesADeadConnectionUpWithinTwoSeconds(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.Window = time.Hour }, func(w *world) {
		w.signedIn()
		w.server.Last().Freeze()
		time.Sleep(time.Second)
		w.Wake()
		time.Sleep(probeTimeout - time.Nanosecond)
		w.tells()
		time.Sleep(time.Nanosecond)
		w.tells("disconnected Disconnected", comesUp) // at once, whatever the window: this is one client, not a node's
	})
}

func TestWakeEndsAWaitAndMakesWaitsShortAgain(t *testing.T) {
	simulate(t, func(_ *timtest.Server, o *Options) { o.Background = true }, func(w *world) {
		w.signedIn()
		w.server.OnDial = func(context.Context, int) error { return syscall.ENETUNREACH }
		w.server.Last().Drop()
		time.Sleep(time.Hour)
		w.told()
		dials := w.server.Dials()
		w.Wake()
		w.tells("connecting, disconnected NetUnreachable")
		require.Equal(t, dials+1, w.server.Dials())
		time.Sleep(waitBase)
		require.GreaterOrEqual(t, w.server.Dials(), dials+2)

		w.told()
		w.server.OnDial = nil
		w.SetBackground(false) // coming to the foreground is a wake
		w.tells(comesUp)
	})
}

func TestWakeStartsATryThatIsAlreadyOldAgain(t *testing.T) {
	for name, arrange := range map[string]func(*timtest.Server, *Options){
		"while dialing": func(s *timtest.Server, _ *Options) {
			s.OnDial = func(ctx context.Context, n int) error {
				if n <= 1 { // over the network that was there before
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
			w.tells("logging_in, connecting")
			w.Wake() // too early: the try is young
			time.Sleep(probeTimeout)
			w.tells()
			require.Equal(t, 1, w.server.Dials(), name)
			w.Wake()
			w.tells("connected first, logged_in, ready true, login alice OK")
		})
	}
}

func TestWakeMeansNothingWhenNobodyIsLoggedIn(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.Wake()
		w.SetBackground(true)
		w.SetBackground(false)
		time.Sleep(time.Hour)
		w.tells()
		require.Zero(t, w.server.Dials())
	})
}

// A phone that sleeps stops timers, but not the wall clock.

func TestAfterANightAsleepTheConnectionIsProbed(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.shift(8 * time.Hour)
		time.Sleep(25 * time.Second) // the next ping is the first signal
		w.tells()
		require.Equal(t, 1, w.server.Dials(), "the server is still there")

		w.server.Last().Freeze()
		w.shift(8 * time.Hour)
		w.SetBackground(true) // any signal will do
		time.Sleep(probeTimeout)
		w.tells("disconnected Disconnected", comesUp)
	})
}

func TestAfterANightAsleepAWaitAndALoginAreOver(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.Last().Send(&wire.Bye{RetryAfter: time.Hour.Milliseconds()})
		w.tells("disconnected Disconnected")
		w.shift(8 * time.Hour)
		w.SetBackground(true)
		w.tells(comesUp)
	})
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnDial = func(ctx context.Context, _ int) error { <-ctx.Done(); return ctx.Err() }
	}, func(w *world) {
		w.logIn("alice", "alice1")
		w.tells("logging_in, connecting")
		w.shift(8 * time.Hour)
		w.SetBackground(true)
		w.tells("logged_out, disconnected ConnectTimeout, login alice ConnectTimeout")
	})
}

func TestAClockThatIsSetBackStretchesNoDeadline(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.PingInterval = -1 }, func(w *world) {
		w.signedIn()
		w.shift(-time.Hour)
		time.Sleep(35 * time.Second)
		w.tells("disconnected Disconnected")
		time.Sleep(waitBase)
		w.tells(comesUp)
	})
}

// The server's clock.

func (w *world) serverTimeIsOff() time.Duration {
	w.t.Helper()
	got, known := w.ServerTime()
	require.True(w.t, known)
	return got.Sub(w.server.Now()).Abs()
}

func TestServerTimeIsKnownAfterTheFirstLoginAndStays(t *testing.T) {
	const skew = -42 * time.Minute
	simulate(t, func(s *timtest.Server, _ *Options) { s.Skew = skew; s.Delay = 500 * time.Millisecond }, func(w *world) {
		_, known := w.ServerTime()
		require.False(t, known)
		w.logIn("alice", "alice1")
		time.Sleep(5 * time.Second)
		w.told()
		require.Less(t, w.serverTimeIsOff(), time.Millisecond, "half the round trip is on the way back")
		require.InDelta(t, skew, w.Snapshot().ClockOffset, float64(time.Millisecond))
		require.True(t, w.Snapshot().ClockKnown)

		time.Sleep(time.Hour)
		require.Less(t, w.serverTimeIsOff(), time.Millisecond, "pings took half a round trip, too")
		w.server.OnDial = func(context.Context, int) error { return syscall.ENETUNREACH }
		w.server.Last().Drop()
		time.Sleep(time.Hour)
		require.Less(t, w.serverTimeIsOff(), time.Millisecond, "while offline")
		require.NoError(t, w.Logout(w.t.Context()))
		require.Less(t, w.serverTimeIsOff(), time.Millisecond, "logged out")
		w.Close()
		require.Less(t, w.serverTimeIsOff(), time.Millisecond, "closed")
	})
}

func TestServerTimeSurvivesAClockThatJumps(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.shift(-3 * time.Hour) // set back
		require.Less(t, w.serverTimeIsOff(), time.Millisecond)
		w.SetBackground(true) // any signal publishes the new offset
		w.told()
		require.InDelta(t, 3*time.Hour, w.Snapshot().ClockOffset, float64(time.Second))

		w.shift(5 * time.Hour) // set forward, or a night asleep: only the server can tell
		time.Sleep(25 * time.Second)
		w.tells()
		require.Less(t, w.serverTimeIsOff(), time.Millisecond)
		require.InDelta(t, -2*time.Hour, w.Snapshot().ClockOffset, float64(time.Second))
		require.Equal(t, 1, w.server.Dials())
	})
}

func TestAPingWithoutAClockChangesNothing(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.Last().PingWith(nil)
		w.server.Last().PingWith([]byte("four"))
		w.tells()
		require.Less(t, w.serverTimeIsOff(), time.Millisecond)
		require.Equal(t, codes.StateConnected, w.Connection())
	})
}

func TestAServerWithAnAbsurdClockDoesNotMakeTimesThatCannotBe(t *testing.T) {
	for _, ms := range []int64{math.MaxInt64, math.MinInt64, -1, 1 << 53} {
		simulate(t, func(s *timtest.Server, _ *Options) {
			s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
				c.Accept(f.(*wire.Login).Request, func(a *wire.Accepted) { a.ServerTime, a.TicketExpires = ms, ms })
				return true
			}
		}, func(w *world) {
			w.signedIn()
			at, known := w.ServerTime()
			require.True(t, known)
			require.WithinRange(t, at, time.Unix(0, 0), time.Date(2201, 1, 1, 0, 0, 0, 0, time.UTC), ms)
			sum := time.Duration(time.Now().UnixNano()) + w.Snapshot().ClockOffset // as the C face calculates
			require.EqualValues(t, at.UnixNano(), sum, ms)
			w.tells()
		})
	}
}
