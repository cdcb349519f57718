package core

import (
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "20") // those that are parallel mostly wait
	goleak.VerifyTestMain(m)
}

// A world is a client, a server, and the story of what the client told, in the order it told it.
type world struct {
	*Client
	t      *testing.T
	server *timtest.Server
	hears  func(Event) // called by the Listener, after the event was noted
	wall   time.Duration
	breaks bool // the client is meant to close itself

	mu    sync.Mutex
	story []string
	logs  []string
	last  Event // of those that are no log lines
}

// simulate runs a test on fake time. arrange changes the server and the options before the client is opened.
func simulate(t *testing.T, arrange func(s *timtest.Server, o *Options), test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t, server: &timtest.Server{}}
		o := Options{
			URL: "ws://127.0.0.1:1/tim", App: 1400000001, Platform: codes.PlatformAndroid, Label: "test",
			NetDial: w.server.NetDial, Listener: w.hear, LogLevel: codes.LogDebug,
		}
		if arrange != nil {
			arrange(w.server, &o)
		}
		c, err := open(o, func() time.Time { return time.Now().Add(w.shift(0)) })
		require.NoError(t, err)
		w.Client = c
		defer w.server.Close()
		defer w.close()
		test(w)
	})
}

func (w *world) close() {
	w.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.last.Kind != codes.EventClosed {
		w.t.Errorf("the last event is %v, not closed", w.last.Kind)
	}
	if w.last.Code != codes.OK && !w.breaks {
		w.t.Errorf("the client closed itself: %s", w.last.Text)
	}
	for _, line := range append(w.logs, w.story...) {
		if strings.Contains(line, secretMark) {
			w.t.Errorf("a ticket is told: %s", line)
		}
	}
}

const secretMark = "-secret-"

// ticket returns a ticket whose text, all but the last four characters, must never be told.
func ticket(name string) string {
	return name + secretMark + "0123456789abcdefghijklmnopqrstuvwxyz-" + name
}

// shift moves the wall clock by d, as somebody who sets it, or a night asleep, and returns how far it was moved in all.
func (w *world) shift(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wall += d
	return w.wall
}

func (w *world) hear(e Event) {
	w.mu.Lock()
	if e.Kind == codes.EventLog {
		w.logs = append(w.logs, e.Text)
	} else {
		w.story = append(w.story, words(e))
		w.last = e
	}
	w.mu.Unlock()
	if w.hears != nil {
		w.hears(e)
	}
}

func words(e Event) string {
	switch e.Kind {
	case codes.EventConnected:
		if e.Resumed {
			return "connected resumed"
		}
		return "connected first"
	case codes.EventDisconnected:
		return "disconnected " + e.Code.Name()
	case codes.EventLoginStatus:
		return e.Status.String()
	case codes.EventReady:
		return fmt.Sprintf("ready %v", e.Ready)
	case codes.EventKickedOffline:
		return fmt.Sprintf("kicked_offline %s %s by %s %q", e.Code.Name(), e.Kick.Reason, e.Kick.ByPlatform, e.Kick.ByLabel)
	case codes.EventUserSigExpired:
		return "user_sig_expired " + e.Code.Name()
	case codes.EventClosed:
		return "closed " + e.Code.Name()
	}
	return e.Kind.String()
}

// told waits until nothing more happens at this moment and returns the story since it was asked for last, as one text.
func (w *world) told() string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	all := strings.Join(w.story, ", ")
	w.story = nil
	return all
}

// tells requires the story since it was asked for last.
func (w *world) tells(want ...string) {
	w.t.Helper()
	require.Equal(w.t, strings.Join(want, ", "), w.told())
}

func (w *world) note(what string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.story = append(w.story, what+" "+codeOf(err).Name())
}

// The calls of a world note their answers in the story.

func (w *world) logIn(user, ticketName string) {
	w.t.Helper()
	err := w.StartLogin(user, ticket(ticketName), func(r LoginResult, err error) {
		what := "login " + user
		if r.Repeat {
			what += " (repeat)"
		}
		w.note(what, err)
	})
	require.NoError(w.t, err)
}

func (w *world) logOut() {
	w.t.Helper()
	require.NoError(w.t, w.StartLogout(func(err error) { w.note("logout", err) }))
}

func (w *world) renews(ticketName string) {
	w.t.Helper()
	require.NoError(w.t, w.StartRenew(ticket(ticketName), func(err error) { w.note("renew", err) }))
}

// signedIn makes alice logged in and forgets how it was told.
func (w *world) signedIn() {
	w.t.Helper()
	w.logIn("alice", "alice1")
	require.Contains(w.t, w.told(), "login alice OK")
}

func codeOf(err error) codes.Code {
	var code codes.Code
	if err != nil && !errors.As(err, &code) {
		return -1
	}
	return code
}

// received returns the frames of one type that clients sent, in order.
func received[F any](w *world) []*F {
	synctest.Wait()
	var found []*F
	for _, f := range w.server.Frames() {
		if f, ok := any(f).(*F); ok {
			found = append(found, f)
		}
	}
	return found
}

// The story of a login and of an end, as every test meets them.
const (
	signsIn  = "logging_in, connecting, connected first, logged_in, ready true"
	comesUp  = "connecting, connected resumed"
	signsOut = "logged_out, ready false, disconnected OK"
)
