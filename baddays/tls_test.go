//go:build linux

package baddays

import "time"

var daysOfTLS = []day{
	{"certificate expired", "login to a server whose certificate ended yesterday; it is replaced after 3 s, and the app calls wake", func(s *stage) {
		s.badCertificate(func(c *certificate) { c.expiry = time.Now().Add(-24 * time.Hour) }, func(c *certificate) {
			c.expiry = time.Now().Add(24 * time.Hour)
		})
	}},
	{"certificate of another host", "login to a server with somebody else's certificate; it is replaced after 3 s, and the app calls wake", func(s *stage) {
		s.badCertificate(func(c *certificate) { c.names = []string{"other.test"} }, func(c *certificate) { c.names = []string{hostName} })
	}},
	{"certificate ends while online", "online; the certificate ends, then the server restarts with it; a new one comes after 10 s", func(s *stage) {
		s.withNames()
		s.online()
		s.cert.expiry = time.Now().Add(-time.Hour)
		s.cert.issue()
		s.breaks(s.server.restart)
		s.knows(window, "^disconnected TLSFailed")
		time.Sleep(10 * time.Second)
		s.mends(func() { s.cert.expiry = time.Now().Add(24 * time.Hour); s.cert.issue() })
		s.isBack(longestWait+tryTime, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries("(?:ConnectRefused|TLSFailed)") + comesBack)
	}},
}

func (s *stage) badCertificate(spoil, repair func(*certificate)) {
	s.withNames()
	spoil(s.cert)
	s.cert.issue()
	s.cert.shown(s.far, serverIP+":7700")
	s.breaks(s.logIn)
	s.knows(atOnce, "^disconnected TLSFailed")
	time.Sleep(3 * time.Second)
	repair(s.cert)
	s.cert.issue()
	s.cert.shown(s.far, serverIP+":7700")
	s.mends(func() { s.phone.do("wake") })
	s.isBack(atOnce, "^login alice OK")
	s.heard(logsIn("TLSFailed"))
}
