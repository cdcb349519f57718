package core

import (
	"context"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// Two things that happen at the same instant.

// A server that was told of a login which is given up must not surprise the engine later.
func TestALinkThatIsGivenUpAsItConnectsTellsNobodyOrIsRemembered(t *testing.T) {
	var turn atomic.Int64 // two for each round
	meet := func(round int64) {
		turn.Add(1)
		for i := 0; turn.Load() < 2*round; i++ {
			if i > 1000 { // the other has no processor
				runtime.Gosched()
			}
		}
	}
	const rounds = 50_000
	type round struct {
		engine *engine
		link   *link
		told   bool // the server may have been
	}
	all := make([]round, rounds)
	for i := range all {
		l := &link{hangUp: func() {}}
		o := Options{NetDial: func(context.Context, string, string) (net.Conn, error) { return aConn{}, nil }}
		all[i] = round{engine: &engine{opts: o, link: l, now: moment{wall: 1}}, link: l}
	}
	var dials sync.WaitGroup
	dials.Go(func() {
		for i := range all {
			r := &all[i]
			dial := r.engine.dialOptions(new(task), r.link).NetDial
			meet(int64(i + 1))
			_, err := dial(context.Background(), "", "")
			r.told = err == nil
		}
	})
	for i := range all {
		meet(int64(i + 1))
		for range i % 64 { // a little earlier, a little later
			turn.Load()
		}
		all[i].engine.hangUp()
	}
	dials.Wait()
	for i, r := range all {
		require.True(t, !r.told || r.engine.astray.set(), "round %d", i)
	}
}

type aConn struct{ net.Conn }

func (aConn) Close() error { return nil }

// What was given up by the app may arrive as late as what the engine gave up itself.
func TestALoginThatTheAppGaveUpDoesNotPushItsNextOneOut(t *testing.T) {
	for name, giveUp := range map[string]func(*world){
		"it took too long": func(w *world) {
			time.Sleep(15 * time.Second)
			require.Contains(w.t, w.told(), "login alice AckTimeout")
		},
		"the user changed her mind": func(w *world) {
			time.Sleep(time.Second)
			w.logOut()
			time.Sleep(time.Second)
			require.Contains(w.t, w.told(), "login alice LoggedOutBeforeLoginFinished")
		},
	} {
		simulate(t, func(s *timtest.Server, _ *Options) {
			s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool { return len(s.Conns()) <= 2 && s.NoFirst == nil }
		}, func(w *world) {
			w.logIn("alice", "alice1")
			giveUp(w)
			w.server.OnFrame = nil
			w.logIn("alice", "alice1")
			require.Contains(t, w.told(), "login alice OK", name)
			w.server.Last().Send(&wire.Kicked{Reason: codes.KickReplaced, ByPlatform: codes.PlatformAndroid, ByLabel: "test"})
			time.Sleep(2 * waitBase)
			require.Contains(t, w.told(), comesUp, name)
		})
	}
}

// A clogged connection takes what is written into it no more once it is told to be, as TCP's buffers when they are full.
type clogged struct {
	net.Conn
	full   *atomic.Bool
	closed chan struct{}
	once   sync.Once
	until  atomic.Pointer[time.Time]
}

func (c *clogged) SetWriteDeadline(t time.Time) error { c.until.Store(&t); return nil }

func (c *clogged) Write(b []byte) (int, error) {
	if !c.full.Load() {
		return c.Conn.Write(b)
	}
	var late <-chan time.Time
	if until := c.until.Load(); until != nil && !until.IsZero() {
		late = time.After(time.Until(*until))
	}
	select {
	case <-late:
		return 0, os.ErrDeadlineExceeded
	case <-c.closed:
		return 0, syscall.EPIPE
	}
}

func (c *clogged) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.Conn.Close()
}

func TestALogoutIsAnsweredInTimeBehindAFrameThatIsStuck(t *testing.T) {
	for name, tt := range map[string]struct {
		noFirst bool
		stuck   func(w *world, full *atomic.Bool)
	}{
		"a renewal": {false, func(w *world, full *atomic.Bool) {
			w.signedIn()
			full.Store(true)
			w.renews("alice2")
		}},
		"a login": {true, func(w *world, full *atomic.Bool) {
			w.server.NoFirst = func(int) bool { full.Store(true); return true } // the client's request is the last that goes through
			w.logIn("alice", "alice1")
		}},
	} {
		var full *atomic.Bool
		simulate(t, func(s *timtest.Server, o *Options) {
			full = new(atomic.Bool)
			o.NetDial = func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := s.NetDial(ctx, network, address)
				return &clogged{Conn: c, full: full, closed: make(chan struct{})}, err
			}
		}, func(w *world) {
			tt.stuck(w, full)
			time.Sleep(time.Second)
			w.told()
			began := time.Now()
			ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
			defer cancel()
			require.NoError(t, w.Logout(ctx), name)
			require.LessOrEqual(t, time.Since(began), 5*time.Second, name)
		})
	}
}

func TestAListenerThatEndsItsGoroutineAtTheLastEventDoesNotHoldUpClose(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.hears = func(e Event) {
			if e.Kind == codes.EventClosed {
				runtime.Goexit()
			}
		}
		w.Close()
		w.tells(signsOut, "closed OK")
	})
}

func TestTheContextOfADialEndsWithIt(t *testing.T) {
	var dial context.Context
	simulate(t, func(s *timtest.Server, o *Options) {
		s.Delay = time.Second
		o.NetDial = func(ctx context.Context, network, address string) (net.Conn, error) {
			dial = ctx
			return s.NetDial(ctx, network, address)
		}
	}, func(w *world) {
		w.logIn("alice", "alice1")
		w.told()
		w.logOut() // over the connection that is being made
		time.Sleep(10 * time.Second)
		require.Contains(t, w.told(), "logout OK")
		require.Error(t, dial.Err())
	})
}

// A timer rings in two sections of the engine's lock; in between it may be set anew, and the client may end.
func TestNoTimerIsLeftBehind(t *testing.T) {
	simulate(t, nil, func(w *world) {
		w.signedIn()
		w.engine.mu.Lock()
		w.engine.ringsAt = 0 // as by a ring that waited while the timer was set
		w.engine.mu.Unlock()
		require.NoError(t, w.Logout(w.t.Context()))
		w.Close()
		require.False(t, w.engine.timer.Stop())
	})
}
