package core

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// The introduction rides in the handshake: the server may know of a login before the client knows of a connection.

func TestTheIntroductionIsSentOnce(t *testing.T) {
	for name, noFirst := range map[string]func(int) bool{
		"in the handshake": nil,
		"as a frame":       func(int) bool { return true },
	} {
		simulate(t, func(s *timtest.Server, _ *Options) { s.NoFirst = noFirst }, func(w *world) {
			w.logIn("alice", "alice1")
			w.tells(signsIn, "login alice OK")
			w.server.Last().Drop()
			time.Sleep(waitBase)
			w.tells("disconnected Disconnected", comesUp)
			require.Len(t, received[wire.Login](w), 1, name)
			require.Len(t, received[wire.Resume](w), 1, name)
		})
	}
}

func TestATicketThatIsTooLongForTheHandshakeIsSentAsAFrame(t *testing.T) {
	simulate(t, nil, func(w *world) {
		long := ticket(strings.Repeat("a", 4000))
		_, err := w.Login(w.t.Context(), "alice", long)
		require.NoError(t, err)
		require.Equal(t, long, received[wire.Login](w)[0].Ticket)
	})
}

func TestAfterARefusalInTheHandshakeTheConnectionIsUsedForAnotherTry(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			resume, ok := f.(*wire.Resume)
			if ok {
				c.Refuse(resume.Request, codes.TicketUnreadable, 0)
			}
			return ok
		}
		w.server.Last().Drop()
		time.Sleep(waitBase)
		w.tells("disconnected Disconnected", comesUp)
		require.Equal(t, 2, w.server.Dials())
		require.Len(t, w.server.Last().Frames(), 2, "the resume ticket, then the ticket")
	})
}

func TestALogoutDuringTheHandshakeTellsAServerThatHasTakenTheLogin(t *testing.T) {
	for _, tt := range []struct {
		name    string
		noFirst func(int) bool
		logouts int
		after   time.Duration
	}{
		{"it took the login", nil, 1, 2500 * time.Millisecond}, // half a second to hear of it, a round trip to undo it
		{"it did not", func(int) bool { return true }, 0, 0},
	} {
		simulate(t, func(s *timtest.Server, _ *Options) { s.Delay, s.NoFirst = time.Second, tt.noFirst }, func(w *world) {
			var held atomic.Pointer[time.Duration]
			if tt.noFirst != nil { // hold the handshake back all the same
				w.server.NoFirst = func(int) bool { time.Sleep(time.Second); return true }
			}
			w.logIn("alice", "alice1")
			time.Sleep(500 * time.Millisecond)
			w.tells("logging_in, connecting")
			started := time.Now()
			require.NoError(t, w.StartLogout(func(err error) {
				took := time.Since(started)
				held.Store(&took)
				w.note("logout", err)
			}))
			w.tells("logged_out, disconnected OK, login alice LoggedOutBeforeLoginFinished")
			time.Sleep(4 * time.Second)
			w.tells("logout OK")
			require.Len(t, received[wire.Logout](w), tt.logouts, tt.name)
			require.GreaterOrEqual(t, *held.Load(), tt.after, tt.name)
			require.Less(t, *held.Load(), 5*time.Second, tt.name)
			require.Error(t, w.server.Last().Closed(), "nothing is left open")
		})
	}
}

func TestALogoutDuringAHandshakeThatNeverEndsIsGivenUp(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnConn = func(_ int, c net.Conn) { // reads the request, and nothing else happens until the client hangs up
			defer c.Close()
			for b := make([]byte, 100); ; {
				if _, err := c.Read(b); err != nil {
					return
				}
			}
		}
	}, func(w *world) {
		w.logIn("alice", "alice1")
		w.told()
		w.logOut()
		w.tells("logged_out, disconnected OK, login alice LoggedOutBeforeLoginFinished")
		time.Sleep(5*time.Second - time.Nanosecond)
		w.tells()
		time.Sleep(time.Nanosecond)
		w.tells("logout OK")
	})
}

func TestALogoutBeforeThereIsAConnectionIsOverAtOnce(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnDial = func(ctx context.Context, _ int) error {
			<-ctx.Done()
			return nil // a connection that is there when nobody wants it any more
		}
	}, func(w *world) {
		w.logIn("alice", "alice1")
		w.told()
		w.logOut()
		w.tells("logged_out, disconnected OK, login alice LoggedOutBeforeLoginFinished, logout OK")
		require.Empty(t, w.server.Frames(), "the server has heard nothing of alice")
	})
}

func TestATicketThatIsReplacedDuringTheHandshakeNeedsAnotherConnection(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.Delay = time.Second }, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(500 * time.Millisecond)
		w.logIn("alice", "alice2")
		time.Sleep(5 * time.Second)
		w.tells(signsIn, "login alice OK, login alice OK")
		require.Equal(t, 2, w.server.Dials())
		sent := received[wire.Login](w)
		require.Equal(t, ticket("alice2"), sent[len(sent)-1].Ticket)
		for _, c := range w.server.Conns()[:len(w.server.Conns())-1] {
			require.Error(t, c.Closed(), "the first is given up")
		}
	})
}

func TestATicketThatIsRenewedDuringTheHandshakeIsSentWhenTheSessionIsBack(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { s.Delay = time.Second }, func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(5 * time.Second)
		w.server.Last().Drop()
		for w.Connection() != codes.StateConnecting {
			time.Sleep(time.Millisecond)
		}
		w.renews("alice2")
		w.told()
		time.Sleep(5 * time.Second)
		w.tells("connected resumed, renew OK")
		require.Equal(t, ticket("alice2"), received[wire.Renew](w)[0].Ticket)
	})
}

func TestAConnectionThatWasMadeWhileTheMachineSleptIsUsed(t *testing.T) {
	var release chan struct{}
	arrange := func(s *timtest.Server, o *Options) {
		release = make(chan struct{})
		s.OnDial = func(context.Context, int) error { <-release; return nil }
		o.LoginTimeout = time.Minute
	}
	simulate(t, arrange, func(w *world) {
		w.logIn("alice", "alice1")
		synctest.Wait()
		w.shift(30 * time.Second) // the try's time is over, the login's is not
		close(release)
		w.tells(signsIn, "login alice OK")
		require.Equal(t, 1, w.server.Dials())
	})
	simulate(t, arrange, func(w *world) {
		w.logIn("alice", "alice1")
		synctest.Wait()
		w.shift(time.Hour) // nobody may wait for the login any longer; but the server knows of it
		close(release)
		w.tells("logging_in, connecting, logged_out, disconnected AckTimeout, login alice AckTimeout")
		require.Len(t, received[wire.Login](w), 1)
		require.Len(t, received[wire.Logout](w), 1)
	})
}

// A try that was given up may reach the server after the one that succeeded. The server cannot know, and lets the later stay.
func TestAnEngineIsNotPushedOutByItsOwnStrayLogin(t *testing.T) {
	stray := func(s *timtest.Server, _ *Options) {
		s.OnConn = func(n int, nc net.Conn) {
			if n == 1 { // takes all and says nothing
				time.Sleep(time.Minute)
				_ = nc.Close()
				return
			}
			s.Serve(n, nc)
		}
	}
	replaced := &wire.Kicked{Reason: codes.KickReplaced, ByPlatform: codes.PlatformAndroid, ByLabel: "test"}
	signedInAtLast := func(w *world) {
		w.logIn("alice", "alice1")
		time.Sleep(dialTimeout + waitBase)
		w.tells("logging_in, connecting, disconnected AckTimeout, connecting, connected first, logged_in, ready true, login alice OK")
	}
	t.Run("while it is online", func(t *testing.T) {
		simulate(t, stray, func(w *world) {
			signedInAtLast(w)
			w.server.Last().Send(replaced)
			time.Sleep(2 * waitBase)
			w.tells("disconnected Disconnected", comesUp)
			logins := received[wire.Login](w)
			require.False(t, logins[len(logins)-1].Reconnect, "the record of the kick would refuse an engine that comes back")

			w.server.Last().Send(replaced) // this time it was somebody else
			require.Contains(t, w.told(), "kicked_offline")
		})
	})
	t.Run("while it is away", func(t *testing.T) {
		simulate(t, stray, func(w *world) {
			signedInAtLast(w)
			w.server.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
				r, ok := f.(*wire.Resume)
				if ok {
					c.Send(&wire.Refused{Request: r.Request, Code: codes.KickedOffline, Reason: codes.KickReplaced})
				}
				return ok
			}
			w.server.Last().Drop()
			time.Sleep(2 * waitBase)
			w.tells("disconnected Disconnected", comesUp)
		})
	})
	t.Run("but a replacement long after is one", func(t *testing.T) {
		simulate(t, stray, func(w *world) {
			signedInAtLast(w)
			time.Sleep(astrayFor)
			w.server.Last().Send(replaced)
			require.Contains(t, w.told(), "kicked_offline")
		})
	})
}
