package admin_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/admin"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/sqlite"
	"github.com/opentim/tim/usersig"
)

const (
	app    = 1400000001
	key    = "secret-of-the-app"
	boss   = "administrator"
	nodeID = "node-1.5f3a"

	patience = time.Minute // for what only a hang keeps from happening
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A world is a server with its REST face: the real parts, with a store in a folder of its own.
type world struct {
	t        testing.TB
	url      string
	sessions *server.Sessions
	cluster  *memory.Cluster
	store    server.Store
	metrics  *admin.Metrics
	measured admin.Measured
	log      *strings.Builder
}

func newWorld(t testing.TB, change ...func(*server.Options)) *world {
	t.Helper()
	w := &world{t: t, cluster: memory.NewCluster(), metrics: admin.NewMetrics(), log: new(strings.Builder)}
	disk, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "tim.db"), store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, disk.Close()) })
	w.store = w.metrics.Store(disk)
	registry := w.cluster.Open()
	t.Cleanup(func() { _ = registry.Close() })
	o := server.Options{
		Node: nodeID, Registry: registry, Store: w.store, ResumeKeys: [][]byte{[]byte("0123456789abcdef")},
		Apps: []server.App{{ID: app, Keys: []string{key}, Admins: []string{boss}}, {ID: 2, Keys: []string{"other"}}},
	}
	for _, f := range change {
		f(&o)
	}
	w.sessions, err = server.New(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.sessions.Close(context.Background())) })
	w.measured = w.metrics.Sessions(w.sessions)
	log := slog.New(slog.NewTextHandler(&locked{to: w.log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	face := httptest.NewServer(admin.New(admin.Options{Sessions: w.sessions, Store: w.store, Metrics: w.metrics, Logger: log}))
	t.Cleanup(face.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	w.url = face.URL
	return w
}

// locked is a writer for several goroutines.
type locked struct {
	mu sync.Mutex
	to io.Writer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// An answer is the status of one, and all of its fields.
type answer struct {
	ActionStatus string
	ErrorCode    int
	ErrorInfo    string
	fields       map[string]any
	raw          []byte
}

// query returns the parameters of a good request.
func query(t testing.TB) url.Values {
	t.Helper()
	return url.Values{
		"sdkappid": {strconv.Itoa(app)}, "identifier": {boss}, "usersig": {ticket(t, boss)},
		"random": {"99999999"}, "contenttype": {"json"},
	}
}

func ticket(t testing.TB, user string) string {
	t.Helper()
	sig, err := usersig.Sign(app, key, user, time.Hour)
	require.NoError(t, err)
	return sig
}

// call sends a good request as an administrator.
func (w *world) call(command, body string) answer {
	w.t.Helper()
	return w.send(http.MethodPost, "/v4/"+command+"?"+query(w.t).Encode(), body)
}

// ok is call for a command that has to succeed.
func (w *world) ok(command, body string) answer {
	w.t.Helper()
	a := w.call(command, body)
	require.Equal(w.t, 0, a.ErrorCode, "%s: %s", command, a.ErrorInfo)
	return a
}

func (w *world) send(method, path, body string) (a answer) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	require.NoError(w.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(w.t, err)
	defer response.Body.Close()
	require.Equal(w.t, http.StatusOK, response.StatusCode, "the status is in the body, whatever happens")
	a.raw, err = io.ReadAll(response.Body)
	require.NoError(w.t, err)
	require.NoError(w.t, json.Unmarshal(a.raw, &a), "%s", a.raw)
	require.NoError(w.t, json.Unmarshal(a.raw, &a.fields))
	require.Equal(w.t, a.ErrorCode == 0, a.ActionStatus == "OK")
	require.Equal(w.t, a.ErrorCode == 0, a.ErrorInfo == "", "%s", a.raw)
	return a
}

// A phone is a connection that notes what it is told.
type phone struct {
	mu    sync.Mutex
	kicks []server.Kick
	ended bool
}

func (p *phone) Kick(k server.Kick) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kicks = append(p.kicks, k)
}
func (p *phone) TicketExpiring(time.Time) {}
func (p *phone) TicketExpired(time.Time)  { p.ended = true }
func (p *phone) Moved()                   {}
func (p *phone) RemoteAddr() netip.Addr   { return netip.Addr{} }

func (p *phone) reasons() (all []codes.KickReason) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.kicks {
		all = append(all, k.Reason)
	}
	return all
}

// login signs a user in.
func (w *world) login(user string, platform codes.Platform, instance string) (*phone, server.Grant) {
	w.t.Helper()
	p := new(phone)
	grant, err := w.measured.Login(w.t.Context(), p, server.LoginRequest{
		App: app, User: user, Ticket: ticket(w.t, user), Platform: platform, Instance: instance, Label: user + "'s " + platform.String(),
	})
	require.NoError(w.t, err)
	return p, grant
}
