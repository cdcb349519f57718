//go:build linux

package baddays

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A day is one row of docs/bad-days.md.
type day struct {
	name string
	what string // happens
	live func(s *stage)
}

// Every day, all at once, because they mostly wait. One of them: go test ./baddays -run 'TestDays/black_hole$'
func TestDays(t *testing.T) {
	table := make([]row, len(days))
	t.Run("", func(t *testing.T) {
		for i, d := range days {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				s := &stage{T: t}
				d.live(s)
				table[i] = s.row(d)
			})
		}
	})
	if *full && !t.Failed() {
		write(t, table)
	}
}

var days = []day{
	// ---- a network that is gone
	{"black hole", "online; for 90 s nothing comes through, and nobody is told", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{hole: true}) })
		s.knows(silence(), "^disconnected Disconnected")
		time.Sleep(time.Until(s.broke.Add(atFull(90*time.Second, 25*time.Second))))
		s.mends(func() { s.set(weather{}) })
		s.isBack(45*time.Second, "^connected resumed")
	}},
	{"black hole, woken", "the same, and the app calls wake after 3 s, and again when the network is back", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{hole: true}) })
		time.Sleep(3 * time.Second)
		s.phone.do("wake")
		s.knows(6*time.Second, "^disconnected Disconnected")
		time.Sleep(5 * time.Second)
		s.mends(func() { s.set(weather{}); s.phone.do("wake") })
		s.isBack(10*time.Second, "^connected resumed")
	}},
	{"black hole at login", "a login while nothing comes through", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.set(weather{hole: true}); s.logIn() })
		s.knows(16*time.Second, "^login alice ConnectTimeout")
		s.set(weather{})
		s.loginWorks()
	}},
	{"link down and up", "online; the radio is off for 20 s, the app does not say so", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(s.linkDown)
		time.Sleep(20 * time.Second)
		s.mends(s.linkUp)
		s.backOrNeverAway(silence())
	}},
	{"link down and up, woken", "the same; the app calls wake when it hears of it, as NetInfo or a path monitor lets it", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.linkDown(); s.phone.do("wake") })
		s.knows(5*time.Second, "^disconnected")
		time.Sleep(15 * time.Second)
		s.mends(func() { s.linkUp(); s.phone.do("wake") })
		s.isBack(10*time.Second, "^connected resumed")
	}},
	{"link down at login", "a login without a network; it comes after 5 s, and the app calls wake", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.linkDown(); s.logIn() })
		s.knows(5*time.Second, "^disconnected NetUnreachable")
		time.Sleep(5 * time.Second)
		s.mends(func() { s.linkUp(); s.phone.do("wake") })
		s.isBack(10*time.Second, "^login alice OK")
	}},
	{"another address", "online; the phone gets another address, the app does not say so", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(s.move)
		s.knows(silence(), "^disconnected Disconnected")
		s.isBack(60*time.Second, "^connected resumed")
	}},
	{"another address, woken", "the same, and the app calls wake", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.move(); s.phone.do("wake") })
		s.knows(5*time.Second, "^disconnected Disconnected")
		s.isBack(20*time.Second, "^connected resumed")
	}},

	// ---- a network that is slow
	{"300 ms each way", "login over a satellite", func(s *stage) { s.slowLogin(weather{delay: 300 * time.Millisecond}) }},
	{"1.2 s each way", "login at the edge of coverage", func(s *stage) { s.slowLogin(weather{delay: 1200 * time.Millisecond}) }},
	{"5 s each way, login", "a login that needs longer than login_timeout (15 s)", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.set(weather{delay: 5 * time.Second}); s.logIn() })
		s.knows(17*time.Second, "^login alice (ConnectTimeout|AckTimeout)")
		s.set(weather{})
		s.loginWorks()
	}},
	{"5 s each way, online", "online; then everything takes 5 s", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{delay: 4900 * time.Millisecond}) })
		s.staysOnline(atFull(70*time.Second, 30*time.Second))
	}},
	{"20 % loss", "login over a link that loses every fifth packet, then a while online", func(s *stage) {
		s.slowLogin(weather{loss: 0.2, delay: 30 * time.Millisecond})
		s.staysOnline(atFull(60*time.Second, 15*time.Second))
	}},
	{"300 bytes/s", "login through a straw", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.set(weather{rate: 300}); s.logIn() })
		s.knows(17*time.Second, "^login alice")
		s.set(weather{})
		s.loginWorks()
	}},
	{"1 kB/s", "login through a wider straw", func(s *stage) { s.slowLogin(weather{rate: 1000}) }},
	{"300 bytes/s, online", "online; then the straw", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{rate: 300}) })
		s.staysOnline(atFull(60*time.Second, 25*time.Second))
	}},

	// ---- names
	{"no such name", "a login while the name server does not know the host; it learns it after 3 s, and the app calls wake", func(s *stage) {
		names := s.withNames()
		names.empty.Store(true)
		s.breaks(s.logIn)
		s.knows(5*time.Second, "^disconnected HostNotFound")
		time.Sleep(3 * time.Second)
		s.mends(func() { names.empty.Store(false); s.phone.do("wake") })
		s.isBack(10*time.Second, "^login alice OK")
	}},
	{"a silent name server", "a login while the name server says nothing", func(s *stage) {
		names := s.withNames()
		names.silent.Store(true)
		s.breaks(s.logIn)
		s.knows(17*time.Second, "^login alice (ConnectTimeout|HostNotFound)")
		names.silent.Store(false)
		s.loginWorks()
	}},
	{"a slow name server", "a login while names take 3 s", func(s *stage) {
		names := s.withNames()
		names.delay.Store(int64(3 * time.Second))
		s.breaks(s.logIn)
		s.isBack(15*time.Second, "^login alice OK")
	}},
	{"names gone while online", "online; the connection is reset while the name server is silent, for 20 s", func(s *stage) {
		names := s.withNames()
		s.online()
		names.silent.Store(true)
		s.breaks(func() { s.server.kill(); s.server.start() })
		s.knows(5*time.Second, "^disconnected")
		time.Sleep(20 * time.Second)
		s.mends(func() { names.silent.Store(false) })
		s.isBack(60*time.Second, "^connected resumed")
	}},

	// ---- TLS
	{"certificate expired", "login to a server whose certificate ended yesterday; it is replaced after 3 s, and the app calls wake", func(s *stage) {
		s.badCertificate(func(c *certificate) { c.expiry = time.Now().Add(-24 * time.Hour) }, func(c *certificate) {
			c.expiry = time.Now().Add(24 * time.Hour)
		})
	}},
	{"certificate of another host", "login to a server with somebody else's certificate; it is replaced after 3 s, and the app calls wake", func(s *stage) {
		s.badCertificate(func(c *certificate) { c.names = []string{"other.test"} }, func(c *certificate) { c.names = []string{hostName} })
	}},
	{"certificate ends while online", "online; the certificate ends, then the server restarts with it; a new one comes after 10 s", func(s *stage) {
		names := s.withNames()
		_ = names
		s.online()
		s.breaks(func() {
			s.cert.expiry = time.Now().Add(-time.Hour)
			s.cert.issue()
			s.server.kill()
			s.server.start()
		})
		s.knows(10*time.Second, "^disconnected TLSFailed")
		time.Sleep(10 * time.Second)
		s.mends(func() { s.cert.expiry = time.Now().Add(24 * time.Hour); s.cert.issue() })
		s.isBack(60*time.Second, "^connected resumed")
	}},

	// ---- things in between
	{"captive portal", "a login in a hotel: every request is answered with a page (200), until somebody agrees after 4 s, and the app calls wake", func(s *stage) {
		portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html><title>Welcome</title>Please agree to our terms.</html>")
		}))
		s.Cleanup(portal.Close)
		hotel := s.withCutter()
		hotel.lead(strings.TrimPrefix(portal.URL, "http://"))
		s.breaks(s.logIn)
		s.knows(5*time.Second, "^disconnected CaptivePortal")
		time.Sleep(4 * time.Second)
		s.mends(func() { hotel.lead(s.server.address()); s.phone.do("wake") })
		s.isBack(10*time.Second, "^login alice OK")
	}},
	{"a proxy that buffers", "login through a proxy that holds data back until it has 4 KiB or 2 s have passed", func(s *stage) {
		s.withProxy()
		s.breaks(func() { s.toxic("hold", `"bytes": 4096, "millis": 2000`); s.logIn() })
		s.isBack(15*time.Second, "^login alice OK")
		s.staysOnline(atFull(60*time.Second, 15*time.Second))
	}},
	{"a proxy that slices", "login through a proxy that passes on 5 bytes at a time", func(s *stage) {
		s.withProxy()
		s.breaks(func() { s.toxic("slicer", `"average_size": 5, "size_variation": 2, "delay": 1000`); s.logIn() })
		s.isBack(15*time.Second, "^login alice OK")
	}},
	{"reset while online", "online; a box on the way forgets the connection and resets it", func(s *stage) {
		box := s.withCutter()
		s.online()
		s.breaks(box.cut)
		s.knows(5*time.Second, "^disconnected ResetByPeer")
		s.isBack(10*time.Second, "^connected resumed")
	}},

	// ---- servers
	{"server killed", "online; kill -9 of the server, which is started again after 5 s", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(s.server.kill)
		s.knows(5*time.Second, "^disconnected")
		time.Sleep(5 * time.Second)
		s.mends(s.server.start)
		s.isBack(20*time.Second, "^connected resumed")
	}},
	{"server hangs", "a login while the server is stopped (SIGSTOP): connections are made, nothing answers; it goes on after 20 s", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.server.signal(syscall.SIGSTOP); s.logIn() })
		s.knows(17*time.Second, "^login alice (ConnectTimeout|AckTimeout)")
		time.Sleep(time.Until(s.broke.Add(20 * time.Second)))
		s.server.signal(syscall.SIGCONT)
		s.loginWorks()
	}},
	{"no server", "a login where nobody listens", func(s *stage) {
		s.withLink()
		s.server.kill()
		s.breaks(s.logIn)
		s.knows(17*time.Second, "^login alice ConnectRefused")
		s.server.start()
		s.loginWorks()
	}},

	// ---- a phone that sleeps
	{"asleep", "online; the process is stopped (SIGSTOP) for 3 min, then goes on; the app says nothing", func(s *stage) {
		s.asleep(atFull(3*time.Minute, 30*time.Second), "")
	}},
	{"asleep, woken", "the same, and the app calls wake when it goes on", func(s *stage) {
		s.asleep(atFull(3*time.Minute, 30*time.Second), "wake")
	}},
	{"asleep, network gone", "asleep for 3 min, and nothing comes through any more, nor is anybody told; the app calls wake, the network comes back 10 s later", func(s *stage) {
		s.withLink()
		s.online()
		s.phone.sleep()
		s.set(weather{hole: true})
		time.Sleep(atFull(3*time.Minute, 30*time.Second))
		s.breaks(func() { s.phone.awake(); s.phone.do("wake") })
		s.knows(silence(), "^disconnected")
		time.Sleep(10 * time.Second)
		s.mends(func() { s.set(weather{}); s.phone.do("wake") })
		s.isBack(20*time.Second, "^connected resumed")
	}},
	{"asleep during a login", "stopped for 30 s in the middle of a login", func(s *stage) {
		s.withLink()
		s.set(weather{hole: true})
		s.logIn()
		time.Sleep(time.Second)
		s.phone.sleep()
		time.Sleep(30 * time.Second)
		s.set(weather{})
		s.breaks(s.phone.awake)
		s.knows(5*time.Second, "^login alice (ConnectTimeout|AckTimeout)")
		s.loginWorks()
	}},
}

// slowLogin is a login that succeeds all the same.
func (s *stage) slowLogin(w weather) {
	s.withLink()
	s.breaks(func() { s.set(w); s.logIn() })
	s.isBack(16*time.Second, "^login alice OK")
}

// loginWorks shows that a login that failed has left nothing behind.
func (s *stage) loginWorks() {
	s.mends(s.logIn)
	s.isBack(16*time.Second, "^login alice OK")
}

// backOrNeverAway is for what a connection may or may not live through.
func (s *stage) backOrNeverAway(patience time.Duration) {
	time.Sleep(patience)
	if lines := s.phone.since(s.broke); len(lines) > 0 {
		s.knows(0, "^disconnected")
		s.isBack(30*time.Second, "^connected resumed")
		return
	}
	s.isOnline()
}

// withNames is withLink, by name.
func (s *stage) withNames() *nameServer {
	s.room = newRoom(s.T)
	names := newNameServer(s.listenUDP(53))
	s.cert = newCertificate(s.T)
	s.server = newServer(s.T, s.room.server, serverIP+":7700", s.cert)
	s.url = "wss://" + hostName + ":7700"
	s.pickUp(s.room.phone, s.cert.caFile)
	return names
}

func (s *stage) badCertificate(spoil, repair func(*certificate)) {
	s.withNames()
	spoil(s.cert)
	s.cert.issue()
	time.Sleep(2 * time.Second) // the server looks at its files every second
	s.breaks(s.logIn)
	s.knows(5*time.Second, "^disconnected TLSFailed")
	time.Sleep(3 * time.Second)
	repair(s.cert)
	s.cert.issue()
	time.Sleep(2 * time.Second)
	s.mends(func() { s.phone.do("wake") })
	s.isBack(8*time.Second, "^login alice OK")
}

func (s *stage) asleep(long time.Duration, wake string) {
	s.withLink()
	s.online()
	s.phone.sleep()
	time.Sleep(long)
	s.breaks(func() {
		s.phone.awake()
		if wake != "" {
			s.phone.do(wake)
		}
	})
	s.knows(silence(), "^disconnected")
	s.isBack(60*time.Second, "^connected resumed")
}
