//go:build unix

// Package pgtest runs a PostgreSQL of its own for tests: a new cluster in a temporary directory, on a Unix socket and a free
// loopback port, by an unprivileged user. It dies with the test.
package pgtest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Options of a Server. The zero value is quick: what it says is durable would not survive a power cut, though it does survive
// the death of every process.
type Options struct {
	// Durable leaves fsync on, as a server that is used for real has it.
	Durable bool
	// Settings are given to the server beside ours, such as "max_connections": "20".
	Settings map[string]string
}

// A Server is a PostgreSQL that runs, or ran. Its methods are for one goroutine, URL is for any.
type Server struct {
	dir     string // which has data, the cluster, and sock, the Unix socket
	port    int
	o       Options
	process *exec.Cmd
	gone    chan struct{}
	said    *os.File // its log, for people
}

// Start makes a cluster and runs it until the test ends. The test fails if PostgreSQL is not installed.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// New is Start for a TestMain, which has no test. The caller closes the server.
func New(o Options) (*Server, error) {
	s := &Server{o: o}
	err := s.make()
	if err == nil {
		err = s.Run()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start a PostgreSQL for tests: %w", err), s.Close())
	}
	return s, nil
}

func (s *Server) make() error {
	if err := s.prepare(); err != nil {
		return err
	}
	return s.run("initdb", "-D", s.data(), "-U", "tim", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions")
}

// prepare makes the directory and takes a port.
func (s *Server) prepare() (err error) {
	if s.dir, err = os.MkdirTemp("", "pgtest-"); err != nil {
		return err
	}
	if s.said, err = os.Create(filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	if err := give(s.dir); err != nil {
		return err
	}
	s.port, err = freePort()
	return err
}

// run waits for a command to end.
func (s *Server) run(name string, args ...string) error {
	c, err := s.command(name, args...)
	if err != nil {
		return err
	}
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// Dir is where the Unix socket is.
func (s *Server) Dir() string { return s.dir }

// Port is the port on 127.0.0.1, and in the name of the Unix socket.
func (s *Server) Port() int { return s.port }

// URL is that of the database "postgres", over the Unix socket, as the superuser "tim"; settings such as "search_path" are
// added to its query, in pairs.
func (s *Server) URL(settings ...string) string {
	query := url.Values{"host": {s.dir}, "port": {strconv.Itoa(s.port)}}
	return address("", settings, query)
}

// TCP is URL over the loopback port.
func (s *Server) TCP(settings ...string) string {
	return address(net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)), settings, url.Values{"sslmode": {"disable"}})
}

func address(host string, settings []string, query url.Values) string {
	for i := 0; i < len(settings); i += 2 {
		query.Set(settings[i], settings[i+1])
	}
	return (&url.URL{Scheme: "postgres", User: url.User("tim"), Host: host, Path: "/postgres", RawQuery: query.Encode()}).String()
}

// Run starts the server after Kill or Stop, with what it kept, and returns when it takes connections.
func (s *Server) Run() error {
	args := []string{"-D", s.data(), "-k", s.dir, "-h", "127.0.0.1", "-p", strconv.Itoa(s.port)}
	settings := map[string]string{"fsync": "off", "max_connections": "200", "logging_collector": "off", "shared_buffers": "64MB"}
	if s.o.Durable {
		settings["fsync"] = "on"
	}
	for name, value := range s.o.Settings {
		settings[name] = value
	}
	for name, value := range settings {
		args = append(args, "-c", name+"="+value)
	}
	var err error
	if s.process, err = s.command("postgres", args...); err != nil {
		return err
	}
	s.process.Stdout, s.process.Stderr = s.said, s.said
	if err := s.process.Start(); err != nil {
		s.process = nil
		return err
	}
	s.gone = make(chan struct{})
	go func() {
		defer close(s.gone)
		_ = s.process.Wait() // its death is seen, its reason is in the log
	}()
	return s.ready()
}

// ready waits until the postmaster says, in its pid file, that it is.
func (s *Server) ready() error {
	end := time.After(time.Minute)
	for {
		status, err := os.ReadFile(filepath.Join(s.data(), "postmaster.pid"))
		lines := strings.Split(string(status), "\n")
		if err == nil && len(lines) > 7 && lines[0] == strconv.Itoa(s.process.Process.Pid) && slices.Contains([]string{"ready", "standby"}, strings.TrimSpace(lines[7])) {
			return nil
		}
		select {
		case <-s.gone:
			return fmt.Errorf("postgres ended: %s", s.Log())
		case <-end:
			return fmt.Errorf("postgres is not ready after a minute: %s", s.Log())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Log is what the server wrote to its log.
func (s *Server) Log() string {
	text, err := os.ReadFile(s.said.Name())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Kill ends the server at once with SIGKILL, its postmaster first. It returns when all its processes are gone.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Stop ends connections and shuts the server down in good order.
func (s *Server) Stop() error { return s.end(syscall.SIGINT) }

// Freeze stops every process of the server where it is, or with false lets them go on.
func (s *Server) Freeze(frozen bool) error {
	signal := syscall.SIGCONT
	if frozen {
		signal = syscall.SIGSTOP
	}
	for _, pid := range append(children(s.process.Process.Pid), s.process.Process.Pid) {
		if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return err
		}
	}
	return nil
}

func (s *Server) end(signal syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	all := children(s.process.Process.Pid)
	if err := s.process.Process.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	if signal == syscall.SIGKILL {
		for _, pid := range all { // they would notice by themselves, a little later
			_ = syscall.Kill(pid, signal)
		}
	}
	<-s.gone
	s.process = nil
	for _, pid := range all {
		for syscall.Kill(pid, 0) == nil {
			time.Sleep(time.Millisecond) // they belong to init now, which cannot be waited for
		}
	}
	return nil
}

// Close ends the server, if it runs, and removes what it kept.
func (s *Server) Close() error {
	err := s.end(syscall.SIGQUIT)
	if s.said != nil {
		err = errors.Join(err, s.said.Close())
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}

// command returns a command of PostgreSQL that runs as an unprivileged user, in the server's directory.
func (s *Server) command(name string, args ...string) (*exec.Cmd, error) {
	path, err := find(name)
	if err != nil {
		return nil, err
	}
	c := exec.Command(path, args...)
	c.Dir = s.dir
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	return c, unprivileged(c)
}

// find returns the newest of a command that is installed. Debian keeps them out of PATH.
func find(name string) (string, error) {
	newest := 0
	var found string
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err != nil {
		return "", err
	}
	for _, path := range all {
		if version, err := strconv.Atoi(strings.Split(path, "/")[4]); err == nil && version > newest {
			newest, found = version, path
		}
	}
	if found == "" {
		found, err = exec.LookPath(name)
	}
	if err != nil {
		return "", fmt.Errorf("%s is neither in /usr/lib/postgresql/*/bin nor in PATH: install PostgreSQL (apt-get install postgresql, or ./build.sh setup)", name)
	}
	return found, nil
}

// freePort returns a port that nobody listens on now. The kernel gives it to nobody who asks for any, and no other test asks for it: it is
// free, too, while a server restarts.
func freePort() (int, error) {
	const first, all = 17_000, 3_000
	for range all {
		port := first + int(lastPort.Add(1)%all)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no port is free from %d to %d", first, first+all-1)
}

var lastPort atomic.Uint32

func init() { lastPort.Store(rand.Uint32()) } // another run beside this one begins elsewhere
