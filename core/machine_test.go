package core

import (
	"context"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
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

//go:generate go test -run ^TestTheDiagramIsUpToDate$ -update .

var update = flag.Bool("update", false, "write docs/states.md instead of comparing it")

var allStates = []state{loggedOut, dialing, authenticating, online, waiting}

func TestTheDiagramIsUpToDate(t *testing.T) {
	const path = "../docs/states.md"
	want := diagram()
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(got), "docs/states.md is stale: run go generate ./core")
}

// diagram draws the table of transitions for a reader, with what changes the state as arrows and the rest as a list.
func diagram() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from core/machine.go by \"go generate ./core\". DO NOT EDIT. -->\n")
	b.WriteString("# The life of a session in the client\n\nAn arrow is a signal that changes the state, and what is done on the way.\n\n")
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> LoggedOut\n")
	var still strings.Builder
	for _, from := range allStates {
		arrows := map[string][]string{} // by target and actions
		for _, k := range slices.Sorted(maps.Keys(transitions[from])) {
			r := transitions[from][k]
			var actions []string
			for _, a := range r.do {
				actions = append(actions, string(a))
			}
			if r.to == from {
				fmt.Fprintf(&still, "| %s | %s | %s |\n", from, k, strings.Join(actions, ", "))
				continue
			}
			arrow := fmt.Sprintf("%s / %s", r.to, strings.Join(actions, ", "))
			arrows[arrow] = append(arrows[arrow], string(k))
		}
		for _, arrow := range slices.Sorted(maps.Keys(arrows)) {
			to, actions, _ := strings.Cut(arrow, " / ")
			fmt.Fprintf(&b, "    %s --> %s: %s<br/>(%s)\n", from, to, strings.Join(arrows[arrow], " or "), actions)
		}
	}
	b.WriteString("```\n\nSignals that leave the state as it is:\n\n| state | signal | what is done |\n|---|---|---|\n")
	return b.String() + still.String()
}

func TestNoRowForgetsWhatMustBeAnswered(t *testing.T) {
	for _, from := range allStates {
		row := transitions[from]
		must := []kind{renew, logout, switchUser, wake}
		switch from {
		case loggedOut:
			must = []kind{login, renew, logout}
		case dialing, authenticating:
			must = append(must, join, supersede, repeat, timedOut, givenUp, lost, restart)
		case online:
			must = append(must, repeat, lost, silent, kicked, expired, stopped)
		case waiting:
			must = append(must, join, supersede, repeat, timedOut, givenUp, retry)
		}
		for _, k := range must {
			require.Contains(t, row, k, "state %s", from)
		}
	}
	require.Len(t, transitions, len(allStates))
}

func TestEveryActionOfTheTableIsKnown(t *testing.T) {
	e := new(engine) // too empty to do anything: but an unknown action has a panic of its own
	for _, row := range transitions {
		for _, r := range row {
			for _, a := range r.do {
				func() {
					defer func() { require.NotContains(t, fmt.Sprint(recover()), "no such action") }()
					e.perform(a, &signal{})
				}()
			}
		}
	}
	require.PanicsWithValue(t, "core: no such action: nonsense", func() { e.perform("nonsense", &signal{}) })
}

// Whatever a host, a server and a network do, in whatever order: every call is answered once, events alternate as promised,
// the getters follow from the events, and nothing comes after closed.
func TestWhateverHappensThePromisesHold(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			p := &promises{t: t, chaos: rand.New(rand.NewPCG(seed, 0))}
			simulate(t, func(s *timtest.Server, o *Options) {
				s.TicketLife = time.Hour
				s.OnDial = func(ctx context.Context, _ int) error { return p.dial(ctx, p.roll(10)) }
				s.NoFirst = func(int) bool { return p.roll(3) == 0 }
				s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool { return misbehave(c, f, p.roll(12)) }
				o.LogLevel = codes.LogError
			}, func(w *world) {
				w.hears = p.hear
				for range 200 {
					p.act(w)
					time.Sleep(time.Duration(p.roll(4)) * p.span(5*time.Second))
				}
				synctest.Wait()
				p.check(w)
				w.Close()
				p.finally()
			})
		})
	}
}

type promises struct {
	t     *testing.T
	mu    sync.Mutex
	chaos *rand.Rand
	made  int

	callers  sync.WaitGroup
	returned atomic.Int32

	// The delivery's.
	kept   int
	status codes.LoginStatus
	link   codes.ConnectionState
	ready  bool
	closed bool
}

func (p *promises) roll(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.chaos.IntN(n)
}

// span rolls a time below most: more nanoseconds than an int of 32 bits holds.
func (p *promises) span(most time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(p.chaos.Int64N(int64(most)))
}

func (p *promises) dial(ctx context.Context, dice int) error {
	switch dice {
	case 0:
		return syscall.ECONNREFUSED
	case 1:
		return syscall.ENETUNREACH
	case 2:
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

func misbehave(c *timtest.Conn, f wire.Frame, dice int) bool {
	login, isLogin := f.(*wire.Login)
	switch {
	case dice == 0:
		c.Drop()
	case dice == 1:
		c.Close(3000+100*(c.N%10), "")
	case dice == 2:
		c.Send(&wire.Kicked{Reason: codes.KickRESTAPI}, &wire.Accepted{Request: 1})
	case dice == 3:
		c.Freeze()
	case dice == 4 && isLogin:
		c.Refuse(login.Request, codes.TicketKeyMismatch, 0)
	case dice == 5:
		c.Send(&wire.Bye{Action: codes.ByeAction(c.N % 4), RetryAfter: int64(c.N * 100)})
	default:
		return false
	}
	return true
}

func (p *promises) act(w *world) {
	user := []string{"alice", "bob"}[p.roll(2)]
	name := fmt.Sprint(user, p.roll(3))
	once := func() func(error) {
		p.made++
		answered := false
		return func(error) {
			require.False(p.t, answered, "answered twice")
			require.False(p.t, p.closed, "answered after closed")
			answered = true
			p.kept++
		}
	}
	var err error
	switch p.roll(9) {
	case 8: // a caller who may give up
		p.made++
		ctx, cancel := context.WithTimeout(w.t.Context(), p.span(5*time.Second))
		p.callers.Go(func() {
			defer cancel()
			switch p.roll(3) {
			case 0:
				_, _ = w.Login(ctx, user, ticket(name))
			case 1:
				_ = w.Logout(ctx)
			case 2:
				_ = w.Renew(ctx, ticket(name))
			}
			p.returned.Add(1)
		})
	case 0, 1, 2:
		done := once()
		err = w.StartLogin(user, ticket(name), func(_ LoginResult, err error) { done(err) })
	case 3:
		err = w.StartLogout(once())
	case 4:
		err = w.StartRenew(ticket(name), once())
	case 5:
		w.Wake()
	case 6:
		if all := w.server.Conns(); len(all) > 0 {
			all[len(all)-1].Drop()
		}
	case 7:
		w.shift(p.span(time.Hour) - 30*time.Minute)
	}
	require.NoError(p.t, err)
}

func (p *promises) hear(e Event) {
	require.False(p.t, p.closed, "an event after closed")
	switch e.Kind {
	case codes.EventLoginStatus:
		require.NotEqual(p.t, p.status, e.Status)
		p.status = e.Status
	case codes.EventReady:
		require.NotEqual(p.t, p.ready, e.Ready)
		require.Equal(p.t, p.status == codes.LoggedIn, e.Ready)
		p.ready = e.Ready
	case codes.EventConnecting:
		require.Equal(p.t, codes.StateDisconnected, p.link)
		p.link = codes.StateConnecting
	case codes.EventConnected:
		require.Equal(p.t, codes.StateConnecting, p.link)
		p.link = codes.StateConnected
	case codes.EventDisconnected:
		require.NotEqual(p.t, codes.StateDisconnected, p.link)
		p.link = codes.StateDisconnected
	case codes.EventClosed:
		p.closed = true
		if e.Code != codes.OK {
			p.t.Error(e.Text)
		}
	case codes.EventLog:
		p.t.Log(e.Text)
	}
}

func (p *promises) check(w *world) {
	s := w.Snapshot()
	require.Equal(p.t, p.status, s.Status)
	require.Equal(p.t, p.link, s.Connection)
	require.Equal(p.t, p.ready, s.Ready)
	require.Equal(p.t, p.ready, s.User != "")
}

func (p *promises) finally() {
	require.True(p.t, p.closed)
	p.callers.Wait()
	require.Equal(p.t, p.made, p.kept+int(p.returned.Load()), "calls without an answer")
	require.Equal(p.t, codes.LoggedOut, p.status)
	require.Equal(p.t, codes.StateDisconnected, p.link)
}
