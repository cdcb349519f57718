//go:build linux

package baddays

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A conversation is cut at each of its bytes: over one connection after the other, each of which is reset after another
// number of bytes, somewhere in a handshake, in a frame, or between them. Whatever the number is, it ends well.
type conversation struct {
	name, what   string
	secure, late bool // over TLS; the login comes after the handshake
	live         func(c *cutting, n int)
}

var conversations = []conversation{
	{"a login", "the login travels in the handshake", false, false, (*cutting).login},
	{"a login after the handshake", "the server takes no login out of a handshake", false, true, (*cutting).login},
	{"a login over TLS", "the TLS handshake is cut, too", true, false, (*cutting).login},
	{"a resume", "online; the connection is reset, and so is the next one, in the resume; the app calls wake each time", false, false, (*cutting).resume},
	{"a renewal", "online; the app renews its ticket", false, false, (*cutting).renew},
	{"a kick", "online; the user signs in on another phone, and the news of that is cut", false, false, (*cutting).kick},
	{"a logout", "online; the app logs out", false, false, (*cutting).logout},
}

// A cutting is a phone behind a cutter.
type cutting struct {
	*testing.T
	box          *cutter
	phone, other *phone
	url, direct  string
	user         string
	began        time.Time
}

var resets = make([]string, len(conversations)) // for the page

func TestAConversationThatIsCutAtAnyByteEndsWell(t *testing.T) {
	for i, c := range conversations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			resets[i] = cut(t, c)
			t.Log(resets[i])
		})
	}
}

// cut cuts a conversation at every byte, in a quick run at some, and returns a row of the page.
func cut(t *testing.T, c conversation) string {
	var cert *certificate
	scheme, ca := "ws://", ""
	if c.secure {
		cert = newCertificate(t)
		scheme, ca = "wss://", cert.caFile
	}
	server := newServer(t, here, "127.0.0.1:0", cert)
	start := func() *cutting {
		k := &cutting{T: t, box: newCutter(t, server.address()), phone: newPhone(t, here, ca), other: newPhone(t, here, ca)}
		k.box.late = c.late
		k.url, k.direct = scheme+k.box.Addr().String(), scheme+server.address()
		return k
	}
	uncut := start()
	uncut.run(c, noLimit)
	bytes := uncut.box.passed()
	step := atFull(1, max(bytes/25, 1))

	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	numbers := make(chan int)
	for range atFull(6, 2) {
		k := start()
		all.Go(func() {
			for n := range numbers {
				one := k.run(c, n)
				mu.Lock()
				took = append(took, one)
				mu.Unlock()
			}
		})
	}
	for n := 0; n <= bytes && !t.Failed(); n += step {
		numbers <- n
	}
	close(numbers)
	all.Wait()
	require.False(t, t.Failed())
	slices.Sort(took)
	return fmt.Sprintf("| %s | %s | %d | %d | %s | %s |\n", c.name, c.what, bytes, len(took), seconds(took[len(took)/2]), seconds(took[len(took)-1]))
}

// run lives the conversation over a connection that is cut after n bytes, with a user and a client of its own.
func (k *cutting) run(c conversation, n int) time.Duration {
	k.user = fmt.Sprintf("cut%d", n+1)
	k.phone.open(k.url, "instance=phone")
	k.began = time.Now()
	c.live(k, n)
	took := time.Since(k.began)
	k.close(k.phone)
	return took
}

func (k *cutting) close(p *phone) {
	asked := time.Now()
	p.do("close")
	k.await(p, asked, "close done")
}

// await waits until the app is told line. It runs in a goroutine of its own: it must not end the test.
func (k *cutting) await(p *phone, since time.Time, line string) bool {
	return k.awaitAnd(p, since, line, func() {})
}

// awaitAnd does something each time the connection is lost before that.
func (k *cutting) awaitAnd(p *phone, since time.Time, line string, lost func()) bool {
	late := time.After(patience)
	for next := 0; ; {
		lines := p.since(since)
		for ; next < len(lines); next++ {
			switch what := essence(lines[next].line); {
			case what == line:
				return true
			case what == "disconnected ResetByPeer", what == "disconnected ConnectReset", what == "disconnected Disconnected":
				lost()
			}
		}
		select {
		case <-p.more:
		case <-late:
			k.Errorf("%s: the app was not told %q within %s, but: %s", k.user, line, patience, sequence(lines))
			return false
		}
	}
}

func (k *cutting) online() {
	k.phone.do("login", k.user, ticketOf(k.T, k.user, time.Hour))
	k.await(k.phone, k.began, "login "+k.user+" OK")
}

// heard requires that this is what the app was told since.
func (k *cutting) heard(since time.Time, n int, story string) {
	if told := sequence(k.phone.since(since)); !matches(story, told) {
		k.Errorf("cut after %d bytes, the app was told:\n  %s\nand should have been told:\n  %s", n, told, story)
	}
}

const (
	reset     = "(?:ResetByPeer|ConnectReset|Disconnected)"
	lostAgain = "(?:disconnected " + reset + ", connecting, )?"
	lostLater = "(?:, disconnected " + reset + "(?:, connecting(?:, connected resumed)?)?)?" // after the last byte of the answer
)

func (k *cutting) login(n int) {
	k.box.cutNext(n)
	k.online()
	k.heard(k.began, n, "logging_in, "+tries(reset)+"connecting, connected first, logged_in, ready true, login "+k.user+" OK"+lostLater)
}

func (k *cutting) resume(n int) {
	k.online()
	k.began = time.Now()
	k.box.cutNext(n)
	k.box.newest().reset()
	k.awaitAnd(k.phone, k.began, "connected resumed", func() { k.phone.do("wake") })
	k.heard(k.began, n, "disconnected "+reset+", connecting, "+lostAgain+"connected resumed"+lostLater)
}

func (k *cutting) renew(n int) {
	k.online()
	k.began = time.Now()
	k.box.cutAfter(n)
	k.phone.do("renew", ticketOf(k.T, k.user, 2*time.Hour))
	k.awaitAnd(k.phone, k.began, "renew OK", func() { k.phone.do("wake") })
	k.heard(k.began, n, "(?:disconnected "+reset+", connecting, connected resumed, )?renew OK"+lostLater)
}

func (k *cutting) kick(n int) {
	k.online()
	k.began = time.Now()
	k.box.cutAfter(n)
	k.other.open(k.direct, "instance=other", "label=the other one")
	k.other.do("login", k.user, ticketOf(k.T, k.user, time.Hour))
	k.await(k.other, k.began, "login "+k.user+" OK")
	k.awaitAnd(k.phone, k.began, "logged_out", func() { k.phone.do("wake") })
	k.await(k.phone, k.began, "disconnected OK")
	k.heard(k.began, n, "(?:disconnected "+reset+", connecting, )?"+
		"kicked_offline KickedOffline reason=multiple_account by=android, logged_out, ready false, disconnected OK")
	k.close(k.other)
}

func (k *cutting) logout(n int) {
	k.online()
	k.began = time.Now()
	k.box.cutAfter(n)
	k.phone.do("logout")
	k.await(k.phone, k.began, "logout OK")
	k.heard(k.began, n, "logged_out, ready false, disconnected OK, logout OK")
}
