package core

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/ws"
)

var meleeFor = flag.Duration("melee.for", 2*time.Second, "how long everybody calls everything while the server does what it may")

// Many goroutines call everything, also from callbacks, while the server does everything it may at any moment. Nothing is
// known of what should happen, but each call is answered once, events come in a legal order and one at a time, nothing comes
// after the end, and nothing is left behind. Run it with -race: real goroutines, real time, and no order but what happens.
func TestAMeleeBreaksNoPromise(t *testing.T) {
	lives := 0
	for end := time.Now().Add(*meleeFor); !t.Failed() && (lives == 0 || time.Now().Before(end)); lives += 8 * 10 {
		melee(t, 8, 10)
	}
	t.Logf("%d clients", lives)
}

// melee has some clients fight at a time, a few times, and looks at what they leave.
func melee(t *testing.T, atOnce, waves int) {
	before := goleak.IgnoreCurrent()
	v := newVillain()
	url := v.listen(t)
	for range waves {
		var all sync.WaitGroup
		for i := range atOnce {
			all.Go(func() { fightFor(t, v, url, i%2 == 0, i%4 < 2, rand.N(150*time.Millisecond)) })
		}
		all.Wait()
	}
	v.close()
	var left error
	for patience := time.Now().Add(5 * time.Minute); ; {
		if left = goleak.Find(before); left == nil || time.Now().After(patience) {
			break
		}
	}
	require.NoError(t, left)
	require.Zero(t, v.open.Load(), "a connection is left open")
}

// counted has every connection counted that dial makes until it is closed.
func (v *villain) counted(dial func(context.Context, string, string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		v.open.Add(1)
		return &countedConn{Conn: nc, open: &v.open}, nil
	}
}

type countedConn struct {
	net.Conn
	once sync.Once
	open *atomic.Int64
}

func (c *countedConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// listen serves TCP over loopback beside the connections in memory.
func (v *villain) listen(t *testing.T) (url string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	v.all.Go(func() {
		for n := 1_000_000; ; n++ {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			if rand.N(2) == 0 {
				_ = nc.(*net.TCPConn).SetLinger(0) // its end is a reset
			}
			v.all.Go(func() { v.onConn(n, nc) })
		}
	})
	v.all.Go(func() {
		<-v.over
		_ = l.Close()
	})
	return "ws://" + l.Addr().String()
}

// A fighter is a client whose host does everything that a host may.
type fighter struct {
	*Client
	relay *relayed // nil where the Listener hears
	order *legal   // of the callbacks, which come one at a time

	inside atomic.Bool   // a callback runs
	closed chan struct{} // EventClosed was told
	over   atomic.Bool   // Close has returned, and it was
	stop   atomic.Bool   // nobody begins anything any more

	mu    sync.Mutex
	calls []*bout
	wrong []string
}

// A bout is a call with a callback.
type bout struct {
	what    string
	answers atomic.Int32
}

// fightFor is the life of a client, for so long, and its end at a moment that suits nobody.
func fightFor(t *testing.T, v *villain, url string, tcp, relays bool, long time.Duration) {
	f := &fighter{order: newLegal(), closed: make(chan struct{})}
	o := Options{
		URL: url, App: 1, Platform: codes.PlatformAndroid, Background: rand.N(2) == 0, LogLevel: one(codes.LogNone, codes.LogDebug),
		LoginTimeout: 200 * time.Millisecond, LogoutTimeout: 50 * time.Millisecond, Listener: f.hear,
	}
	o.NetDial = v.counted(v.NetDial)
	if tcp {
		o.NetDial = v.counted(ws.NetDial)
	}
	if rand.N(2) == 0 {
		o.TicketProvider = f.provide
	}
	if relays {
		f.relay = new(relayed)
		o.Relay, o.Relayed = f.takes, f.relay.told
	}
	c, err := Open(o)
	require.NoError(t, err)
	f.Client = c

	var hosts sync.WaitGroup
	for range 4 {
		hosts.Go(func() {
			for !f.stop.Load() {
				f.act(false)
				aMoment()
			}
		})
	}
	time.Sleep(long)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if rand.N(2) == 0 { // everybody waits for answers, which come by themselves
			f.stop.Store(true)
			hosts.Wait()
			f.await()
		}
		c.Close()
		<-f.closed
		f.over.Store(true)
		f.stop.Store(true)
		hosts.Wait()
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Minute):
		stacks := make([]byte, 1<<20)
		t.Errorf("a client does not end, or does not answer:\n%s", stacks[:runtime.Stack(stacks, true)])
		return
	}
	if f.order.wrong != "" {
		f.fault("%s", f.order.wrong)
	}
	for _, b := range f.calls {
		if n := b.answers.Load(); n != 1 {
			f.fault("%s was answered %d times", b.what, n)
		}
	}
	if n := c.calls.Load(); n != 0 {
		f.fault("%d calls are thought to wait", n)
	}
	for _, wrong := range f.wrong {
		t.Error(wrong)
	}
}

// await returns when no call waits.
func (f *fighter) await() {
	for f.Client.calls.Load() > 0 {
		time.Sleep(time.Millisecond)
	}
}

func (f *fighter) fault(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, fmt.Sprintf(format, args...))
}

// callback is what all callbacks do: check that nobody else does, and, sometimes, call back.
func (f *fighter) callback(what string, heard func()) {
	if f.inside.Swap(true) {
		f.fault("%s while another callback runs", what)
	}
	if f.over.Load() {
		f.fault("%s after the end", what)
	}
	heard()
	if rand.N(8) == 0 && !f.stop.Load() {
		f.act(true)
	}
	f.inside.Store(false)
}

func (f *fighter) hear(e Event) {
	f.callback(words(e), func() { f.order.hear(e) })
	if e.Kind == codes.EventClosed {
		close(f.closed)
	}
}

func (f *fighter) provide(ctx context.Context, _ string) (string, error) {
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(20 * time.Millisecond)):
	}
	aMoment() // it may be too late now
	return one("alice1", "alice2", "bob3", ""), one(nil, errors.New("not now"))
}

// begin makes a call with a callback, and counts its answers if it was taken.
func (f *fighter) begin(what string, start func(done func(error)) error) {
	b := &bout{what: what}
	answered := func(err error) {
		f.callback(what, func() {
			if b.answers.Add(1); what == "login" {
				f.order.answered(what, err)
			}
		})
	}
	err := start(func(err error) {
		if f.relay != nil {
			f.relay.push(func() { answered(err) })
		} else {
			answered(err)
		}
	})
	if err == nil {
		f.mu.Lock()
		f.calls = append(f.calls, b)
		f.mu.Unlock()
	}
}

// act does one of all things that a host can. Inside a callback of a Relay nobody may wait.
func (f *fighter) act(inside bool) {
	user := one("alice", "alice", "bob", "")
	ticket := one("alice1", "alice2", "bob3", "")
	wait, cancel := context.WithTimeout(context.Background(), rand.N(60*time.Millisecond))
	defer cancel()
	kind := rand.N(16)
	if inside && f.relay != nil && kind < 4 {
		kind += 4
	}
	switch kind {
	case 0, 1:
		_, _ = f.Login(wait, user, ticket)
	case 2:
		_ = f.Logout(wait)
	case 3:
		_ = f.Renew(wait, ticket)
	case 4, 5, 6:
		f.begin("login", func(done func(error)) error {
			return f.StartLogin(user, ticket, func(_ LoginResult, err error) { done(err) })
		})
	case 7:
		f.begin("logout", f.StartLogout)
	case 8:
		f.begin("renew", func(done func(error)) error { return f.StartRenew(ticket, done) })
	case 9:
		f.SetBackground(rand.N(2) == 0)
	case 10:
		f.look()
	case 11:
		if inside && rand.N(10) == 0 {
			f.Close()
		}
	default:
		f.Wake()
	}
}

func (f *fighter) look() {
	if s := f.Snapshot(); s.Ready != (s.Status == codes.LoggedIn) || s.Ready != (s.User != "") || s.Status == codes.LoggedOut && s.Connection != codes.StateDisconnected {
		f.fault("a snapshot that cannot be: %+v", s)
	}
	f.ServerTime()
}

// A relayed is a queue that one goroutine at a time delivers from, as the C face does it.
type relayed struct {
	mu         sync.Mutex
	queue      []func()
	delivering bool
}

func (f *fighter) takes(e Event) bool {
	f.relay.push(func() { f.hear(e) })
	return true
}

func (r *relayed) push(deliver func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, deliver)
}

func (r *relayed) told(free bool) {
	if free {
		r.deliver()
	} else {
		go r.deliver()
	}
}

func (r *relayed) deliver() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.delivering && len(r.queue) > 0 {
		next := r.queue[0]
		r.queue, r.delivering = r.queue[1:], true
		r.mu.Unlock()
		next()
		r.mu.Lock()
		r.delivering = false
	}
}
