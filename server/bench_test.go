package server_test

import (
	"fmt"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/usersig"
)

func benchNode(tb testing.TB) *server.Sessions {
	r := memory.Open()
	s, err := server.New(ctx, server.Options{
		Node: "node-1.1", Apps: []server.App{{ID: appID, Keys: []string{appKey}}}, Registry: r, Store: newFakeStore(),
		ResumeKeys: [][]byte{resumeKey},
	})
	require.NoError(tb, err)
	tb.Cleanup(func() { _, _ = s.Close(ctx), r.Close() })
	return s
}

// requests returns logins of n users as they come off the wire: no two share memory.
func requests(tb testing.TB, n int) []server.LoginRequest {
	list := make([]server.LoginRequest, n)
	for i := range list {
		user := fmt.Sprintf("user%06d", i)
		ticket, err := usersig.Sign(appID, appKey, user, time.Hour)
		require.NoError(tb, err)
		list[i] = server.LoginRequest{
			App: appID, User: user, Ticket: ticket, Platform: codes.PlatformIOS,
			Instance: fmt.Sprintf("%032d", i), Label: fmt.Sprint("iPhone of ", user), SDK: "bench/1",
		}
	}
	return list
}

// BenchmarkLogin is the service's part of a login: everything but the connection and the disk. The users are known.
func BenchmarkLogin(b *testing.B) {
	logins := requests(b, 10_000)
	b.Run("and its logout", func(b *testing.B) {
		s := benchNode(b)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			grant, err := s.Login(ctx, quiet{}, logins[i%len(logins)])
			if err != nil {
				b.Fatal(err)
			}
			if err := s.Logout(ctx, grant.Held); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
	b.Run("again, and its lost connection", func(b *testing.B) { // what timload rate has the server do
		s := benchNode(b)
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			grant, err := s.Login(ctx, quiet{}, logins[i%len(logins)])
			if err != nil {
				b.Fatal(err)
			}
			s.Lost(grant.Held)
			i++
		}
	})
	b.Run("that is a resume", func(b *testing.B) {
		s := benchNode(b)
		grant, err := s.Login(ctx, quiet{}, logins[0])
		require.NoError(b, err)
		b.ReportAllocs()
		for b.Loop() {
			grant, err = s.Resume(ctx, quiet{}, grant.ResumeTicket)
			if err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("that replaces another instance", func(b *testing.B) {
		s := benchNode(b)
		two := [2]server.LoginRequest{logins[0], logins[0]}
		two[1].Instance = "another"
		b.ReportAllocs()
		i := 0
		for b.Loop() {
			if _, err := s.Login(ctx, quiet{}, two[i%2]); err != nil {
				b.Fatal(err)
			}
			i++
		}
	})
}

// quiet is a Conn that hears nothing and takes no memory.
type quiet struct{}

func (quiet) Kick(server.Kick)         {}
func (quiet) TicketExpiring(time.Time) {}
func (quiet) TicketExpired(time.Time)  {}
func (quiet) Moved()                   {}
func (quiet) RemoteAddr() netip.Addr   { return netip.Addr{} }

// TestMemoryOfASession holds the service and the memory registry to what a signed-in session may cost: its account is the
// store's business.
func TestMemoryOfASession(t *testing.T) {
	const n = 20_000
	s := benchNode(t)
	logins := requests(t, n)
	for i := range logins {
		grant, err := s.Login(ctx, quiet{}, logins[i])
		require.NoError(t, err)
		require.NoError(t, s.Logout(ctx, grant.Held))
	}
	before := heap()
	for i := range logins {
		in := logins[i]
		in.User, in.Instance, in.Label = clone(in.User), clone(in.Instance), clone(in.Label)
		_, err := s.Login(ctx, quiet{}, in)
		require.NoError(t, err)
	}
	used := int(heap()-before) / n
	t.Logf("%d bytes for each session", used)
	require.Less(t, used, 700)
	runtime.KeepAlive(logins)
}

func clone(s string) string { return string(append([]byte(nil), s...)) }

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
