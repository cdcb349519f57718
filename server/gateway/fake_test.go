package gateway_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// fakeSessions answers logins as the test says and remembers what the gateway told it. The zero value lets everybody in.
type fakeSessions struct {
	onLogin func(c server.Conn, in server.LoginRequest) (server.Grant, error)
	onRenew func(ticket string) (server.Grant, error)

	wheel  *server.Wheel
	online atomic.Int64
	seq    atomic.Uint64
	nobody atomic.Int64 // calls without a session

	mu    sync.Mutex
	conns map[string]server.Conn // by user
	lost  map[*server.Held]int
	out   []*server.Held // logged out
	held  map[string]*server.Held
}

func newFakeSessions(t *testing.T) *fakeSessions {
	f := &fakeSessions{
		wheel: server.NewWheel(), conns: map[string]server.Conn{}, lost: map[*server.Held]int{}, held: map[string]*server.Held{},
	}
	t.Cleanup(f.wheel.Stop)
	return f
}

func (f *fakeSessions) Login(_ context.Context, c server.Conn, in server.LoginRequest) (server.Grant, error) {
	f.mu.Lock()
	f.conns[in.User] = c
	f.mu.Unlock()
	if f.onLogin != nil {
		if g, err := f.onLogin(c, in); err != nil || g.Held != nil {
			return g, err
		}
	}
	return f.grant(in.User), nil
}

func (f *fakeSessions) grant(user string) server.Grant {
	f.online.Add(1)
	h := new(server.Held)
	f.mu.Lock()
	f.held[user] = h
	f.mu.Unlock()
	return server.Grant{
		Held: h, Session: "session of " + user, LoginSeq: f.seq.Add(1),
		TicketExpires: time.Now().Add(time.Hour), ResumeTicket: []byte("resume " + user),
	}
}

func (f *fakeSessions) Resume(_ context.Context, c server.Conn, ticket []byte) (server.Grant, error) {
	if len(ticket) == 0 {
		at := time.UnixMilli(1234567890123)
		return server.Grant{}, &server.Refusal{Code: codes.KickedOffline, Text: "somebody else came", Kick: &server.Kick{
			Reason: codes.KickMultipleDevice, ByPlatform: codes.PlatformIOS, ByLabel: "new phone", At: at,
		}}
	}
	return f.grant(string(ticket)), nil
}

func (f *fakeSessions) Renew(_ context.Context, h *server.Held, ticket string) (server.Grant, error) {
	f.count(h)
	if f.onRenew != nil {
		return f.onRenew(ticket)
	}
	return server.Grant{TicketExpires: time.UnixMilli(2e12), ResumeTicket: []byte("again")}, nil
}

func (f *fakeSessions) Logout(_ context.Context, h *server.Held) error {
	f.count(h)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.online.Add(-1)
	f.out = append(f.out, h)
	return nil
}

func (f *fakeSessions) Lost(h *server.Held) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.online.Add(-1)
	f.lost[h]++
}

func (f *fakeSessions) count(h *server.Held) {
	if h == nil {
		f.nobody.Add(1)
	}
}

func (f *fakeSessions) Online() int          { return int(f.online.Load()) }
func (f *fakeSessions) Wheel() *server.Wheel { return f.wheel }

// conn returns the connection that user logged in over.
func (f *fakeSessions) conn(user string) server.Conn {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.conns[user]
}

// timesLost returns how often user's session was reported lost.
func (f *fakeSessions) timesLost(user string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.lost[f.held[user]]
}

var errBroken = errors.New("the store is on fire")
