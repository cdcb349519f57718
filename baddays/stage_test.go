//go:build linux

package baddays

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// What the design allows; days are held to it. It is the same on every machine: see pulse_test.go for what a machine may add.
const (
	atOnce      = 0
	probeTime   = 2 * time.Second  // what a wake waits for a sign of life
	tryTime     = 10 * time.Second // of a connection, and of the server's answer
	loginTime   = 15 * time.Second
	logoutTime  = 5 * time.Second
	drainTime   = 5 * time.Second        // over which a server that stops sends its clients away
	loginWait   = 500 * time.Millisecond // before the second try of a login
	window      = 2 * time.Second        // in which timd wants a few clients back
	longestWait = 20 * time.Second       // between two tries
	patience    = time.Minute            // of this test, beyond all that
	tooFar      = 500 * time.Millisecond // behind: nothing that was measured then means anything
)

// pings is the interval of the server's. 11 s is the least that it takes.
func pings() time.Duration { return atFull(25*time.Second, 11*time.Second) }

// silence is how long it takes at most until a client misses the server.
func silence() time.Duration { return pings() + 10*time.Second }

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

	began, broke, mended time.Time
	knew, back           time.Duration
}

// withLink puts a phone and a timd with TLS at the two ends of a link.
func (s *stage) withLink() {
	s.room = newRoom(s.T)
	s.cert = newCertificate(s.T)
	s.server = newServer(s.T, s.far, serverIP+":7700", s.cert)
	s.url = "wss://" + serverIP + ":7700"
	s.pickUp(s.near, s.cert.caFile)
}

// withNames is withLink, by name.
func (s *stage) withNames() *nameServer {
	s.room = newRoom(s.T)
	names := newNameServer(s.listenUDP(53))
	s.cert = newCertificate(s.T)
	s.server = newServer(s.T, s.far, serverIP+":7700", s.cert)
	s.url = "wss://" + hostName + ":7700"
	s.pickUp(s.near, s.cert.caFile)
	return names
}

var faults = toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())

// withProxy puts a proxy between a phone and a timd, without TLS, so that the proxy may read and change what passes.
func (s *stage) withProxy() {
	s.server = newServer(s.T, here, "127.0.0.1:0", nil)
	s.proxy = toxiproxy.NewProxy(faults, s.Name(), "127.0.0.1:0", s.server.address())
	require.NoError(s, s.proxy.Start())
	s.Cleanup(s.proxy.Stop)
	s.url = "ws://" + s.proxy.Listen
	s.pickUp(here, "")
}

// withCutter is the same with another kind of box between them.
func (s *stage) withCutter() *cutter {
	s.server = newServer(s.T, here, "127.0.0.1:0", nil)
	box := newCutter(s.T, s.server.address())
	s.url = "ws://" + box.Addr().String()
	s.pickUp(here, "")
	return box
}

func (s *stage) pickUp(at *place, ca string) {
	s.phone = newPhone(s.T, at, ca)
	s.phone.fails = s.fails
	s.phone.open(s.url, "instance=phone")
}

// toxic makes the proxy bad both ways.
func (s *stage) toxic(kind, attributes string) {
	for _, stream := range []string{"upstream", "downstream"} {
		text := fmt.Sprintf(`{"name": "%s %s", "type": %q, "stream": %q, "attributes": {%s}}`, kind, stream, kind, stream, attributes)
		_, err := s.proxy.Toxics.AddToxicJson(strings.NewReader(text))
		require.NoError(s, err)
	}
}

func (s *stage) logIn() { s.phone.do("login", "alice", ticketOf(s.T, "alice", time.Hour)) }

// online is where most days begin.
func (s *stage) online() {
	s.logIn()
	s.phone.hears(time.Time{}, patience, "^login alice OK")
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

// knows waits until the app is told that something is wrong, at most so long after it broke.
func (s *stage) knows(most time.Duration, pattern string) {
	s.Helper()
	s.knew = s.phone.hears(s.broke, most+patience, pattern).at.Sub(s.broke)
	s.inTime(s.broke, s.knew, most)
}

// isBack waits until the app is told that all is well again, at most so long after it was, and asks whether that is true.
func (s *stage) isBack(most time.Duration, pattern string) {
	s.Helper()
	from := s.mended
	if from.IsZero() {
		from = s.broke
	}
	s.back = s.phone.hears(from, most+patience, pattern).at.Sub(from)
	s.inTime(from, s.back, most)
	s.isOnline()
}

func (s *stage) inTime(from time.Time, took, most time.Duration) {
	s.Helper()
	if grace := machine.grace(from); took > most+grace {
		s.fails("it took %s; the design allows %s, and the machine added no more than %s: %s", took, most, grace, story(s.phone.since(s.broke), s.broke))
	}
}

// fails ends a day that was not as it should be, unless the machine was so far behind that the day says nothing.
func (s *stage) fails(format string, values ...any) {
	s.Helper()
	what := fmt.Sprintf(format, values...)
	if behind := machine.behind(s.began); behind > tooFar {
		s.Skipf("nobody knows what this means, the machine was %s behind: %s", behind, what)
	}
	s.Fatal(what)
}

func (s *stage) isOnline() {
	s.Helper()
	asked := time.Now()
	s.phone.do("status")
	if status := s.phone.hears(asked, patience, "^status").line; !strings.Contains(status, "logged_in ready=true user=alice") {
		s.fails("the app says %q", status)
	}
	s.phone.proves()
}

// staysOnline requires that for so long the app is told nothing.
func (s *stage) staysOnline(long time.Duration) {
	s.Helper()
	from := time.Now()
	time.Sleep(long)
	if lines := s.phone.since(from); len(lines) > 0 {
		s.fails("the app was told: %s", sequence(lines))
	}
	s.isOnline()
}

// heard requires that this is all that the app was told since it broke, in this order. It is a regular expression over
// lines with commas between them; see the words below.
func (s *stage) heard(story string) {
	s.Helper()
	if told := sequence(s.phone.since(s.broke)); !matches(story, told) {
		s.fails("the app was told:\n  %s\nand should have been told:\n  %s", told, story)
	}
}

func matches(story, told string) bool {
	return regexp.MustCompile("^(?:" + story + ")$").MatchString(told)
}

// sequence is what was told, without times.
func sequence(lines []told) string {
	var all []string
	for _, l := range lines {
		if line := essence(l.line); line != "" {
			all = append(all, line)
		}
	}
	return strings.Join(all, ", ")
}

// essence is a line without what differs from one run to the next; "" if the test asked for it.
func essence(line string) string {
	if strings.HasPrefix(line, "status ") {
		return ""
	}
	line, _, _ = strings.Cut(line, " session=")
	line, _, _ = strings.Cut(line, " at=")
	return line
}

// Words that days are told in.
const (
	comesBack = "connecting, connected resumed"
	loginOK   = "connecting, connected first, logged_in, ready true, login alice OK"
)

// tries is any number of tries that end so.
func tries(code string) string { return "(?:connecting, disconnected " + code + ", )*" }

// logsIn is a login that succeeds, after any number of tries that end so; none, if there is no code.
func logsIn(code string) string {
	if code == "" {
		return "logging_in, " + loginOK
	}
	return "logging_in, " + tries(code) + loginOK
}

// doesNotLogIn is a login that fails, while it tries or while it waits for the next try.
func doesNotLogIn(code string) string {
	return "logging_in, " + tries(code) + "(?:connecting, logged_out, disconnected " + code + "|logged_out), login alice " + code
}
