//go:build unix

package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/usersig"
)

// prepareCluster makes the files that all nodes of a cluster read, and returns their folder.
func prepareCluster(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range map[string]string{
		"app.key": "the key of app 5", "resume.key": "a key of resume tickets, for tests",
		"timd.yaml": fmt.Sprintf("apps:\n  - {id: 5, key_file: %q, admins: [root]}\n", filepath.Join(dir, "app.key")),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	return dir
}

// startNATS runs a NATS server within the test and returns its URL.
func startNATS(t *testing.T) string {
	t.Helper()
	s, err := natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
		Username: "tim", Password: "hush",
	})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(patience))
	return fmt.Sprintf("nats://tim:hush@%s", s.Addr())
}

// startMember starts a timd of a cluster and waits until it serves.
func startMember(t *testing.T, dir, name, nats string, more ...string) *process {
	t.Helper()
	p := &process{ended: make(chan error, 1)}
	p.cmd = exec.Command(timd, append([]string{
		"serve", "--config", filepath.Join(dir, "timd.yaml"), "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, name),
		"--node", name, "--log-format", "json", "--registry", nats, "--cluster-resume-key-file", filepath.Join(dir, "resume.key"),
	}, more...)...)
	stderr, err := p.cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	lines := bufio.NewScanner(stderr)
	said := ""
	for p.Endpoint == "" && lines.Scan() {
		said += lines.Text() + "\n"
		var line struct{ Msg, URL string }
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line), lines.Text())
		if line.Msg == "metrics" {
			p.metrics = line.URL
		}
		require.NoError(t, json.Unmarshal(lines.Bytes(), &p.devServer), lines.Text())
	}
	require.NotEmpty(t, p.Endpoint, said)
	go func() {
		for lines.Scan() {
		}
		p.ended <- p.cmd.Wait()
	}()
	p.App, p.User = 5, "alice"
	p.Ticket, err = usersig.Sign(5, "the key of app 5", "alice", time.Hour)
	require.NoError(t, err)
	return p
}

func TestNodesOnNATSAreOneCluster(t *testing.T) {
	dir, nats := prepareCluster(t), startNATS(t)
	a, b := startMember(t, dir, "a", nats), startMember(t, dir, "b", nats)
	old := a.dial(t)
	old.login(a)
	newer := b.dial(t)
	f := newer.ask(&wire.Login{
		Request: 1, Version: wire.Version, App: b.App, User: b.User, Ticket: b.Ticket, Platform: codes.PlatformLinux, Instance: "another",
	})
	accepted, ok := f.(*wire.Accepted)
	require.True(t, ok, "%+v", f)
	kicked, ok := old.next().(*wire.Kicked)
	require.True(t, ok)
	require.Equal(t, codes.KickMultipleAccount, kicked.Reason)

	require.NoError(t, b.cmd.Process.Kill())
	require.Error(t, b.end(t))
	f = a.dial(t).ask(&wire.Resume{Request: 1, Version: wire.Version, Ticket: accepted.ResumeTicket})
	resumed, ok := f.(*wire.Accepted)
	require.True(t, ok, "%+v", f)
	require.Equal(t, accepted.Session, resumed.Session)

	out, err := exec.Command(timd, "config", "--registry", nats, "--cluster-resume-key-file", "x", "--app", "5=x").CombinedOutput()
	require.NoError(t, err, string(out))
	require.NotContains(t, string(out), "hush")
}
