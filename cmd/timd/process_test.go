//go:build unix

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/usersig"
)

const patience = time.Minute // for what only a hang keeps from happening

var timd string // the program under test

func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.fuzz").Value.String() != "" || flag.Lookup("test.fuzzworker").Value.String() == "true" {
		os.Exit(m.Run()) // fuzzing needs no program
	}
	dir, err := os.MkdirTemp("", "timd")
	if err != nil {
		panic(err)
	}
	timd = filepath.Join(dir, "timd")
	if out, err := exec.Command("go", "build", "-o", timd, ".").CombinedOutput(); err != nil {
		panic(string(out))
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// A process is a running timd dev.
type process struct {
	devServer
	cmd     *exec.Cmd
	stderr  *lockedBuffer
	metrics string // where they are, if they are served
	ended   chan error
}

func startDev(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{stderr: new(lockedBuffer), ended: make(chan error, 1)}
	p.cmd = exec.Command(timd, append([]string{"dev", "--json", "--data", dir, "--listen", "127.0.0.1:0"}, args...)...)
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	line, err := bufio.NewReader(out).ReadBytes('\n')
	go func() { p.ended <- p.cmd.Wait() }()
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	require.NoError(t, err, p.stderr)
	require.NoError(t, json.Unmarshal(line, &p.devServer))
	return p
}

// end waits for the process to end and returns how.
func (p *process) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-p.ended:
		return err
	case <-time.After(patience):
		t.Fatalf("timd has not ended:\n%s", p.stderr)
		return nil
	}
}

func (p *process) get(t *testing.T, path string) (int, string) {
	t.Helper()
	res, err := http.Get(strings.Replace(strings.TrimSuffix(p.Endpoint, "/tim"), "ws://", "http://", 1) + path)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

type client struct {
	*websocket.Conn
	t *testing.T
}

func (p *process) dial(t *testing.T) *client {
	t.Helper()
	c, _, err := (&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}).Dial(p.Endpoint, nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return &client{c, t}
}

func (c *client) ask(f wire.Frame) wire.Frame {
	c.t.Helper()
	require.NoError(c.t, c.WriteMessage(websocket.BinaryMessage, wire.Append(nil, f)))
	return c.next()
}

func (c *client) next() wire.Frame {
	c.t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(patience))
	_, data, err := c.ReadMessage()
	require.NoError(c.t, err)
	f, err := wire.Decode(data)
	require.NoError(c.t, err)
	return f
}

func (c *client) login(p *process) *wire.Accepted {
	c.t.Helper()
	f := c.ask(&wire.Login{
		Request: 1, Version: wire.Version, App: p.App, User: p.User, Ticket: p.Ticket, Platform: codes.PlatformLinux, Instance: "i",
	})
	require.IsType(c.t, &wire.Accepted{}, f, "%+v", f)
	return f.(*wire.Accepted)
}

func TestDevServesAliceAndEndsOnSIGTERM(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dev")
	p := startDev(t, dir)
	require.Equal(t, uint64(1400000001), p.App)
	require.Equal(t, "alice", p.User)
	info, err := os.Stat(p.KeyFile)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	var note devServer
	data, err := os.ReadFile(filepath.Join(dir, "dev.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &note))
	require.Equal(t, p.devServer, note)

	status, body := p.get(t, "/healthz")
	require.Equal(t, "200 ok", fmt.Sprint(status, " ", strings.TrimSpace(body)))
	status, body = p.get(t, "/readyz")
	require.Equal(t, "200 ready", fmt.Sprint(status, " ", strings.TrimSpace(body)))

	c := p.dial(t)
	c.login(p)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	bye := c.next().(*wire.Bye)
	require.Equal(t, codes.ServiceNotReady, bye.Code)
	require.Equal(t, codes.ByeResume, bye.Action)
	require.Positive(t, bye.RetryAfter)
	_, _, err = c.ReadMessage()
	require.True(t, websocket.IsCloseError(err, codes.ServiceNotReady.CloseCode()), err)
	_ = c.Close()
	require.NoError(t, p.end(t))
	require.NoFileExists(t, filepath.Join(dir, "dev.json"))
	require.NotContains(t, p.stderr.String(), p.Ticket)
}

func TestSIGTERMEndsAlsoWithClientsThatDoNotHangUp(t *testing.T) {
	p := startDev(t, t.TempDir())
	p.dial(t).login(p) // reads nothing any more
	began := time.Now()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.NoError(t, p.end(t))
	require.Less(t, time.Since(began), 30*time.Second, "before an orchestrator kills it")
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	p := startDev(t, t.TempDir())
	p.dial(t).login(p)
	// SIGTERM: whoever runs this in the background of a script has SIGINT ignored, and so have our children.
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { // until the first one was noticed, the second is the same
		return p.cmd.Process.Signal(syscall.SIGTERM) != nil || len(p.ended) > 0
	}, patience, time.Millisecond)
	var exit *exec.ExitError
	require.ErrorAs(t, p.end(t), &exit)
	require.Equal(t, syscall.SIGTERM, exit.Sys().(syscall.WaitStatus).Signal())
}

func TestAfterKill9ClientsResumeAndTheAppIsTheSame(t *testing.T) {
	dir := t.TempDir()
	p := startDev(t, dir)
	before := p.dial(t).login(p)
	require.NoError(t, p.cmd.Process.Kill())
	require.Error(t, p.end(t))

	q := startDev(t, dir)
	require.Equal(t, p.KeyFile, q.KeyFile)
	c := q.dial(t)
	f := c.ask(&wire.Resume{Request: 1, Version: wire.Version, Ticket: before.ResumeTicket})
	after, ok := f.(*wire.Accepted)
	require.True(t, ok, "%+v", f)
	require.Equal(t, before.Session, after.Session)
	require.Equal(t, before.LoginSeq, after.LoginSeq)

	// The ticket that the killed server printed still works: same key. It meets the resumed session of the same instance.
	d := q.dial(t)
	again := d.login(p)
	require.True(t, again.Repeat)
}

func TestTwoServersDoNotShareADataDirectory(t *testing.T) {
	dir := t.TempDir()
	startDev(t, dir)
	out, err := exec.Command(timd, "dev", "--data", dir, "--listen", "127.0.0.1:0").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "in use")
}

func TestDevIsForThisMachineOnly(t *testing.T) {
	out, err := exec.Command(timd, "dev", "--data", t.TempDir(), "--listen", ":7700").CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "timd serve")
}

func TestServeLogsJSONAndServesEachApp(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a.key", "b.key"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name+"\n"), 0o600))
	}
	cmd := exec.Command(timd, "serve", "--listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"), "--log-format", "json")
	cmd.Env = append(os.Environ(), fmt.Sprintf("TIMD_APPS=5=%s,6=%s", filepath.Join(dir, "a.key"), filepath.Join(dir, "b.key")))
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	lines := bufio.NewScanner(stderr)
	require.True(t, lines.Scan())
	var line struct {
		Msg, Endpoint, Store, Registry string
		Apps                           int
	}
	require.NoError(t, json.Unmarshal(lines.Bytes(), &line), lines.Text())
	require.Equal(t, "serving", line.Msg)
	require.Equal(t, 2, line.Apps)
	require.Equal(t, "sqlite memory", line.Store+" "+line.Registry)
	require.True(t, strings.HasPrefix(line.Endpoint, "ws://127.0.0.1:"))
	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	for lines.Scan() {
		require.True(t, json.Valid(lines.Bytes()), lines.Text())
	}
	require.NoError(t, cmd.Wait())
}

func TestVersionAndHelp(t *testing.T) {
	out, err := exec.Command(timd, "version").CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "timd "+codes.Version)
	for _, args := range [][]string{{"--help"}, {"serve", "--help"}, {"dev", "--help"}, {"config", "--help"}} {
		out, err := exec.Command(timd, args...).CombinedOutput()
		require.NoError(t, err)
		require.Contains(t, string(out), "  timd ", "an example")
	}
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestTheAdministratorOfDevUsesRESTAndPrometheusReadsMetrics(t *testing.T) {
	dir := t.TempDir()
	keyFile := filepath.Join(dir, "app.key")
	require.NoError(t, os.WriteFile(keyFile, []byte("key\n"), 0o600))
	p := startDev(t, filepath.Join(dir, "dev"))
	p.dial(t).login(p)
	keys, err := readSecret(p.KeyFile)
	require.NoError(t, err)
	sig, err := usersig.Sign(p.App, keys[0], devAdmin, time.Hour)
	require.NoError(t, err)
	url := strings.Replace(strings.TrimSuffix(p.Endpoint, "/tim"), "ws://", "http://", 1)
	res, err := http.Post(fmt.Sprintf("%s/v4/openim/querystate?sdkappid=%d&identifier=%s&usersig=%s&random=1&contenttype=json", url, p.App, devAdmin, sig),
		"application/json", strings.NewReader(`{"To_Account":["alice"]}`))
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.JSONEq(t, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"QueryResult":[{"To_Account":"alice","State":"Online"}]}`, string(body))

	cmd := exec.Command(timd, "serve", "--listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data"),
		"--app", "5="+keyFile, "--log-format", "json")
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	var line struct{ Msg, URL string }
	for lines := bufio.NewScanner(stderr); line.Msg != "metrics"; {
		require.True(t, lines.Scan())
		require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
	}
	metrics, err := http.Get(line.URL)
	require.NoError(t, err)
	defer metrics.Body.Close()
	body, err = io.ReadAll(metrics.Body)
	require.NoError(t, err)
	require.Contains(t, string(body), "tim_sessions_online{platform=\"ios\"} 0\n")
	require.Contains(t, string(body), "tim_connections 0\n")
}
