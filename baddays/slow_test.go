//go:build linux

package baddays

import "time"

// A network that is slow. A login over TLS takes three ways there and back: TCP, TLS, and the handshake that has the login in it.
var daysOnSlowNetworks = []day{
	{"300 ms each way", "login over a satellite", func(s *stage) {
		s.slowLogin(weather{delay: 300 * time.Millisecond}, 3*600*time.Millisecond)
		s.heard(logsIn(""))
	}},
	{"1.2 s each way", "login at the edge of coverage", func(s *stage) {
		s.slowLogin(weather{delay: 1200 * time.Millisecond}, 3*2400*time.Millisecond)
		s.heard(logsIn(""))
	}},
	{"5 s each way, login", "a login that needs longer than login_timeout (15 s)", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.set(weather{delay: 5 * time.Second}); s.logIn() })
		s.failsThenWorksAstray("(?:ConnectTimeout|AckTimeout)", func() { s.set(weather{}) })
	}},
	{"5 s each way, online", "online; then everything takes 5 s", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{delay: 4900 * time.Millisecond}) })
		s.staysOnline(atFull(70*time.Second, 30*time.Second))
	}},
	{"20 % loss", "login over a link that loses one of five packets, then a while online", func(s *stage) {
		s.slowLogin(weather{loss: 1, delay: 30 * time.Millisecond}, loginTime)
		s.heard(logsIn("ConnectTimeout"))
		s.staysOnline(atFull(60*time.Second, 15*time.Second))
	}},
	{"300 bytes/s", "login through a straw", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.set(weather{rate: 300}); s.logIn() })
		s.failsThenWorksAstray("AckTimeout", func() { s.set(weather{}) })
	}},
	{"1 kB/s", "login through a wider straw", func(s *stage) {
		s.slowLogin(weather{rate: 1000}, loginTime)
		s.heard(logsIn(""))
	}},
	{"300 bytes/s, online", "online; then the straw", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{rate: 300}) })
		s.staysOnline(atFull(60*time.Second, 25*time.Second))
	}},
}
