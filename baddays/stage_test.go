//go:build linux

package baddays

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

var (
	full   = flag.Bool("full", false, "wait as long as real days take, and write docs/bad-days.md")
	timd   string // the programs under test
	driver string
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "32") // days mostly wait
	dir, err := os.MkdirTemp("", "baddays")
	if err == nil {
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "baddays:", err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// build makes timd, and the client as a user of the library would: the driver that tells the stories of conformance.
func build(dir string) error {
	timd, driver = filepath.Join(dir, "timd"), filepath.Join(dir, "driver")
	lib, err := filepath.Abs("../build/lib")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(lib, "libtim.so")); err != nil {
		return fmt.Errorf("build/lib has no libtim: run ./build.sh lib first: %w", err)
	}
	for _, command := range [][]string{
		{"go", "build", "-o", timd, "../cmd/timd"},
		{"cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I../include", "../conformance/drivers/c/driver.c", "-o", driver,
			"-L" + lib, "-ltim", "-Wl,-rpath," + lib, "-pthread"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return nil
}

// pings is the interval of the server's. 11 s is the least that it takes.
func pings() time.Duration { return atFull(25*time.Second, 11*time.Second) }

// silence is how long it takes at most until a client misses the server.
func silence() time.Duration { return pings() + 10*time.Second + 2*time.Second }

func atFull[T any](yes, no T) T {
	if *full {
		return yes
	}
	return no
}

// A stage is what a day happens on.
type stage struct {
	*testing.T
	*room  // of days that have a link
	cert   *certificate
	server *server
	proxy  *toxiproxy.Proxy // of days over loopback
	phone  *phone
	url    string

	broke, mended time.Time
	knew, back    time.Duration
}

// withLink puts a phone and a timd with TLS at the two ends of a link.
func (s *stage) withLink() {
	s.room = newRoom(s.T)
	s.cert = newCertificate(s.T)
	s.server = newServer(s.T, s.room.server, serverIP+":7700", s.cert)
	s.url = "wss://" + serverIP + ":7700"
	s.pickUp(s.room.phone, s.cert.caFile)
}

var faults = toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())

// withProxy puts a proxy between a phone and a timd, without TLS, so that the proxy may read and change what passes.
func (s *stage) withProxy() {
	s.server = newServer(s.T, "", "127.0.0.1:0", nil)
	s.proxy = toxiproxy.NewProxy(faults, s.Name(), "127.0.0.1:0", s.server.address())
	require.NoError(s, s.proxy.Start())
	s.Cleanup(s.proxy.Stop)
	s.url = "ws://" + s.proxy.Listen
	s.pickUp("", "")
}

// withCutter is the same with another kind of box between them.
func (s *stage) withCutter() *cutter {
	s.server = newServer(s.T, "", "127.0.0.1:0", nil)
	box := newCutter(s.T, s.server.address())
	s.url = "ws://" + box.Addr().String()
	s.pickUp("", "")
	return box
}

func (s *stage) pickUp(namespace, ca string) {
	s.phone = newPhone(s.T, namespace, ca)
	s.phone.do("open", "url="+s.url, fmt.Sprintf("app=%d", app), "platform=android", "instance=phone")
	s.phone.hears(time.Time{}, 10*time.Second, "^open OK")
}

// toxic makes the proxy bad both ways.
func (s *stage) toxic(kind, attributes string) {
	for _, stream := range []string{"upstream", "downstream"} {
		text := fmt.Sprintf(`{"name": "%s %s", "type": %q, "stream": %q, "attributes": {%s}}`, kind, stream, kind, stream, attributes)
		_, err := s.proxy.Toxics.AddToxicJson(strings.NewReader(text))
		require.NoError(s, err)
	}
}

func (s *stage) logIn() { s.phone.do("login", "alice", ticketOf(s.T, "alice")) }

// online is where most days begin.
func (s *stage) online() {
	s.logIn()
	s.phone.hears(time.Time{}, 16*time.Second, "^login alice OK")
}

// breaks and mends are what the day is about; knows and isBack, what the phone makes of it.
func (s *stage) breaks(how func()) {
	s.broke = time.Now()
	how()
}

func (s *stage) mends(how func()) {
	s.mended = time.Now()
	how()
}

// knows waits until the app is told that something is wrong.
func (s *stage) knows(patience time.Duration, pattern string) {
	s.Helper()
	s.knew = s.phone.hears(s.broke, patience, pattern).at.Sub(s.broke)
}

// isBack waits until the app is told that all is well again, and asks whether that is true.
func (s *stage) isBack(patience time.Duration, pattern string) {
	s.Helper()
	from := s.mended
	if from.IsZero() {
		from = s.broke
	}
	s.back = s.phone.hears(from, patience, pattern).at.Sub(from)
	s.isOnline()
}

func (s *stage) isOnline() {
	s.Helper()
	asked := time.Now()
	s.phone.do("status")
	require.Contains(s, s.phone.hears(asked, 10*time.Second, "^status").line, "logged_in ready=true user=alice")
}

// staysOnline requires that for so long the app is told nothing.
func (s *stage) staysOnline(long time.Duration) {
	s.Helper()
	from := time.Now()
	time.Sleep(long)
	require.Empty(s, s.phone.since(from))
	s.isOnline()
}
