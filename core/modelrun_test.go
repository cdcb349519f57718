package core

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

var modelSteps = flag.Int("model.steps", 20_000, "how many steps the engine and its model take side by side")

// A move is one thing that a host, a server, a network or time does. what chooses it, and how the rest.
type move struct{ what, how int }

// A step does something and tells the model, or does nothing and says so, where it makes no sense.
type step func(d *duet, how int) bool

// likely is what should happen most in a state, most of all what comes first; possible can happen in any.
var (
	likely = map[state][]step{
		loggedOut:      {(*duet).appLogsIn, (*duet).appLogsIn, (*duet).appLogsIn, (*duet).appLogsIn},
		dialing:        {(*duet).letConnect, (*duet).letConnect, (*duet).letConnect, (*duet).letConnect, (*duet).letFail},
		authenticating: {(*duet).serverAccepts, (*duet).serverAccepts, (*duet).serverAccepts, (*duet).serverRefuses},
		online:         {(*duet).serverDrops, (*duet).timePasses, (*duet).serverReplies, (*duet).serverWarns, (*duet).serverPings},
		waiting:        {(*duet).timePasses, (*duet).timePasses, (*duet).timePasses},
	}
	possible = []step{
		(*duet).timePasses, (*duet).appLogsIn, (*duet).appRenews, (*duet).providerAnswers, (*duet).appWakes, (*duet).appLogsOut,
		(*duet).callerGivesUp, (*duet).appGoesToBackground, (*duet).clockJumps, (*duet).serverPings, (*duet).serverReplies,
		(*duet).serverDrops, (*duet).serverWarns, (*duet).serverSaysBye, (*duet).serverCloses, (*duet).serverKicks,
		(*duet).serverEndsTicket, (*duet).serverFreezes, (*duet).serverSaysNonsense, (*duet).serverTakesGoodbye,
		(*duet).serverCutsGoodbye,
	}
)

// do does what a move says in the present state.
func (m move) do(d *duet) bool {
	n := m.what % (len(likely[d.state]) + len(possible))
	if n < len(likely[d.state]) {
		return likely[d.state][n](d, m.how)
	}
	return possible[n-len(likely[d.state])](d, m.how)
}

// The engine and the model see the same moves. After each one, both have told the same events, given the same answers and
// sent the same frames, and the getters agree. A history that parts them is made as short as it goes and printed as a story
// for spec/scenarios.
func TestTheEngineDoesWhatTheModelSays(t *testing.T) {
	made, met := 0, map[state]int{}
	moves := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) move {
		return move{rapid.IntRange(0, 999).Draw(t, "what"), rapid.IntRange(0, 1<<10).Draw(t, "how")}
	}), 1, 120)
	world := rapid.IntRange(0, 15)
	for made < *modelSteps {
		rapid.Check(t, func(rt *rapid.T) {
			steps, kind := moves.Draw(rt, "moves"), world.Draw(rt, "world")
			s := sideBySide(t, kind, steps)
			for in, n := range s.met {
				made += n
				met[in] += n
			}
			if s.apart != "" {
				rt.Fatalf("after %s\n\n%s", strings.Join(s.story, "\n"), s.apart)
			}
		})
		if t.Failed() {
			return
		}
	}
	t.Logf("%d steps: %v", made, met)
	for _, in := range allStates {
		require.Greater(t, met[in], made/20, "too few steps in state %s to mean much", in)
	}
}

// A duet is a client in its world and a model that is told the same.
type duet struct {
	*model
	w      *world
	opened time.Time
	met    map[state]int // steps taken in each
	story  []string      // in the words of spec/scenarios
	apart  string        // how the two came apart

	mu          sync.Mutex
	dialing     *heldDial // the newest
	dialed      int
	beat        chan struct{} // the client dialed
	farewell    map[int]bool  // connections made to say goodbye
	first       map[int]uint64
	lastRenewal uint64 // its request number
	goodbyes    map[int]uint64
	seen        []string // frames
	returned    []string
	asked       chan string
	callers     sync.WaitGroup
}

type heldDial struct {
	n      int
	ctx    context.Context
	answer chan error
}

func sideBySide(t *testing.T, kind int, moves []move) *duet {
	d := &duet{
		model: newModel(), met: map[state]int{},
		farewell: map[int]bool{}, first: map[int]uint64{}, goodbyes: map[int]uint64{},
	}
	d.provider, d.farewells = kind&1 != 0, kind&2 != 0
	simulate(t, func(s *timtest.Server, o *Options) {
		d.beat, d.asked = make(chan struct{}, 1), make(chan string) // of the bubble
		s.PingInterval, s.OnDial, s.OnFrame = -1, d.onDial, d.onFrame
		o.LogLevel = codes.LogError
		if d.provider {
			o.TicketProvider = d.provide
		}
		s.NoFirst = func(int) bool { return kind&8 != 0 } // a server that does not take the first frame out of the handshake
		if kind&4 != 0 {
			o.Background, d.background = true, true
		}
	}, func(w *world) {
		d.w, d.opened = w, time.Now()
		for i, m := range moves {
			d.pass(time.Millisecond + time.Duration(i)*time.Microsecond) // no two things are due at one moment
			if d.apart != "" {
				break
			}
			was := d.state
			if m.do(d) {
				d.met[was]++
				d.agree()
			}
		}
		if d.apart == "" {
			d.say("app does      close")
			d.close()
			w.Close()
			d.agree()
		}
		w.Close()
		close(d.asked)
		d.callers.Wait()
	})
	return d
}

// ---- what the client meets ------------------------------------------------------------------------------------------

func (d *duet) onDial(ctx context.Context, n int) error {
	if _, goodbye := ctx.Deadline(); goodbye { // only a farewell has one
		d.mu.Lock()
		d.farewell[n] = true
		d.mu.Unlock()
		if d.farewells {
			return nil
		}
		return syscall.ECONNREFUSED
	}
	h := &heldDial{n, ctx, make(chan error, 1)}
	d.mu.Lock()
	d.dialing = h
	d.dialed++
	d.mu.Unlock()
	select {
	case d.beat <- struct{}{}:
	default:
	}
	select {
	case err := <-h.answer:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (d *duet) onFrame(c *timtest.Conn, f wire.Frame) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.farewell[c.N] {
		return false
	}
	name := func(ticket string) string { before, _, _ := strings.Cut(ticket, secretMark); return before }
	switch f := f.(type) {
	case *wire.Login:
		d.first[c.N] = f.Request
		d.seen = append(d.seen, fmt.Sprintf("login %s %s %v", f.User, name(f.Ticket), f.Reconnect))
	case *wire.Resume:
		d.first[c.N] = f.Request
		d.seen = append(d.seen, "resume "+string(f.Ticket))
	case *wire.Renew:
		d.lastRenewal = f.Request
		d.seen = append(d.seen, "renew "+name(f.Ticket))
	case *wire.Logout:
		d.goodbyes[c.N] = f.Request
		d.seen = append(d.seen, "logout")
	}
	return true
}

func (d *duet) provide(_ context.Context, user string) (string, error) {
	d.mu.Lock()
	d.seen = append(d.seen, "ask for a ticket of "+user)
	d.mu.Unlock()
	if name := <-d.asked; name != "" {
		return ticket(name), nil
	}
	return "", errors.New("no ticket today")
}

// ---- time and agreement ---------------------------------------------------------------------------------------------

func (d *duet) look() {
	synctest.Wait()
	d.now = moment{time.Duration(time.Now().Add(d.w.shift(0)).UnixNano()), time.Since(d.opened)}
}

func (d *duet) dialedMore() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dialed > d.dials
}

// pass lets time go by, and stops at each moment at which something happens.
func (d *duet) pass(long time.Duration) {
	for end := time.Now().Add(long); d.apart == "" && time.Now().Before(end); {
		d.look()
		select {
		case <-d.beat:
		default:
		}
		timer := time.NewTimer(max(min(time.Until(end), d.next()), 0))
		select {
		case <-timer.C:
		case <-d.beat:
			timer.Stop()
		}
		d.look()
		d.due(d.dialedMore())
		d.agree()
	}
}

// agree compares what the two have told since it was asked for last.
func (d *duet) agree() {
	d.look()
	d.publish()
	for _, line := range d.hears {
		d.say("app hears     " + line)
	}
	for _, line := range d.sends {
		d.say("server hears  " + line)
	}
	d.mu.Lock()
	seen, returned, dialed := d.seen, d.returned, d.dialed
	d.seen, d.returned = nil, nil
	d.mu.Unlock()
	slices.Sort(returned)
	slices.Sort(d.returns)
	is := d.w.Snapshot()
	is.ClockKnown, is.ClockOffset = false, 0
	overslept := d.state == waiting && d.waitSince.since(d.now) > d.waitMost
	d.same("the app heard", strings.Join(d.hears, ", "), d.w.told())
	d.same("the server heard", strings.Join(d.sends, ", "), strings.Join(seen, ", "))
	d.same("callers were told", strings.Join(d.returns, ", "), strings.Join(returned, ", "))
	d.same("dials", d.dials, dialed)
	d.same("the getters say", d.published, is)
	d.same("what must not be", "", d.wrong)
	d.same("still waits for the next try", false, overslept)
	d.hears, d.sends, d.returns = nil, nil, nil
}

func (d *duet) same(what string, model, engine any) {
	if d.apart == "" && model != engine {
		d.apart = fmt.Sprintf("%s:\n model:  %v\n engine: %v", what, model, engine)
	}
}

func (d *duet) say(line string) { d.story = append(d.story, line) }
