//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server/store/postgres/pgtest"
)

func TestServeKeepsAccountsInPostgreSQLAndSaysWhenItIsAway(t *testing.T) {
	postgres := pgtest.Start(t, pgtest.Options{})
	dir := t.TempDir()
	key := filepath.Join(dir, "a.key")
	require.NoError(t, os.WriteFile(key, []byte("key\n"), 0o600))
	url := strings.Replace(postgres.TCP(), "tim@", "tim:hush@", 1)
	cmd := exec.Command(timd, "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"), "--log-format", "json", "--app", "5="+key)
	cmd.Env = append(os.Environ(), "TIMD_STORE="+url)
	said := new(lockedBuffer)
	cmd.Stderr, cmd.Stdout = said, said
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })

	var line struct{ Msg, Endpoint string }
	require.Eventually(t, func() bool {
		first, _, whole := bytes.Cut([]byte(said.String()), []byte("\n"))
		return whole && json.Unmarshal(first, &line) == nil && line.Msg == "serving"
	}, patience, 10*time.Millisecond, "it serves")
	p := &process{devServer: devServer{Endpoint: line.Endpoint}}
	ready := func() int {
		status, _ := p.get(t, "/readyz")
		return status
	}
	require.NoFileExists(t, filepath.Join(dir, "data", storeFile))
	soonReady := func() bool { return ready() == http.StatusOK } // the probe gives a store 2 s, and asks again
	require.Eventually(t, soonReady, patience, 10*time.Millisecond)
	require.NoError(t, postgres.Kill())
	require.Equal(t, http.StatusServiceUnavailable, ready())
	require.NoError(t, postgres.Run())
	require.Eventually(t, soonReady, patience, 10*time.Millisecond)
	require.NotContains(t, said.String(), "hush")
}

func TestConfigHidesThePasswordOfTheStore(t *testing.T) {
	out, err := exec.Command(timd, "config", "--store", "postgres://tim:hush@db/tim?sslpassword=hush").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "postgres://tim:xxxxx@db/tim?sslpassword=xxxxx")
	require.NotContains(t, string(out), "hush")
}
