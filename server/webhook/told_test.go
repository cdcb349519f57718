package webhook

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

func remembering(o *Options) { o.Remember = true }

// told returns all that a webhook remembers, page by page.
func told(t *testing.T, w *Webhook, page int) (all []server.Telling) {
	t.Helper()
	for after := (server.UserKey{}); ; after = all[len(all)-1].Key {
		list, err := w.Told(context.Background(), after, page)
		require.NoError(t, err)
		require.LessOrEqual(t, len(list), page)
		if len(list) == 0 {
			return all
		}
		all = append(all, list...)
	}
}

func TestWhatEachUserWasToldToHaveSurvivesARestart(t *testing.T) {
	path := file(t)
	w, _ := open(t, path, "http://127.0.0.1:1", remembering)
	require.Zero(t, w.LastRevision())
	w.Changed(login("alice", 5))
	w.Changed(login("bob", 1<<52+1))
	two := login("carol", 7)
	two.Sessions = append(two.Sessions, server.Session{ID: "t", Instance: "j", Platform: codes.PlatformWeb, Label: "a browser", LoginSeq: 9})
	w.Changed(two)
	out := login("alice", 8)
	out.Action, out.Sessions = server.LoggedOut, nil
	w.Changed(out)
	require.NoError(t, w.Close())

	w, _ = open(t, path, "http://127.0.0.1:1", remembering)
	require.Equal(t, uint64(1<<52+1), w.LastRevision())
	one := server.Session{ID: "s", Instance: "i", Platform: codes.PlatformAndroid, LoginSeq: 1_700_000_000_000_000}
	require.Equal(t, []server.Telling{
		{Key: server.UserKey{App: app, User: "bob"}, Sessions: []server.Session{one}},
		{Key: server.UserKey{App: app, User: "carol"}, Sessions: []server.Session{one, two.Sessions[1]}},
	}, told(t, w, 100))
	w.Changed(login("dave", 3)) // a lower one
	require.NoError(t, w.Close())
	w, _ = open(t, path, "http://127.0.0.1:1", remembering)
	require.Equal(t, uint64(1<<52+1), w.LastRevision())
	require.Len(t, told(t, w, 1), 3)
}

func TestToldUsersComeInPagesOfAllApps(t *testing.T) {
	path := file(t)
	const large = 1<<63 + 5 // of an app: it is negative in the table
	apps := []uint64{app, 2, large}
	w, _ := open(t, path, "http://127.0.0.1:1", remembering, func(o *Options) {
		for _, a := range apps {
			o.Receivers[a] = Receiver{URL: "http://127.0.0.1:1"}
		}
	})
	want := map[server.UserKey]bool{}
	for i := range 100 {
		for _, a := range apps {
			c := login(fmt.Sprint("user", i), uint64(i+1))
			c.Key.App = a
			want[c.Key] = true
			w.Changed(c)
		}
	}
	eventually(t, func() bool { return w.Stats().Waiting == len(want) }, "all are on disk")
	got := map[server.UserKey]bool{}
	for _, one := range told(t, w, 7) {
		require.False(t, got[one.Key], "%v comes twice", one.Key)
		got[one.Key] = true
	}
	require.Equal(t, want, got)
	require.NoError(t, w.Close())
	w, _ = open(t, path, "http://127.0.0.1:1", remembering) // the other apps have no receiver any more
	require.Len(t, told(t, w, 1000), 100)
}

func TestANodeAmongOthersRemembersRevisionsOnly(t *testing.T) {
	path := file(t)
	w, _ := open(t, path, "http://127.0.0.1:1", remembering)
	w.Changed(login("alice", 5))
	require.NoError(t, w.Close())
	w, _ = open(t, path, "http://127.0.0.1:1")
	require.Empty(t, told(t, w, 10), "what it was told alone is old by now")
	w.Changed(login("bob", 6))
	require.NoError(t, w.Close())
	w, _ = open(t, path, "http://127.0.0.1:1", remembering)
	require.Empty(t, told(t, w, 10))
	require.Equal(t, uint64(6), w.LastRevision())
}

// What is told and what is remembered are one transaction: a kill cannot part them.
func TestWhatIsRememberedIsWhatWasQueuedLast(t *testing.T) {
	w, _ := open(t, file(t), "http://127.0.0.1:1", remembering, func(o *Options) { o.RetryMin, o.RetryMax = time.Hour, time.Hour })
	for i := range 500 {
		c := login(fmt.Sprint("user", i%10), uint64(i+1))
		c.Sessions = []server.Session{{ID: fmt.Sprint("session-", i), Platform: codes.PlatformIOS}}
		w.Changed(c)
	}
	eventually(t, func() bool { return w.Stats().Waiting == 500 }, "all are on disk")
	for _, one := range told(t, w, 100) {
		var i int
		_, err := fmt.Sscanf(one.Key.User, "user%d", &i)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("session-", 490+i), one.Sessions[0].ID)
	}
}
