package core

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// What the host is told, in which order, and what it may do meanwhile.

func TestTheListenerMayCallEveryMethod(t *testing.T) {
	simulate(t, nil, func(w *world) {
		var once sync.Once
		w.hears = func(e Event) {
			if e.Kind != codes.EventReady || !e.Ready {
				return
			}
			once.Do(func() { // each in turn, blocking ones too
				ctx := context.Background()
				r, err := w.Login(ctx, "alice", ticket("alice1"))
				require.NoError(t, err)
				require.True(t, r.Repeat)
				require.NoError(t, w.Renew(ctx, ticket("alice2")))
				require.NoError(t, w.Logout(ctx))
				require.ErrorIs(t, w.Logout(ctx), codes.NotLoggedIn)
				_, err = w.Login(ctx, "bob", ticket("bob1"))
				require.NoError(t, err)
				require.Equal(t, "bob", w.User(), "the getters are ahead of the events")
				w.Wake()
				w.SetBackground(true)
				w.Close()
				w.Close()
				_, err = w.Login(ctx, "carol", ticket("carol1"))
				require.ErrorIs(t, err, codes.NotInitialized)
				w.note("the listener returns", nil)
			})
		}
		w.logIn("alice", "alice1")
		w.tells(signsIn, "the listener returns OK", "login alice OK", signsOut, signsIn,
			signsOut, "closed OK")
	})
}

func TestACallbackMayCallEveryMethodToo(t *testing.T) {
	simulate(t, nil, func(w *world) {
		require.NoError(t, w.StartLogin("alice", ticket("alice1"), func(LoginResult, error) {
			require.NoError(t, w.Logout(context.Background()))
			w.Close()
			w.note("the callback returns", nil)
		}))
		w.tells(signsIn, "the callback returns OK", signsOut, "closed OK")
	})
}

func TestNothingIsDeliveredAfterCloseHasReturned(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.hears = func(Event) { time.Sleep(time.Second) } // a slow listener
		w.logIn("alice", "alice1")
		time.Sleep(100 * time.Millisecond)
		w.Close()
		w.mu.Lock()
		got := strings.Join(w.story, ", ")
		w.mu.Unlock()
		require.True(t, strings.HasSuffix(got, "closed OK"), got)
		time.Sleep(time.Hour)
		w.tells(got)
	})
}

func TestAResultIsSeenOnlyWithItsState(t *testing.T) {
	simulate(t, nil, func(w *world) {
		var status codes.LoginStatus
		w.hears = func(e Event) {
			if e.Kind == codes.EventLoginStatus {
				status = e.Status
			}
		}
		for _, user := range []string{"alice", "bob"} {
			require.NoError(t, w.StartLogin(user, ticket(user), func(LoginResult, error) {
				require.Equal(t, user, w.User())
				require.True(t, w.Ready())
				require.Equal(t, codes.LoggedIn, status)
			}))
			w.told()
		}
	})
}

func TestOnStateIsToldBeforeTheEventThatAnnouncesIt(t *testing.T) {
	var state Snapshot
	simulate(t, func(_ *timtest.Server, o *Options) { o.OnState = func(s Snapshot) { state = s } }, func(w *world) {
		w.hears = func(e Event) {
			switch e.Kind {
			case codes.EventConnected:
				require.Equal(t, codes.StateConnected, state.Connection)
			case codes.EventReady:
				require.Equal(t, e.Ready, state.Ready)
			}
		}
		w.signedIn()
		require.Equal(t, "alice", state.User)
		require.NoError(t, w.Logout(w.t.Context()))
		w.told()
		require.Empty(t, state.User)
	})
}

func TestAPanicOfOnStateIsTheCallersAndEndsTheClient(t *testing.T) {
	simulate(t, func(_ *timtest.Server, o *Options) {
		o.OnState = func(s Snapshot) {
			if s.Status == codes.LoggingIn {
				panic("a mistake of the host")
			}
		}
	}, func(w *world) {
		w.breaks = true
		require.PanicsWithValue(t, "a mistake of the host", func() { w.logIn("alice", "alice1") })
		w.tells("logged_out, disconnected OK, login alice Internal, closed Internal")
		require.ErrorIs(t, w.StartLogin("alice", ticket("alice1"), nil), codes.NotInitialized)
	})
}

func TestARelayIsToldAtOnce(t *testing.T) {
	var full atomic.Bool
	var together atomic.Int32
	simulate(t, func(s *timtest.Server, o *Options) {
		s.OnDial = func(context.Context, int) error { time.Sleep(time.Second); return nil }
		o.LogLevel = codes.LogNone
		listener := o.Listener
		o.Relay = func(e Event) bool {
			listener(e)
			return !full.Load()
		}
		o.Relayed = func(free bool) {
			if !free {
				together.Add(1)
			}
		}
		o.Listener = func(Event) { t.Error("both the Relay and the Listener hear of it") }
	}, func(w *world) {
		w.breaks = true
		w.logIn("alice", "alice1")
		w.mu.Lock()
		require.Equal(t, []string{"logging_in", "connecting"}, w.story, "when the call returns")
		w.mu.Unlock()
		require.EqualValues(t, 1, together.Load())
		time.Sleep(2 * time.Second)
		w.tells(signsIn, "login alice OK")
		require.EqualValues(t, 1, together.Load(), "who brought the answer delivers it")
		full.Store(true)
		w.server.Last().Drop()
		w.tells("disconnected Disconnected, logged_out, ready false, closed Internal")
	})
}

func TestWhoBroughtTheAnswerDeliversItAndHoldsUpNobody(t *testing.T) {
	var returns chan struct{} // closed when the host's callbacks may return
	var delivering atomic.Int32
	simulate(t, func(_ *timtest.Server, o *Options) {
		returns = make(chan struct{})
		o.LogLevel = codes.LogNone
		listener := o.Listener
		o.Relay = func(e Event) bool {
			listener(e)
			return true
		}
		o.Relayed = func(free bool) {
			if free {
				delivering.Add(1)
				<-returns
				delivering.Add(-1)
			}
		}
	}, func(w *world) {
		w.signedIn()
		require.EqualValues(t, 1, delivering.Load())
		w.server.Last().Send(&wire.Kicked{Reason: codes.KickRESTAPI, Code: codes.KickedOffline})
		synctest.Wait()
		w.tells(`kicked_offline KickedOffline rest_api by 0 ""`, signsOut)
		w.logIn("alice", "alice2")
		synctest.Wait()
		w.tells(signsIn, "login alice OK")
		require.EqualValues(t, 2, delivering.Load(), "the first callback still runs")
		close(returns)
		synctest.Wait()
		require.Zero(t, delivering.Load())
	})
}

func TestAListenerThatIsStuckClosesTheClient(t *testing.T) {
	simulate(t, func(_ *timtest.Server, o *Options) { o.LogLevel = codes.LogNone }, func(w *world) {
		stuck := make(chan struct{})
		w.breaks = true
		w.signedIn()
		w.hears = func(Event) { <-stuck }
		blocked := make(chan error)
		go func() { // its answer is behind the events
			time.Sleep(time.Minute)
			blocked <- w.Renew(context.Background(), ticket("alice2"))
		}()
		for range maxEvents {
			w.server.Last().Drop()
			time.Sleep(waitMost)
			if w.Status() == codes.LoggedOut {
				break
			}
		}
		require.Equal(t, codes.LoggedOut, w.Status(), "it does not act behind the host's back")
		require.ErrorIs(t, <-blocked, codes.Internal)
		_, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
		require.ErrorIs(t, err, codes.NotInitialized)

		close(stuck)
		got := strings.Split(w.told(), ", ")
		require.Equal(t, "closed Internal", got[len(got)-1])
		require.LessOrEqual(t, len(got), maxEvents+2)
		require.Contains(t, w.last.Text, "has not returned for 1024 events")
	})
}

func TestLogLinesDoNotFillTheOutbox(t *testing.T) {
	o := newOutbox(Options{}, nil)
	o.running = true // but nobody takes
	log, event := item{event: Event{Kind: codes.EventLog}}, item{event: Event{Kind: codes.EventReady}}
	require.True(t, o.add(slices.Repeat([]item{log}, 10*maxEvents), false))
	require.Len(t, o.items, maxLogs)
	require.True(t, o.add(slices.Repeat([]item{event}, maxEvents-maxLogs), false))
	require.False(t, o.add([]item{event}, false))
	require.Len(t, o.items, maxEvents)
	require.True(t, o.add([]item{log, {call: new(call)}, {event: Event{Kind: codes.EventClosed}, last: true}}, false))
	require.Len(t, o.items, maxEvents+2)
}

func TestAListenerThatEndsItsGoroutineDoesNotEndTheDelivery(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.hears = func(e Event) {
			if e.Kind == codes.EventConnecting {
				runtime.Goexit()
			}
		}
		w.logIn("alice", "alice1")
		w.tells(signsIn, "login alice OK")
	})
}

// Panics of ours: the client ends, the host does not.

func TestAPanicInAStepClosesTheClient(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.breaks = true
		w.signedIn()
		w.server.OnFrame = func(*timtest.Conn, wire.Frame) bool { return true }
		w.renews("alice2")
		blocked := make(chan error, 1)
		go func() { blocked <- w.Renew(context.Background(), ticket("alice2")) }()
		synctest.Wait()
		w.post(&signal{kind: expiring, frame: nil}) // no such signal is ever sent
		w.tells(signsOut, "renew Internal", "closed Internal")
		require.ErrorIs(t, <-blocked, codes.Internal)
		require.Contains(t, w.last.Text, "panic in step: ")
		require.Contains(t, strings.Join(w.logs, "\n"), "core.(*engine).perform", "the log has the stack")
		_, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
		require.ErrorIs(t, err, codes.NotInitialized)
	})
}

// A brittleConn is a connection whose reads panic once it is told to.
type brittleConn struct {
	net.Conn
	broken chan struct{}
}

func (c *brittleConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	select {
	case <-c.broken:
		panic("this should not happen")
	default:
		return n, err
	}
}

func TestAPanicInAnotherGoroutineClosesTheClient(t *testing.T) {
	var broken chan struct{}
	simulate(t, func(s *timtest.Server, o *Options) {
		broken = make(chan struct{})
		o.NetDial = func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := s.NetDial(ctx, network, address)
			return &brittleConn{c, broken}, err
		}
	}, func(w *world) {
		w.breaks = true
		w.signedIn()
		close(broken)
		w.server.Last().Ping()
		w.tells(signsOut, "closed Internal")
		require.Contains(t, w.last.Text, "panic in read: this should not happen")
	})
}

// A panic of the host is the host's: it ends the program, with its own stack. So this test is a program of its own.
func TestAPanicInTheListenerIsNotCaught(t *testing.T) {
	const flag = "TIM_TEST_PANIC"
	if where := os.Getenv(flag); where != "" {
		server := &timtest.Server{TicketLife: time.Second}
		o := Options{URL: "ws://127.0.0.1:1/", App: 1, Platform: codes.PlatformLinux, NetDial: server.NetDial}
		mistake := func() { panic("a mistake of the host") }
		var done func(LoginResult, error)
		switch where {
		case "Listener":
			o.Listener = func(Event) { mistake() }
		case "OnState":
			o.OnState = func(Snapshot) { mistake() }
		case "NetDial":
			o.NetDial = func(context.Context, string, string) (net.Conn, error) { mistake(); return nil, nil }
		case "TicketProvider":
			o.TicketProvider = func(context.Context, string) (string, error) { mistake(); return "", nil }
		case "callback":
			done = func(LoginResult, error) { mistake() }
		}
		c, err := Open(o)
		require.NoError(t, err)
		require.NoError(t, c.StartLogin("alice", "t", done))
		time.Sleep(10 * time.Second)
		os.Exit(0)
	}
	for _, where := range []string{"Listener", "OnState", "NetDial", "TicketProvider", "callback"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestAPanicInTheListenerIsNotCaught$")
		cmd.Env = append(os.Environ(), flag+"="+where)
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		require.True(t, errors.As(err, &exit), "%s: %v", where, err)
		require.Equal(t, 2, exit.ExitCode(), where)
		require.Contains(t, string(out), "panic: a mistake of the host", where)
		require.Contains(t, string(out), "core.TestAPanicInTheListenerIsNotCaught", "the stack leads to the host's mistake")
	}
}

func TestAGoroutineKnowsItself(t *testing.T) {
	other := make(chan uint64)
	go func() { other <- goroutineID() }()
	require.Equal(t, goroutineID(), goroutineID())
	require.NotEqual(t, goroutineID(), <-other)
}
