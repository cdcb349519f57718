//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// startServe starts a timd serve with one app and the administrator root, and returns it with the URLs that it logged.
func startServe(t *testing.T, dir, yaml string, want ...string) (*process, map[string]string) {
	t.Helper()
	key := filepath.Join(dir, "app.key")
	require.NoError(t, os.WriteFile(key, []byte("the key of app 5\n"), 0o600))
	file := filepath.Join(dir, "timd.yaml")
	text := fmt.Sprintf("listen: 127.0.0.1:0\ndata_dir: %q\nlog: {format: json}\napps:\n  - {id: 5, key_file: %q, admins: [root]}\n%s", dir, key, yaml)
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	p := &process{ended: make(chan error, 1)}
	p.cmd = exec.Command(timd, "serve", "--config", file)
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	urls := map[string]string{}
	lines := bufio.NewScanner(stderr)
	for p.Endpoint == "" {
		require.True(t, lines.Scan())
		var line struct{ Msg, URL, Endpoint string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), lines.Text())
		urls[line.Msg] = line.URL
		p.Endpoint = line.Endpoint
	}
	go func() {
		for lines.Scan() {
		}
		p.ended <- p.cmd.Wait()
	}()
	for _, w := range want {
		require.NotEmpty(t, urls[w], w)
	}
	return p, urls
}

func TestProfilesAreOnAPortOfTheirOwn(t *testing.T) {
	p, urls := startServe(t, t.TempDir(), "pprof_listen: 127.0.0.1:0\n", "profiles")
	res, err := http.Get(urls["profiles"] + "goroutine?debug=1")
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "goroutine profile:")
	status, _ := p.get(t, "/debug/pprof/")
	require.Equal(t, http.StatusNotFound, status, "not where clients are")
}

func TestRESTIsForTheAddressesThatAreAllowed(t *testing.T) {
	root := signedAgo(t, "root", 0)
	for yaml, want := range map[string]codes.Code{
		"admin_allow: [10.0.0.0/8, 192.0.2.1]\n": codes.AddressForbidden,
		"admin_allow: [10.0.0.0/8, 127.0.0.1]\n": codes.OK,
		"":                                       codes.OK,
	} {
		p, _ := startServe(t, t.TempDir(), yaml)
		require.Equal(t, want, p.rest(t, root, "tim_admin/get_login_settings", `{}`), yaml)
		status, _ := p.get(t, "/v4/openapi.json")
		require.Equal(t, http.StatusOK, status, "the document is for everybody")
	}
}

func TestAPhoneThatWasLostIsPushOnlineAlsoAfterKill9(t *testing.T) {
	dir, root := t.TempDir(), signedAgo(t, "root", 0)
	p, _ := startServe(t, dir, "grace: 1s\n")
	c := p.dial(t)
	f := c.ask(&wire.Login{
		Request: 1, Version: wire.Version, App: 5, User: "alice", Ticket: signedAgo(t, "alice", 0), Platform: codes.PlatformAndroid, Instance: "phone",
	})
	require.IsType(t, &wire.Accepted{}, f)
	_ = c.Close()
	const want = `"Detail":[{"Platform":"Android","Status":"PushOnline"}]`
	status := func() string {
		return p.answerOf(t, root, "openim/query_online_status", `{"To_Account":["alice"],"IsNeedDetail":1}`)
	}
	require.Eventually(t, func() bool { // the registry has released it, and the store knows
		return strings.Contains(p.answerOf(t, root, "tim_admin/sessions", `{"UserID":"alice"}`), `"Sessions":[]`) && strings.Contains(status(), want)
	}, patience, 20*time.Millisecond)
	require.NoError(t, p.cmd.Process.Kill())
	require.Error(t, p.end(t))
	p, _ = startServe(t, dir, "")
	require.Contains(t, status(), want)
}

// In a cluster the clients of a node that stops are sent to the others at once.
func TestANodeOfAClusterSendsItsClientsElsewhere(t *testing.T) {
	dir, nats := prepareCluster(t), startNATS(t)
	more := []string{"--reconnect-min", "1m", "--drain-time", "200ms"}
	a, b := startMember(t, dir, "a", nats, more...), startMember(t, dir, "b", nats, more...)
	drained := func(p *process) *wire.Bye {
		c := p.dial(t)
		c.login(p)
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
		bye, ok := c.next().(*wire.Bye)
		require.True(t, ok)
		_ = c.Close()
		require.NoError(t, p.end(t))
		return bye
	}
	bye := drained(a)
	require.Equal(t, codes.ByeResume, bye.Action)
	require.Less(t, bye.RetryAfter, int64(2000), "the other node takes them now")
	// The last node of a cluster has nobody to send them to.
	require.Greater(t, drained(b).RetryAfter, int64(1000), "they wait until it is back")
}

func TestMetricsHaveWhatAnOperatorAsksFor(t *testing.T) {
	dir, nats := prepareCluster(t), startNATS(t)
	p := startMember(t, dir, "a", nats, "--metrics-listen", "127.0.0.1:0", "--webhook-url", "http://127.0.0.1:1/")
	require.Equal(t, codes.OK, p.answer(t, "alice", signedAgo(t, "alice", 0)))
	res, err := http.Get(p.metrics)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	for _, want := range []string{
		`(?m)^tim_logins_total\{code="0"\} 1$`, `(?m)^tim_login_seconds_count 1$`, `(?m)^tim_kicks_total\{reason="rest_api"\} 0$`,
		`(?m)^# TYPE tim_resumes_total counter$`, `(?m)^tim_sessions_online\{platform="linux"\} `, `(?m)^tim_reconnect_backlog 0$`,
		`(?m)^tim_reconnect_window_seconds 2$`, `(?m)^tim_overloaded_total 0$`, `(?m)^tim_turned_away_total 0$`, `(?m)^tim_flooding_total 0$`, `(?m)^tim_panics_total 0$`,
		`(?m)^tim_sessions_unsettled 0$`, `(?m)^tim_lease_age_seconds [0-9.e-]+$`, `(?m)^tim_registry_conflicts_total \d+$`, `(?m)^tim_clock_behind_seconds [0-9.e-]+$`,
		`(?m)^tim_webhook_waiting \d+$`, `(?m)^tim_webhook_dropped_total 0$`,
	} {
		require.Regexp(t, want, string(body))
	}
}
