//go:build unix

package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/sqlite"
	"github.com/opentim/tim/usersig"
)

type deaf struct{}

func (deaf) Kick(server.Kick)         {}
func (deaf) TicketExpiring(time.Time) {}
func (deaf) TicketExpired(time.Time)  {}
func (deaf) Moved()                   {}
func (deaf) RemoteAddr() netip.Addr   { return netip.MustParseAddr("203.0.113.9") }

// BenchmarkLogin is a login of a user who has an account and was there today: without a webhook, without and with the journal of
// who is signed in; and with both, with a receiver that takes connections and says nothing, and with one that is not there.
// Without remembering, a webhook is as on a node among others. Each login is another session: more than a journal ever has to note
// of engines that come back by themselves. The CPU is that of everything, also of what no login waits for.
func BenchmarkLogin(b *testing.B) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer silent.Close()
	for _, c := range []struct {
		name, url         string
		journal, remember bool
	}{
		{"nobody", "", false, false},
		{"nobody, journal", "", true, false},
		{"silent", "http://" + silent.Addr().String(), true, false},
		{"silent, remembering", "http://" + silent.Addr().String(), true, true},
		{"refusing, remembering", "http://127.0.0.1:1", true, true},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkLogin(b, c.url, c.journal, c.remember) })
	}
}

func cpu(b *testing.B) time.Duration {
	var use syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &use))
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func benchmarkLogin(b *testing.B, to string, journal, remember bool) {
	const users, key = 256, "a key, only for tests"
	ctx := context.Background()
	o := server.Options{
		Node: "n.1", Apps: []server.App{{ID: app, Keys: []string{key}}}, Registry: memory.Open(), ResumeKeys: [][]byte{make([]byte, 16)},
	}
	if journal {
		o.Registry = memory.OpenJournal(filepath.Join(b.TempDir(), "sessions.journal"), slog.New(slog.DiscardHandler))
	}
	defer o.Registry.Close()
	accounts, err := sqlite.Open(ctx, filepath.Join(b.TempDir(), "tim.db"), store.Options{})
	require.NoError(b, err)
	defer accounts.Close()
	o.Store = accounts
	if to != "" {
		w, err := Open(ctx, Options{Path: filepath.Join(b.TempDir(), "webhook.db"), Remember: remember, Receivers: map[uint64]Receiver{app: {URL: to}}})
		require.NoError(b, err)
		defer func() { require.NoError(b, w.Close()) }()
		o.Observer = w
	}
	s, err := server.New(ctx, o)
	require.NoError(b, err)
	defer func() { require.NoError(b, s.Close(ctx)) }()
	in := make([]server.LoginRequest, users)
	login := func(i int) {
		if _, err := s.Login(ctx, deaf{}, in[i%users]); err != nil {
			b.Error(err)
		}
	}
	var all sync.WaitGroup
	for i := range in {
		user := fmt.Sprint("user", i)
		sig, err := usersig.Sign(app, key, user, time.Hour)
		require.NoError(b, err)
		in[i] = server.LoginRequest{App: app, User: user, Ticket: sig, Platform: codes.PlatformAndroid, Instance: "i"}
		all.Go(func() { login(i) })
	}
	all.Wait()
	var took []time.Duration
	i := 0
	before := cpu(b)
	for b.Loop() {
		began := time.Now()
		login(i)
		took = append(took, time.Since(began))
		i++
	}
	b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(len(took)), "cpu-µs")
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "p50-µs")
}
