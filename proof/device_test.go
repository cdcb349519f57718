//go:build linux

package proof

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
)

// A journal is a History that is being written.
type journal struct {
	began time.Time

	mu   sync.Mutex
	h    History
	back map[string]time.Time // when each device was connected last
}

func newJournal() *journal {
	return &journal{began: time.Now(), h: History{Devices: map[string]Device{}}, back: map[string]time.Time{}}
}

func (j *journal) now() time.Duration { return time.Since(j.began) }

func (j *journal) write(f func(h *History)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f(&j.h)
}

// ask runs a request, and writes it down when it is over. yes and no say what an error means; what is neither is Unknown.
func (j *journal) ask(f func() error, no func(error) bool) (o Op, err error) {
	o.Call = j.now()
	err = f()
	o.Return = j.now()
	switch {
	case err == nil:
		o.Result = Yes
	case no != nil && no(err):
		o.Result = No
	default: // it may happen yet
		o.Return = Never
	}
	return o, err
}

// A phone is a device with its client: one of core's, as in somebody's app.
type phone struct {
	Device
	j      *journal
	client *core.Client
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
	events chan core.Event // the newest; for stories

	mu     sync.Mutex
	conn   net.Conn // the newest
	lately []string // the last that it heard, in words
}

func newPhone(t testing.TB, j *journal, d Device, dial func(ctx context.Context, network, address string) (net.Conn, error)) *phone {
	t.Helper()
	p := &phone{Device: d, j: j, dial: dial, events: make(chan core.Event, 1000)}
	j.write(func(h *History) { h.Devices[d.Name] = d })
	client, err := core.Open(core.Options{
		URL: "ws://127.0.0.1:1/tim", App: appID, Platform: d.Platform, Label: d.Name, Instance: d.Name, NetDial: p.netDial, LogLevel: codes.LogDebug,
		Listener: p.hear,
	})
	require.NoError(t, err)
	p.client = client
	t.Cleanup(client.Close)
	return p
}

func (p *phone) netDial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := p.dial(ctx, network, address)
	if err == nil {
		p.mu.Lock()
		p.conn = conn
		p.mu.Unlock()
	}
	return conn, err
}

// cut ends the connection as a network does.
func (p *phone) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		_ = p.conn.Close()
	}
}

// recall keeps the last events, to be read where something went wrong.
func (p *phone) recall(e core.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.lately) == 12 {
		p.lately = slices.Delete(p.lately, 0, 1)
	}
	p.lately = append(p.lately, fmt.Sprintf("%8.3f %s %v %s", p.j.now().Seconds(), e.Kind, e.Code, e.Text))
}

func (p *phone) hear(e core.Event) {
	p.recall(e)
	select {
	case p.events <- e:
	default: // nobody listens
	}
	if e.Kind == codes.EventConnected {
		p.j.write(func(*History) { p.j.back[p.Name] = time.Now() })
	}
	told := Told{At: p.j.now(), Device: p.Name, Code: e.Code, Kick: e.Kick}
	switch {
	case e.Kind == codes.EventKickedOffline || e.Kind == codes.EventUserSigExpired:
		told.Word = Ended
	case e.Kind == codes.EventLoginStatus && e.Status == codes.LoggedIn:
		told.Word = SignedIn
	case e.Kind == codes.EventLoginStatus && e.Status == codes.LoggedOut:
		told.Word = SignedOut
	default:
		return
	}
	p.j.write(func(h *History) { h.Told = append(h.Told, told) })
}

// login signs in with a fresh ticket.
func (p *phone) login(ticket string) error {
	o, err := p.j.ask(func() error {
		_, err := p.client.Login(ctx, p.User, ticket)
		return err
	}, nil) // a refusal may be that of a second try, after one that nobody answered
	p.j.write(func(h *History) { h.Logins = append(h.Logins, DeviceOp{o, p.Name}) })
	return err
}

func (p *phone) logout() error {
	o, err := p.j.ask(func() error { return p.client.Logout(ctx) }, nil)
	p.j.write(func(h *History) { h.Logouts = append(h.Logouts, DeviceOp{o, p.Name}) })
	return err
}

// hears returns the next event of a kind.
func (p *phone) hears(t testing.TB, within time.Duration, kind codes.EventKind) core.Event {
	t.Helper()
	late := time.After(within)
	for {
		select {
		case e := <-p.events:
			if e.Kind == kind {
				return e
			}
		case <-late:
			require.Failf(t, "nothing was heard", "%s: no %s within %s", p.Name, kind, within)
		}
	}
}

// heard returns what came since the last look.
func (p *phone) heard() (kinds []codes.EventKind) {
	for {
		select {
		case e := <-p.events:
			kinds = append(kinds, e.Kind)
		default:
			return kinds
		}
	}
}

func (p *phone) heardOf(kinds ...codes.EventKind) bool {
	return slices.ContainsFunc(p.heard(), func(k codes.EventKind) bool { return slices.Contains(kinds, k) })
}
