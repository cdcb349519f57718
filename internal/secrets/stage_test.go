//go:build linux

package secrets

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/usersig"
)

const (
	app      = 1400000001
	patience = time.Minute
)

var programs string // the folder of timd, tim and the drivers

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "secrets")
	if err != nil {
		panic(err)
	}
	programs = dir
	for name, path := range map[string]string{"timd": "../../cmd/timd", "tim": "../../cmd/tim", "core": "../../conformance/drivers/core"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), path).CombinedOutput(); err != nil {
			panic(string(out))
		}
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// A stage is where a story is played: what is secret there, and all that was written.
type stage struct {
	*hoard
	t       *testing.T
	dir     string
	key     string
	keyFile string
	hook    *httptest.Server

	addresses int // that dialled so far

	mu      sync.Mutex
	written map[string]*bytes.Buffer
}

func newStage(t *testing.T) *stage {
	s := &stage{hoard: newHoard(), t: t, dir: t.TempDir(), written: map[string]*bytes.Buffer{}}
	s.key = s.secret("the app's key")
	s.keyFile = s.file("app.key", s.key)
	s.hook = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintln(s.log("webhook"), r.Method, r.URL, r.Header, string(body))
		fmt.Fprint(w, `{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}`)
	}))
	t.Cleanup(s.hook.Close)
	return s
}

// secret makes one up and remembers it.
func (s *stage) secret(name string) string {
	text := make([]byte, 24)
	_, _ = rand.Read(text)
	s.add(name, hex.EncodeToString(text))
	return hex.EncodeToString(text)
}

func (s *stage) file(name, text string) string {
	path := filepath.Join(s.dir, name)
	require.NoError(s.t, os.WriteFile(path, []byte(text+"\n"), 0o600))
	return path
}

// ticket signs one for user, which began ago and lasts until then.
func (s *stage) ticket(user string, ago, lasts time.Duration) string {
	s.t.Helper()
	ticket, err := usersig.Ticket{App: app, UserID: user, Issued: time.Now().Add(-ago), Expires: time.Now().Add(lasts)}.Sign(s.key)
	require.NoError(s.t, err)
	return s.addTicket(fmt.Sprintf("a ticket of %s (%s)", user, lasts), ticket)
}

// log returns where something of that name is written to. It may be written to from any goroutine.
func (s *stage) log(name string) io.Writer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written[name] == nil {
		s.written[name] = new(bytes.Buffer)
	}
	return writer(func(p []byte) (int, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.written[name].Write(p)
	})
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// said returns what was written under that name.
func (s *stage) said(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.written[name] == nil {
		return ""
	}
	return s.written[name].String()
}

func (s *stage) await(name, text string) {
	s.t.Helper()
	s.awaitTimes(name, text, 1)
}

func (s *stage) awaitTimes(name, text string, times int) {
	s.t.Helper()
	require.Eventually(s.t, func() bool { return strings.Count(s.said(name), text) >= times }, patience, 10*time.Millisecond,
		"%s says %q %d times; it says:\n%s", name, text, times, saying{s, name})
}

// saying is what is said when a failure is printed.
type saying struct {
	s    *stage
	name string
}

func (l saying) String() string { return l.s.said(l.name) }

// A program runs and is written down. Its input is the writer.
type program struct {
	io.WriteCloser
	cmd   *exec.Cmd
	ended chan error
}

func (s *stage) start(name string, env []string, command ...string) *program {
	s.t.Helper()
	p := &program{cmd: exec.Command(command[0], command[1:]...), ended: make(chan error, 1)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Dir = s.dir
	p.cmd.Stdout, p.cmd.Stderr = s.log(name), s.log(name)
	var err error
	p.WriteCloser, err = p.cmd.StdinPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, p.cmd.Start())
	go func() { p.ended <- p.cmd.Wait() }()
	s.t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	return p
}

// end sends a signal and waits.
func (s *stage) end(p *program, signal os.Signal) {
	s.t.Helper()
	_ = p.cmd.Process.Signal(signal)
	s.over(p)
}

func (s *stage) over(p *program) {
	s.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(patience):
		s.t.Fatalf("%s has not ended", p.cmd)
	}
}

// tim runs a command of the CLI to its end, however that is, and returns the name of what it wrote.
func (s *stage) tim(args ...string) string {
	s.t.Helper()
	name := "tim " + args[0]
	s.over(s.start(name, nil, append([]string{filepath.Join(programs, "tim")}, args...)...))
	return name
}

// A node is a running timd.
type node struct {
	*program
	endpoint, metrics, profiles string
}

// timd starts a server and waits until it serves. Its log goes to name.
func (s *stage) timd(name, listen, format string, env []string, more ...string) *node {
	s.t.Helper()
	before := len(s.said(name))
	n := &node{program: s.start(name, env, append([]string{
		filepath.Join(programs, "timd"), "serve", "--config", filepath.Join(s.dir, "timd.yaml"), "--listen", listen, "--log-level", "debug",
		"--log-format", format, "--metrics-listen", "127.0.0.1:0", "--pprof-listen", "127.0.0.1:0", "--drain-time", "0s",
	}, more...)...)}
	find := func(what, key string) (found string) {
		lines := bufio.NewScanner(strings.NewReader(s.said(name)[before:]))
		for lines.Scan() {
			var line map[string]any
			if json.Unmarshal(lines.Bytes(), &line) == nil && line["msg"] == what {
				found, _ = line[key].(string)
			} else if _, rest, ok := strings.Cut(lines.Text(), "msg="+what+" "); ok {
				_, rest, _ = strings.Cut(" "+rest, " "+key+"=")
				found, _, _ = strings.Cut(rest, " ")
			}
		}
		return found
	}
	require.Eventually(s.t, func() bool {
		n.endpoint, n.metrics, n.profiles = find("serving", "endpoint"), find("metrics", "url"), find("profiles", "url")
		return n.endpoint != "" && n.metrics != "" && n.profiles != ""
	}, patience, 10*time.Millisecond, "it serves: %s", saying{s, name})
	return n
}

func (n *node) http() string {
	return strings.Replace(strings.TrimSuffix(n.endpoint, "/tim"), "ws://", "http://", 1)
}

// get writes down what a URL answers.
func (s *stage) get(name string, request *http.Request) {
	s.t.Helper()
	answer, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer answer.Body.Close()
	fmt.Fprintln(s.log(name), answer.Status, answer.Header)
	_, err = io.Copy(s.log(name), answer.Body)
	require.NoError(s.t, err)
}

// files reads what a server leaves on disk for operators to read and to copy: all but its keys.
func (s *stage) files(dir string) {
	s.t.Helper()
	require.NoError(s.t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || entry.Name() == "resume.key" {
			return err
		}
		data, err := os.ReadFile(path)
		_, _ = s.log("file " + entry.Name()).Write(data)
		return err
	}))
}

// search fails for each secret that stands where somebody might read it.
func (s *stage) search() {
	s.t.Helper()
	s.mu.Lock()
	texts := map[string]string{}
	size := 0
	for name, text := range s.written {
		texts[name] = text.String()
		size += text.Len()
	}
	s.mu.Unlock()
	for name, text := range texts {
		for _, leak := range s.find(text) {
			s.t.Errorf("%s tells %s", name, leak)
		}
	}
	s.t.Logf("searched for %d secrets, as %d runs of %d characters, in %d kB that %d sources wrote", len(s.names), len(s.runs), run, size/1000, len(texts))
}
