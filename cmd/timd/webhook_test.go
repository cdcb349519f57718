//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server/webhook"
	"github.com/opentim/tim/usersig"
)

func TestServeTellsTheWebhookOfALoginAndOfALostConnection(t *testing.T) {
	type call struct {
		Info  struct{ Action, Reason string }
		query url.Values
	}
	calls := make(chan call, 10)
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c call
		_ = json.NewDecoder(r.Body).Decode(&c)
		c.query = r.URL.Query()
		calls <- c
		fmt.Fprint(w, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`)
	}))
	defer backend.Close()
	hears := func(action, reason string) call {
		t.Helper()
		select {
		case c := <-calls:
			require.Equal(t, action+" "+reason, c.Info.Action+" "+c.Info.Reason)
			return c
		case <-time.After(patience):
			t.Fatalf("no %s", action)
			return call{}
		}
	}
	dir := t.TempDir()
	key, token := filepath.Join(dir, "a.key"), filepath.Join(dir, "token")
	require.NoError(t, os.WriteFile(key, []byte("key\n"), 0o600))
	require.NoError(t, os.WriteFile(token, []byte("hush-hush\n"), 0o600))
	cmd := exec.Command(timd, "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"), "--log-format", "json",
		"--app", "5="+key, "--webhook-url", backend.URL+"/hook", "--webhook-token-file", token,
		"--webhook-timeout", "1m", "--drain-time", "0s") // nobody asks twice because this test was slow to answer
	said := new(lockedBuffer)
	cmd.Stderr, cmd.Stdout = said, said
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	var line struct{ Msg, Endpoint string }
	require.Eventually(t, func() bool {
		first, _, whole := bytes.Cut([]byte(said.String()), []byte("\n"))
		return whole && json.Unmarshal(first, &line) == nil && line.Msg == "serving"
	}, patience, 10*time.Millisecond, "it serves")

	ticket, err := usersig.Sign(5, "key", "alice", time.Hour)
	require.NoError(t, err)
	p := &process{devServer: devServer{Endpoint: line.Endpoint, App: 5, User: "alice", Ticket: ticket}}
	c := p.dial(t)
	c.login(p)
	login := hears("Login", "Register")
	require.Equal(t, "5", login.query.Get("SdkAppid"))
	require.Equal(t, "127.0.0.1", login.query.Get("ClientIP"))
	require.Equal(t, "Linux", login.query.Get("OptPlatform"))
	require.Len(t, login.query.Get("Sign"), 64)
	require.NoError(t, c.Close())
	hears("Disconnect", "LinkClose")
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, <-ended)
	require.FileExists(t, filepath.Join(dir, "data", webhookFile))
	require.NotContains(t, said.String(), "hush-hush")
	require.NotContains(t, said.String(), ticket)
}

func TestAnAppsOwnWebhookHasItsOwnToken(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(name+"\n"), mode))
		return path
	}
	all, own, open := write("all", 0o600), write("own", 0o600), write("open", 0o644)
	const apps = "apps:\n" +
		"  - {id: 1, key_file: k}\n" +
		"  - {id: 2, key_file: k, webhook_url: https://two.example/, webhook_timeout: 1s}\n" +
		"  - {id: 3, key_file: k, webhook_url: https://three.example/, webhook_token_file: %s}\n"
	l, err := configure(t, fmt.Sprintf(apps, own), nil, "--webhook-url=https://all.example/", "--webhook-token-file="+all)
	require.NoError(t, err)
	got, err := l.receivers()
	require.NoError(t, err)
	require.Equal(t, map[uint64]webhook.Receiver{
		1: {URL: "https://all.example/", Token: "all", Timeout: 2 * time.Second},
		2: {URL: "https://two.example/", Timeout: time.Second},
		3: {URL: "https://three.example/", Token: "own", Timeout: 2 * time.Second},
	}, got)

	l, err = configure(t, fmt.Sprintf(apps, open), nil)
	require.NoError(t, err)
	_, err = l.receivers()
	require.ErrorContains(t, err, "timd.yaml:4: apps[2].webhook_token_file: others can read the secret")
}
