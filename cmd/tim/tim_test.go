package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
	"github.com/opentim/tim/usersig"
)

// tim runs a command line in an empty folder that holds a key file, and returns what it printed.
func tim(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&out)
	root.SetArgs(args)
	err := root.Execute()
	return out.String(), err
}

func inFolderWithKey(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("key", []byte("secret-of-the-app\n"), 0o600))
	require.NoError(t, os.WriteFile("other-key", []byte("another-secret\n"), 0o600))
}

func TestATicketMadeIsATicketVerified(t *testing.T) {
	inFolderWithKey(t)
	ticket, err := tim(t, "", "sig", "make", "alice", "--app", "1400000000", "--key-file", "key", "--expire", "1h")
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(ticket, "\n"), "the ticket and nothing else, so that it can be piped")

	out, err := tim(t, ticket, "sig", "verify", "-", "--user", "alice", "--app", "1400000000", "--key-file", "key")
	require.NoError(t, err)
	require.Contains(t, out, "the ticket is good")
	require.Contains(t, out, "alice")

	out, err = tim(t, ticket, "sig", "verify", "-", "--json", "--user", "alice", "--app", "1400000000", "--key-file", "key")
	require.NoError(t, err)
	var held struct {
		User            string
		App             uint64
		Issued, Expires time.Time
	}
	require.NoError(t, json.Unmarshal([]byte(out), &held))
	require.Equal(t, "alice", held.User)
	require.Equal(t, time.Hour, held.Expires.Sub(held.Issued))
}

func TestTheNewestKeyOfAFileSigns(t *testing.T) {
	inFolderWithKey(t)
	require.NoError(t, os.WriteFile("keys", []byte("# rotated in November\n\nnew-secret\nold-secret\n"), 0o600))
	ticket, err := tim(t, "", "sig", "make", "alice", "--app", "1", "--key-file", "keys")
	require.NoError(t, err)
	_, err = usersig.NewVerifier(1, "new-secret").Verify(strings.TrimSpace(ticket), "alice", time.Now())
	require.NoError(t, err)

	require.NoError(t, os.WriteFile("keys", []byte("# none yet\n"), 0o600))
	_, err = tim(t, "", "sig", "make", "alice", "--app", "1", "--key-file", "keys")
	require.ErrorContains(t, err, "holds no key")
}

func TestWhatIsWrongIsNamed(t *testing.T) {
	inFolderWithKey(t)
	ticket, err := usersig.Sign(1400000000, "secret-of-the-app", "alice", time.Hour)
	require.NoError(t, err)
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"another user's ticket", []string{"sig", "verify", ticket, "--user", "bob", "--app", "1400000000", "--key-file", "key"}, 1, "70013"},
		{"another app's ticket", []string{"sig", "verify", ticket, "--user", "alice", "--app", "1", "--key-file", "key"}, 1, "70014"},
		{"another key", []string{"sig", "verify", ticket, "--user", "alice", "--app", "1400000000", "--key-file", "other-key"}, 1, "70009"},
		{"no user to compare with", []string{"sig", "verify", ticket, "--app", "1400000000", "--key-file", "key"}, 2, "--user"},
		{"no app", []string{"sig", "make", "alice", "--key-file", "key"}, 2, "--app"},
		{"no key", []string{"sig", "make", "alice", "--app", "1"}, 2, "--key-file"},
		{"a key file that is not there", []string{"sig", "make", "alice", "--app", "1", "--key-file", "nowhere"}, 2, "nowhere"},
		{"a newline in the userID", []string{"sig", "make", "al\nice", "--app", "1", "--key-file", "key"}, 1, "7003"},
		{"no userID", []string{"sig", "make"}, 2, "USER, the userID"},
		{"a flag that does not exist", []string{"sig", "make", "--expires", "1h"}, 2, "tim sig make --help"},
		{"nowhere to log in", []string{"login", "alice", "--app", "1", "--key-file", "key"}, 2, "--endpoint"},
		{"no ticket", []string{"login", "alice", "--app", "1", "--endpoint", "ws://127.0.0.1:1"}, 2, "--ticket"},
		{"no such platform", []string{"login", "alice", "--platform", "amiga"}, 2, "choose ios"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tim(t, "", tt.args...)
			require.Error(t, err)
			require.Contains(t, err.Error(), tt.says)
			require.Equal(t, tt.code, exitCode(err))
			require.NotContains(t, err.Error(), "secret-of")
		})
	}
}

func TestExplainSaysItInWordsAndExitsAsVerifyWould(t *testing.T) {
	inFolderWithKey(t)
	ticket, err := usersig.Sign(1400000000, "secret-of-the-app", "alice", time.Hour)
	require.NoError(t, err)

	_, err = tim(t, "", "sig", "explain", ticket)
	require.NoError(t, err, "without a key the signature is not asked about")
	_, err = tim(t, "", "sig", "explain", ticket, "--app", "1400000000", "--key-file", "key", "--user", "alice")
	require.NoError(t, err)
	out, err := tim(t, "", "sig", "explain", ticket[:len(ticket)/2])
	require.ErrorAs(t, err, new(said), "it was told in words already")
	require.Equal(t, 1, exitCode(err))
	require.Contains(t, out, "cut off")
}

func TestFlagsComeFromTheEnvironmentAndFromARunningServer(t *testing.T) {
	inFolderWithKey(t)
	t.Setenv("TIM_APP", "1400000000")
	t.Setenv("TIM_KEY_FILE", "key")
	ticket, err := tim(t, "", "sig", "make", "alice")
	require.NoError(t, err)
	held, err := usersig.NewVerifier(1400000000, "secret-of-the-app").Verify(strings.TrimSpace(ticket), "alice", time.Now())
	require.NoError(t, err)
	require.EqualValues(t, 1400000000, held.App)

	t.Setenv("TIM_APP", "many")
	_, err = tim(t, "", "sig", "make", "alice")
	require.ErrorContains(t, err, "TIM_APP")

	os.Unsetenv("TIM_APP")
	os.Unsetenv("TIM_KEY_FILE")
	require.NoError(t, os.Mkdir("tim-dev", 0o700))
	dev, _ := json.Marshal(target{Endpoint: "ws://127.0.0.1:7700/tim", App: 1400000007, KeyFile: filepath.Join("tim-dev", "key")})
	require.NoError(t, os.WriteFile("tim-dev/dev.json", dev, 0o600))
	require.NoError(t, os.WriteFile("tim-dev/key", []byte("dev"), 0o600))
	ticket, err = tim(t, "", "sig", "make", "alice")
	require.NoError(t, err)
	_, err = usersig.NewVerifier(1400000007, "dev").Verify(strings.TrimSpace(ticket), "alice", time.Now())
	require.NoError(t, err)

	_, err = tim(t, "", "sig", "make", "alice", "--app", "5")
	require.ErrorContains(t, err, "--key-file", "the key of one app must not sign for another")
}

func TestEventsInPlainWordsAndAsJSON(t *testing.T) {
	at := time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		name  string
		event core.Event
		words string
		json  string
	}{
		{"first connection", core.Event{Kind: codes.EventConnected}, "connected", `"event":"connected","resumed":false`},
		{"came back", core.Event{Kind: codes.EventConnected, Resumed: true}, "connected again", `"resumed":true`},
		{"lost", core.Event{Kind: codes.EventDisconnected, Code: codes.Disconnected, Text: "reset by peer"},
			"alice stays logged in", `"code":9508,"text":"reset by peer"`},
		{"hung up because the session ended", core.Event{Kind: codes.EventDisconnected}, "disconnected\n", `"event":"disconnected"}`},
		{"kicked by a phone", core.Event{Kind: codes.EventKickedOffline, Code: codes.KickedOffline,
			Kick: core.Kick{Reason: codes.KickMultipleDevice, ByPlatform: codes.PlatformIOS, ByLabel: "Alice's phone", At: at}},
			`"Alice's phone" (ios) signed in`, `"reason":"multiple_device","by_platform":"ios","by_label":"Alice's phone","at":"2026-11-22T06:30:00Z"`},
		{"kicked by nobody", core.Event{Kind: codes.EventKickedOffline, Kick: core.Kick{Reason: codes.KickRESTAPI, At: at}},
			"by an administrator", `"reason":"rest_api"`},
		{"expires soon", core.Event{Kind: codes.EventUserSigWillExpire, At: at}, "the ticket ends at", `"at":"2026-11-22T06:30:00Z"`},
		{"expired", core.Event{Kind: codes.EventUserSigExpired, Code: codes.TicketExpired}, "log in with a new one", `"code":70001`},
		{"status", core.Event{Kind: codes.EventLoginStatus, Status: codes.LoggedIn}, "", `"status":"logged_in"`},
		{"not ready", core.Event{Kind: codes.EventReady}, "", `"ready":false`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var words, lines bytes.Buffer
			newNarrator(&words, false, "alice").tell(tt.event)
			newNarrator(&lines, true, "alice").tell(tt.event)
			if tt.words == "" {
				require.Empty(t, words.String())
			}
			require.Contains(t, words.String(), tt.words)
			require.Contains(t, lines.String(), tt.json)
			require.True(t, json.Valid(lines.Bytes()))
			require.Equal(t, 1, strings.Count(lines.String(), "\n"))
		})
	}
}

func TestAFailureOfEachTryIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	n := newNarrator(&out, false, "alice")
	n.now = func() time.Time { return time.Date(2026, 11, 22, 6, 30, 0, 0, time.UTC) }
	try := []core.Event{{Kind: codes.EventConnecting}, {Kind: codes.EventDisconnected, Code: codes.ConnectRefused, Text: "refused"}}
	n.tell(core.Event{Kind: codes.EventLoginStatus, Status: codes.LoggingIn})
	for range 3 {
		for _, e := range try {
			n.tell(e)
		}
	}
	n.tell(core.Event{Kind: codes.EventConnected})
	n.tell(core.Event{Kind: codes.EventLoginStatus, Status: codes.LoggedIn})
	n.tell(try[1])
	require.Equal(t, `06:30:00  connecting
06:30:00  cannot connect: refused; trying again
06:30:00  connected
06:30:00  the connection is lost: refused; alice stays logged in and comes back by itself
`, out.String())
}

func TestDurationsAreShort(t *testing.T) {
	for _, tt := range []struct {
		d    time.Duration
		want string
	}{{24 * time.Hour, "24h"}, {90 * time.Minute, "1h30m"}, {30 * time.Second, "30s"}, {10 * time.Minute, "10m"}, {0, "0s"}} {
		require.Equal(t, tt.want, shortDuration(tt.d))
	}
}
