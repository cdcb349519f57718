package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

func TestMain(m *testing.M) {
	if os.Getenv(childPath) != "" {
		child()
		return
	}
	goleak.VerifyTestMain(m)
}

const (
	app      = 1400000001
	token    = "a token, only for tests"
	patience = time.Minute
	ok       = `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`
)

// A backend is a receiver that writes down what it is told. Its answer is OK unless a story says otherwise.
type backend struct {
	*httptest.Server
	answer func(w http.ResponseWriter, r *http.Request, b body) // called first; nil answers OK

	mu      sync.Mutex
	got     []body
	queries []url.Values
	busy    map[string]bool
	overlap bool // two requests of one user at a time
	most    int  // requests at a time
}

func newBackend(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, b body)) *backend {
	b := &backend{answer: answer, busy: make(map[string]bool)}
	b.Server = httptest.NewServer(b)
	t.Cleanup(b.Server.Close)
	return b
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	var in body
	if err := json.Unmarshal(data, &in); err != nil {
		panic(err)
	}
	user := in.Info.ToAccount
	b.mu.Lock()
	b.overlap = b.overlap || b.busy[user]
	b.busy[user] = true
	b.most = max(b.most, len(b.busy))
	b.got = append(b.got, in)
	b.queries = append(b.queries, r.URL.Query())
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		delete(b.busy, user)
	}()
	if b.answer != nil {
		b.answer(w, r, in)
		return
	}
	fmt.Fprint(w, ok)
}

func (b *backend) bodies() []body {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]body(nil), b.got...)
}

// revisions returns what a user's requests carried.
func (b *backend) revisions(user string) (all []uint64) {
	for _, one := range b.bodies() {
		if one.Info.ToAccount == user {
			all = append(all, one.Revision)
		}
	}
	return all
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// open opens a webhook for a receiver; it is closed with the test.
func open(t *testing.T, path, to string, change ...func(*Options)) (*Webhook, *lines) {
	t.Helper()
	log := new(lines)
	o := Options{
		Path: path, Receivers: map[uint64]Receiver{app: {URL: to, Token: token, Timeout: patience}}, // on a busy machine nobody asks twice
		RetryMin: time.Millisecond, RetryMax: 20 * time.Millisecond, Logger: slog.New(slog.NewTextHandler(log, nil)),
	}
	for _, c := range change {
		c(&o)
	}
	w, err := Open(context.Background(), o)
	require.NoError(t, err)
	t.Cleanup(func() {
		require.NoError(t, w.Close())
		require.NotContains(t, log.String(), token)
		require.NotContains(t, log.String(), "Sign=")
	})
	return w, log
}

func file(t *testing.T) string { return filepath.Join(t.TempDir(), "webhook.db") }

func login(user string, revision uint64, kicked ...codes.Platform) server.Change {
	s := server.Session{ID: "s", Instance: "i", Platform: codes.PlatformAndroid, LoginSeq: 1_700_000_000_000_000}
	return server.Change{
		Key: server.UserKey{App: app, User: user}, Action: server.LoggedIn, Revision: revision, At: time.UnixMilli(1_700_000_000_123),
		Session: s, Sessions: []server.Session{s}, Kicked: kicked, Address: netip.MustParseAddr("203.0.113.9"),
	}
}

func eventually(t *testing.T, what func() bool, why string) {
	t.Helper()
	require.Eventually(t, what, patience, 2*time.Millisecond, why)
}

func drained(t *testing.T, w *Webhook) {
	t.Helper()
	eventually(t, func() bool {
		changes, done, _ := w.buffer.peek()
		return len(changes) == 0 && len(done) == 0 && w.Stats().Waiting == 0
	}, "nothing waits")
}
