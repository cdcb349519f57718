package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/admin"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/sqlite"
	"github.com/opentim/tim/usersig"
)

const (
	testApp = 1400000007
	testKey = "dev"
)

// besideServer runs a server with its REST face, and enters a folder where a timd dev has left word of it.
func besideServer(t *testing.T) *server.Sessions {
	t.Helper()
	sessions, api := besideAPI(t)
	face := httptest.NewServer(api)
	t.Cleanup(face.Close)
	leaveWord(t, strings.Replace(face.URL, "http://", "ws://", 1)+"/tim")
	return sessions
}

// besideAPI makes a server and its REST face in an empty folder.
func besideAPI(t *testing.T) (*server.Sessions, http.Handler) {
	t.Helper()
	t.Chdir(t.TempDir())
	disk, err := sqlite.Open(t.Context(), "tim.db", store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { _ = disk.Close() })
	registry := memory.Open()
	t.Cleanup(func() { _ = registry.Close() })
	sessions, err := server.New(t.Context(), server.Options{
		Node: "dev.1", Registry: registry, Store: disk, ResumeKeys: [][]byte{[]byte("0123456789abcdef")},
		Apps: []server.App{{ID: testApp, Keys: []string{testKey}, Admins: []string{"administrator"}}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = sessions.Close(context.Background()) })
	return sessions, admin.New(admin.Options{Sessions: sessions, Store: disk})
}

func leaveWord(t *testing.T, endpoint string) {
	t.Helper()
	require.NoError(t, os.MkdirAll("tim-dev", 0o700))
	word, err := json.Marshal(target{Endpoint: endpoint, App: testApp, KeyFile: "tim-dev/key"})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile("tim-dev/dev.json", word, 0o600))
	require.NoError(t, os.WriteFile("tim-dev/key", []byte(testKey), 0o600))
}

// quiet is a connection that hears nothing.
type quiet struct{}

func (quiet) Kick(server.Kick)         {}
func (quiet) TicketExpiring(time.Time) {}
func (quiet) TicketExpired(time.Time)  {}
func (quiet) Moved()                   {}
func (quiet) RemoteAddr() netip.Addr   { return netip.Addr{} }

func signIn(t *testing.T, s *server.Sessions, user string, p codes.Platform, label string) {
	t.Helper()
	ticket, err := usersig.Sign(testApp, testKey, user, time.Hour)
	require.NoError(t, err)
	_, err = s.Login(t.Context(), quiet{}, server.LoginRequest{
		App: testApp, User: user, Ticket: ticket, Platform: p, Instance: p.String() + "-1", Label: label,
	})
	require.NoError(t, err)
}

// ran runs a command line that has to succeed, and returns what it printed with single blanks.
func ran(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tim(t, "", args...)
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	return strings.Join(lines, "\n")
}

func TestAnAdministratorSeesAndEndsSessions(t *testing.T) {
	s := besideServer(t)
	signIn(t, s, "alice", codes.PlatformIOS, "Alice's phone")
	signIn(t, s, "alice", codes.PlatformWeb, "evil\x1b[2J")

	out := ran(t, "sessions", "alice")
	require.Regexp(t, `(?m)^PLATFORM STATUS LABEL SIGNED IN INSTANCE NODE$`, out)
	require.Regexp(t, `(?m)^ios Online Alice's phone .* \(\ds ago\) ios-1 dev.1$`, out)
	require.Contains(t, out, `web Online "evil\x1b[2J"`, "a label does nothing to the terminal")

	out = ran(t, "kick", "alice", "--instance", "web-1")
	require.Contains(t, out, "alice is signed out of 1 device; 1 of them told\n")
	require.NotContains(t, out, "tickets")
	require.NotContains(t, ran(t, "sessions", "alice"), "web")

	out = ran(t, "kick", "alice")
	require.Contains(t, out, "alice is signed out of 1 device; 1 of them told; tickets made before now are refused\n")
	require.Contains(t, out, "ios Alice's phone told ios-1 dev.1")
	require.Equal(t, "alice is signed in nowhere", ran(t, "sessions", "alice"))
	require.Equal(t, "alice was signed in nowhere; tickets made before now are refused", ran(t, "kick", "alice"))

	var answer struct {
		ErrorCode int
		Sessions  []any
	}
	out, err := tim(t, "", "sessions", "alice", "--json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal([]byte(out), &answer))
	require.Equal(t, 1, strings.Count(out, "\n"))
}

func TestAnAdministratorBansAndForgives(t *testing.T) {
	s := besideServer(t)
	signIn(t, s, "mallory", codes.PlatformIOS, "phone")
	ticket, err := usersig.Sign(testApp, testKey, "mallory", time.Hour)
	require.NoError(t, err)
	key := server.UserKey{App: testApp, User: "mallory"}

	out := ran(t, "ban", "mallory", "--for", "7d")
	require.Regexp(t, `^mallory is banned until .* \(in 168h\)\n`, out)
	require.Contains(t, out, "ios phone told ios-1 dev.1")
	require.ErrorIs(t, s.CheckTicket(t.Context(), key, ticket), codes.AccountBanned)
	require.Equal(t, "mallory may log in", ran(t, "unban", "mallory"))
	require.NoError(t, s.CheckTicket(t.Context(), key, ticket))
	require.Equal(t, "mallory is banned until somebody says \"tim unban mallory\"", ran(t, "ban", "mallory"))
	require.ErrorIs(t, s.CheckTicket(t.Context(), key, ticket), codes.AccountBanned)
	require.Contains(t, ran(t, "ban", "mallory", "--until", time.Now().Add(time.Hour).Format(time.RFC3339)), "(in 1h)")
}

func TestHowLongABanLasts(t *testing.T) {
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		lasts, until string
		want         int64
		wrong        string
	}{
		{"", "", 0, ""},
		{"90m", "", 5400, ""},
		{"7d", "", 7 * 86400, ""},
		{"", "2026-11-22T12:00:30Z", 30, ""},
		{"", "2026-11-22T13:00:30+01:00", 30, ""},
		{"7", "", 0, `--for "7" is no time`},
		{"-1h", "", 0, `--for "-1h" is no time`},
		{"xd", "", 0, "is no time"},
		{"", "tomorrow", 0, `--until "tomorrow" is no moment, such as 2026-11-23T12:00:00Z`},
		{"", "2026-11-22T12:00:00Z", 0, "is over"},
		{"1h", "2026-11-22T13:00:00Z", 0, "not both"},
	} {
		got, err := banTime(c.lasts, c.until, now)
		if c.wrong != "" {
			require.ErrorContains(t, err, c.wrong)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, got, c.lasts+c.until)
	}
}

func TestASilentServerIsNamed(t *testing.T) {
	k := kicked{SilentNodes: []string{"node-2.77c0"}}
	require.NoError(t, json.Unmarshal([]byte(`{"Instances":[{},{}],"Told":1}`), &k))
	require.Equal(t, "alice is signed out of 2 devices; 1 of them told; tickets made before now are refused\n"+
		"no answer from node-2.77c0: devices there learn it within a minute, or when they come back\n", k.words("alice", true))
}

func TestAnAdministratorChangesSettings(t *testing.T) {
	s := besideServer(t)
	signIn(t, s, "alice", codes.PlatformIOS, "phone")
	signIn(t, s, "alice", codes.PlatformWeb, "page")
	require.Equal(t, "policy dual: one phone, tablet or computer, and the web\nlimits 1 device of each platform\nversion 0: the defaults, never changed",
		ran(t, "settings", "show"))
	require.Equal(t, "the settings were never changed", ran(t, "settings", "history"))

	require.Equal(t, "1 of 1 users would lose a session; nothing was changed\nmultiple_device 1\n1 of 2 sessions would end",
		ran(t, "settings", "simulate", "--policy", "single"))
	out := ran(t, "settings", "set", "--policy", "multi", "--limit", "web=5", "--limit", "ios=2")
	require.Contains(t, out, "policy multi: every platform at once\nlimits ios 2, web 5; 1 of each other platform\nversion 1, by administrator, ")
	require.Contains(t, ran(t, "settings", "set", "--limit", "ios=1", "--version", "1"), "limits web 5; 1 of each other platform\nversion 2")
	require.Regexp(t, `(?s)^VERSION POLICY LIMITS BY WHEN\n2 multi web 5; .* administrator .*\n1 multi ios 2, web 5;`, ran(t, "settings", "history"))

	_, err := tim(t, "", "settings", "set", "--limit", "ios=3", "--version", "1")
	require.ErrorContains(t, err, "version 2 by now")
	require.Equal(t, 1, exitCode(err))
}

func TestAnAdministratorCountsUsers(t *testing.T) {
	s := besideServer(t)
	signIn(t, s, "alice", codes.PlatformIOS, "phone")
	signIn(t, s, "bob", codes.PlatformIOS, "phone")
	out := ran(t, "dau", "--from", "2026-01-01", "--to", "2026-01-02")
	require.Equal(t, "DAY (UTC) USERS IN 7 DAYS IN 30 DAYS\n2026-01-01 0 0 0\n2026-01-02 0 0 0", out)
	require.Regexp(t, `(?m) 2 2 2$`, ran(t, "dau")) // midnight may have been since
}

func TestAMistakeOfAnAdministratorIsNamed(t *testing.T) {
	besideServer(t)
	const nobody = "ws://127.0.0.1:1"
	other := httptest.NewServer(http.RedirectHandler("http://127.0.0.1:1/", http.StatusFound))
	t.Cleanup(other.Close)
	for _, tt := range []struct {
		name string
		args []string
		code int
		says string
	}{
		{"a user nobody knows", []string{"sessions", "nobody"}, 1, "70107"},
		{"a kick of nobody", []string{"kick", "nobody"}, 1, "nobody has no account: nobody has logged in by this name (70107)"},
		{"an end of nobody's ban", []string{"unban", "nobody"}, 1, "nobody has no account"},
		{"settings that are none", []string{"settings", "get"}, 2, "there is no tim settings get: choose history, set, show, simulate"},
		{"tickets that are none", []string{"sig", "sign"}, 2, "there is no tim sig sign: choose explain, make, verify"},
		{"an argument too many", []string{"dau", "today"}, 2, `tim dau takes no argument such as "today"; see tim dau --help`},
		{"a day that is none", []string{"dau", "--from", "2026-13-01"}, 2, `--from "2026-13-01" is no day, such as 20`},
		{"no history", []string{"settings", "history", "-n", "0"}, 2, "--number 0: choose 1 to 100"},
		{"a limit without number", []string{"settings", "set", "--limit", "web"}, 2, "such as web=5"},
		{"a limit in words", []string{"settings", "set", "--limit", "web=many"}, 2, "such as web=5"},
		{"another app than the one beside it", []string{"sessions", "alice", "--app", "5", "--key-file", "tim-dev/key"}, 2, `--endpoint is missing, and no "timd dev" of app 5 has left its data in tim-dev`},
		{"nothing beside it", []string{"sessions", "alice", "--dev", "elsewhere"}, 2, `--app, the SDKAppID, is missing, and no "timd dev" has left its data in elsewhere`},
		{"no administrator", []string{"kick", "alice", "--admin", "alice"}, 1, "60010"},
		{"a key of another app", []string{"dau", "--app", "5", "--key-file", "tim-dev/key", "--endpoint", nobody}, 1, "refused"},
		{"nobody there", []string{"dau", "--endpoint", nobody}, 1, "connection refused"},
		{"something else there", []string{"dau", "--endpoint", other.URL}, 1, "302"},
		{"in the clear", []string{"dau", "--endpoint", "ws://tim.example.com"}, 2, "--allow-insecure"},
		{"no URL", []string{"dau", "--endpoint", "tim.example.com"}, 2, "--endpoint"},
		{"another scheme", []string{"dau", "--endpoint", "ftp://tim.example.com"}, 2, "wss://"},
		{"no such instance", []string{"kick", "alice", "--instance", "i9"}, 1, "70402"},
		{"nothing to change", []string{"settings", "set"}, 2, "--policy"},
		{"no such policy", []string{"settings", "simulate", "--policy", "quad"}, 2, "single, dual"},
		{"no such platform", []string{"settings", "set", "--limit", "amiga=1"}, 2, "amiga=1"},
		{"too many", []string{"settings", "set", "--limit", "ios=4"}, 1, "from 1 to 3"},
		{"too long a time", []string{"dau", "--from", "2026-01-01", "--to", "2026-02-01"}, 1, "70402"},
		{"nobody named", []string{"kick"}, 2, "USER"},
		{"a ban of nobody", []string{"ban", "nobody"}, 1, "70107"},
		{"a ban for no time", []string{"ban", "alice", "--for", "soon"}, 2, "90m, 24h or 7d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := tim(t, "", tt.args...)
			require.Error(t, err)
			require.Contains(t, err.Error(), tt.says)
			require.Equal(t, tt.code, exitCode(err))
			require.NotContains(t, err.Error(), "usersig=", "the ticket is in the URL")
		})
	}
	require.NoError(t, os.Remove("tim-dev/dev.json"))
	_, err := tim(t, "", "dau", "--app", "5", "--key-file", "tim-dev/key")
	require.ErrorContains(t, err, "timd dev")
}

func TestRESTIsWhereTheWebSocketIs(t *testing.T) {
	for endpoint, want := range map[string]string{
		"wss://tim.example.com/tim":   "https://tim.example.com",
		"https://tim.example.com:444": "https://tim.example.com:444",
		"ws://127.0.0.1:7700/tim":     "http://127.0.0.1:7700",
		"ws://localhost:7700":         "http://localhost:7700",
		"http://[::1]:7700/":          "http://[::1]:7700",
	} {
		got, err := restBase(endpoint, false)
		require.NoError(t, err)
		require.Equal(t, want, got.String())
	}
	got, err := restBase("ws://tim.example.com", true)
	require.NoError(t, err)
	require.Equal(t, "http://tim.example.com", got.String())
}
