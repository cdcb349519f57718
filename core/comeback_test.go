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

// A lost connection comes back by itself, and until somebody says stop.

func TestWaitsGrowFromTheBaseToTheCap(t *testing.T) {
	const s = time.Second
	for _, tt := range []struct {
		tries      int
		window     time.Duration
		background bool
		want       time.Duration
	}{
		{0, 0, false, s / 2}, {1, 0, false, s}, {2, 0, false, 2 * s}, {5, 0, false, 16 * s}, {6, 0, false, 20 * s}, {1000000, 0, false, 20 * s},
		{6, 0, true, 32 * s}, {9, 0, true, 256 * s}, {10, 0, true, 300 * s}, {1000000, 0, true, 300 * s},
		{0, 10 * s, false, 10 * s}, {1, 10 * s, false, 20 * s}, {2, 10 * s, false, 20 * s},
		{0, 60 * s, false, 60 * s}, {5, 60 * s, false, 60 * s}, {3, 60 * s, true, 300 * s},
		{0, 10 * time.Millisecond, false, 10 * time.Millisecond},
	} {
		require.Equal(t, tt.want, ceiling(tt.tries, tt.window, tt.background), "%+v", tt)
	}
}

func TestATryThatHangsIsGivenUpAndSaysHowFarItCame(t *testing.T) {
	for _, tt := range []struct {
		want    codes.Code
		arrange func(*timtest.Server)
	}{
		{codes.ConnectTimeout, func(s *timtest.Server) {
			s.OnDial = func(ctx context.Context, n int) error {
				if n == 2 {
					<-ctx.Done()
				}
				return ctx.Err()
			}
		}},
		{codes.AckTimeout, func(s *timtest.Server) {
			s.OnFrame = func(c *timtest.Conn, _ wire.Frame) bool { return c.N == 2 }
		}},
	} {
		simulate(t, func(s *timtest.Server, _ *Options) { tt.arrange(s) }, func(w *world) {
			w.signedIn()
			w.server.Last().Drop()
			time.Sleep(waitBase)
			w.tells("disconnected Disconnected", "connecting")
			time.Sleep(dialTimeout + 2*waitBase)
			w.tells("disconnected "+tt.want.Name(), comesUp)
		})
	}
}

func TestFullJitterSpreadsOverAllOfTheWait(t *testing.T) {
	const n = 20_000
	var tenths [10]int
	for range n {
		wait := fullJitter(10 * time.Second)
		require.GreaterOrEqual(t, wait, waitLeast)
		require.LessOrEqual(t, wait, 10*time.Second)
		tenths[min(9, wait/time.Second)]++
	}
	for i, count := range tenths {
		require.InDelta(t, n/10, count, n/50, "tenth %d of %v", i, tenths)
	}
	require.Equal(t, waitLeast, fullJitter(0))
}

func TestALostConnectionIsResumedAndTheUserStaysLoggedIn(t *testing.T) {
	for name, lose := range map[string]func(*timtest.Conn){
		"dropped":              func(c *timtest.Conn) { c.Drop() },
		"going away":           func(c *timtest.Conn) { c.Close(1001, "") },
		"come back":            func(c *timtest.Conn) { c.Close(codes.ServerInternal.CloseCode(), "") },
		"an odd code":          func(c *timtest.Conn) { c.Close(4711, "") },
		"a bye, resume":        func(c *timtest.Conn) { c.Send(&wire.Bye{Action: codes.ByeResume}) },
		"a bye of another day": func(c *timtest.Conn) { c.Send(&wire.Bye{Action: 99}) },
	} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			lose(w.server.Last())
			synctest.Wait()
			require.Equal(t, codes.LoggedIn, w.Status(), name)
			require.Equal(t, codes.StateDisconnected, w.Connection(), name)
			require.True(t, w.Ready(), name)
			require.Equal(t, "alice", w.User(), name)
			require.Regexp(t, `^disconnected (Disconnected|ServerInternal)$`, w.told(), name)
			time.Sleep(waitBase)
			w.tells(comesUp)
			sent := received[wire.Resume](w)
			require.Len(t, sent, 1, name)
			require.Equal(t, "resume-1", string(sent[0].Ticket), name)
			require.Len(t, received[wire.Login](w), 1, name)
		})
	}
}

// waits returns how long the client waited before each try from now on, until n tries failed with err.
func (w *world) waits(n int, err error) []time.Duration {
	w.t.Helper()
	var waits []time.Duration
	since, tried := time.Now(), make(chan struct{}, 1)
	w.server.OnDial = func(context.Context, int) error {
		waits = append(waits, time.Since(since))
		since = time.Now()
		tried <- struct{}{}
		return err
	}
	w.server.Last().Drop()
	for range n {
		<-tried
	}
	return waits
}

func TestWaitsStayBelowTheirCeilings(t *testing.T) {
	for _, background := range []bool{false, true} {
		simulate(t, func(_ *timtest.Server, o *Options) { o.Background = background }, func(w *world) {
			w.signedIn()
			longest := time.Duration(0)
			for n, wait := range w.waits(40, syscall.ENETUNREACH) {
				require.GreaterOrEqual(t, wait, waitLeast)
				require.LessOrEqual(t, wait, ceiling(n, 0, background), "wait %d", n)
				longest = max(longest, wait)
			}
			if background {
				require.Greater(t, longest, 100*time.Second)
			} else {
				require.Greater(t, longest, 10*time.Second)
			}
		})
	}
}

func TestTenRefusedConnectionsDoNotMakeWaitsLonger(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		longest := time.Duration(0)
		for n, wait := range w.waits(40, syscall.ECONNREFUSED) {
			tries := min(n, 1) + max(0, n-1-patientRefusals) // the first is for the connection that was lost
			require.LessOrEqual(t, wait, ceiling(tries, 0, false), "wait %d", n)
			longest = max(longest, wait)
		}
		require.Greater(t, longest, 5*time.Second, "a server that is gone is asked less and less often")
	})
}

func TestAServerThatRestartsFindsItsClientsWithinItsWindow(t *testing.T) {
	const window = 5 * time.Second
	simulate(t, func(s *timtest.Server, _ *Options) { s.Window = window }, func(w *world) {
		w.signedIn()
		time.Sleep(stableAfter) // the loss of a stable connection is no try that failed
		for n, wait := range w.waits(patientRefusals, syscall.ECONNREFUSED) {
			require.LessOrEqual(t, wait, window, "wait %d", n)
		}
	})
}

func TestTheServersWindowSpreadsClientsOverTheTimeItNeeds(t *testing.T) {
	const window = 100 * time.Second // beyond the cap: no cap cuts it
	early, late := 0, 0
	for range 50 {
		simulate(t, func(s *timtest.Server, _ *Options) { s.Window = window }, func(w *world) {
			w.signedIn()
			switch wait := w.waits(1, syscall.ENETUNREACH)[0]; {
			case wait > window:
				t.Errorf("a wait of %v", wait)
			case wait < window/2:
				early++
			default:
				late++
			}
		})
	}
	require.Greater(t, early, 5)
	require.Greater(t, late, 5)
}

func TestTheServersRetryAfterOverridesEverything(t *testing.T) {
	for _, after := range []time.Duration{time.Second, 90 * time.Second} {
		simulate(t, func(s *timtest.Server, _ *Options) { s.Window = 10 * time.Second }, func(w *world) {
			w.signedIn()
			w.server.Last().Send(&wire.Bye{Code: codes.Overloaded, Text: "drain", Action: codes.ByeResume, RetryAfter: after.Milliseconds()})
			w.tells("disconnected Overloaded")
			time.Sleep(after - time.Nanosecond)
			w.tells()
			time.Sleep(time.Nanosecond)
			w.tells(comesUp)
		})
		simulate(t, nil, func(w *world) { // a session that comes back heeds it whatever the code
			w.signedIn()
			w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
				resume, isResume := f.(*wire.Resume)
				if isResume && c.N == 2 {
					c.Refuse(resume.Request, codes.TooManyFailures, after)
				}
				return isResume && c.N == 2
			}
			w.server.Last().Drop()
			time.Sleep(waitBase)
			w.tells("disconnected Disconnected", "connecting, disconnected TooManyFailures")
			time.Sleep(after)
			w.tells(comesUp)
		})
	}
}

func TestNonsenseAsRetryAfterIsBounded(t *testing.T) {
	require.Equal(t, 24*time.Hour, millis(1<<62))
	require.Zero(t, millis(-5))
}

func TestOnlyAStableConnectionMakesWaitsStartFromTheBaseAgain(t *testing.T) {
	for _, tt := range []struct {
		lives time.Duration
		tries int
	}{{stableAfter - time.Second, 6}, {stableAfter, 0}} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			for range 5 { // a connection that is up and down
				w.server.Last().Drop()
				time.Sleep(waitMost)
				w.told()
			}
			w.server.Last().Drop() // the 20 s above are less than stable
			w.waitUntilOnline()
			time.Sleep(tt.lives)
			w.server.Last().Drop()
			synctest.Wait()
			w.mu.Lock()
			last := w.logs[len(w.logs)-1]
			w.mu.Unlock()
			if tt.tries == 0 {
				require.Contains(t, last, " tries=0 ")
			} else {
				require.NotContains(t, last, " tries=0 ")
			}
		})
	}
}

func (w *world) waitUntilOnline() {
	w.t.Helper()
	synctest.Wait()
	for range 10_000 {
		if w.Connection() == codes.StateConnected {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatal("it does not come back")
}

func TestAResumeTicketThatCannotBeReadMakesItLogInWithReconnect(t *testing.T) {
	for _, code := range []codes.Code{codes.TicketUnreadable, codes.TicketMalformed, codes.TicketKeyMismatch} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
				resume, isResume := f.(*wire.Resume)
				if isResume {
					c.Refuse(resume.Request, code, 0)
				}
				return isResume
			}
			w.server.Last().Drop()
			time.Sleep(waitBase)
			w.tells("disconnected Disconnected", comesUp)
			require.Len(t, w.server.Conns(), 2, "on the same connection")
			sent := received[wire.Login](w)
			require.Len(t, sent, 2)
			require.False(t, sent[0].Reconnect)
			require.True(t, sent[1].Reconnect)
			require.Equal(t, ticket("alice1"), sent[1].Ticket)
		})
	}
}

func TestAByeThatSaysReloginMakesItLogInWithReconnect(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.Last().Send(&wire.Bye{Action: codes.ByeRelogin})
		time.Sleep(waitBase)
		w.tells("disconnected Disconnected", comesUp)
		require.Empty(t, received[wire.Resume](w))
		require.True(t, received[wire.Login](w)[1].Reconnect)
	})
}

func TestCloseCodesBelow3500MeanComeBack(t *testing.T) {
	for _, code := range []int{3000, 3001, 3499, 4000, 1011} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			w.server.Last().Close(code, "")
			time.Sleep(waitBase)
			require.Contains(t, w.told(), comesUp, code)
		})
	}
}

func TestALogoutWhileComingBackEndsThat(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool { return f.Kind() == wire.KindResume } // never answered
		w.server.Last().Drop()
		time.Sleep(waitBase)
		w.tells("disconnected Disconnected, connecting")
		w.logOut()
		w.tells("logged_out, ready false, disconnected OK, logout OK")
		_, isLogout := w.server.Last().Frames()[1].(*wire.Logout)
		require.True(t, isLogout, "on the connection that the resume went over")
	})
}
