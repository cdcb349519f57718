//go:build linux

package baddays

import "time"

// A network that is gone.
var daysWithoutNetwork = []day{
	{"black hole", "online; for 90 s nothing comes through, and nobody is told", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{hole: true}) })
		s.knows(silence(), "^disconnected Disconnected")
		time.Sleep(time.Until(s.broke.Add(atFull(90*time.Second, 25*time.Second))))
		s.mends(func() { s.set(weather{}) })
		s.isBack(longestWait+tryTime, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries("ConnectTimeout") + comesBack)
	}},
	{"black hole, woken", "the same, and the app calls wake after 3 s, and again when the network is back", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{hole: true}) })
		time.Sleep(3 * time.Second)
		s.phone.do("wake")
		s.knows(3*time.Second+probeTime, "^disconnected Disconnected")
		time.Sleep(5 * time.Second)
		s.mends(func() { s.set(weather{}); s.phone.do("wake") })
		s.isBack(atOnce, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries("ConnectTimeout") + comesBack)
	}},
	{"black hole at login", "a login while nothing comes through", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.set(weather{hole: true}); s.logIn() })
		s.failsThenWorks("ConnectTimeout", func() { s.set(weather{}) })
	}},
	{"black hole at logout", "online; nothing comes through any more, and the app logs out", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{hole: true}); s.phone.do("logout") })
		s.knows(atOnce, "^logged_out")
		s.phone.hears(s.broke, patience, "^logout OK") // in the time that a logout has
		s.set(weather{})
		s.mends(s.logIn)
		s.isBack(loginTime, "^login alice OK")
		s.heard("logged_out, ready false, disconnected OK, logout OK, " + logsIn(""))
	}},
	{"black hole at renewal", "online; nothing comes through any more, and the app renews its ticket", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.set(weather{hole: true}); s.phone.do("renew", ticketOf(s.T, "alice", 2*time.Hour)) })
		s.knows(max(loginTime, silence()), "^renew (AckTimeout|Disconnected)")
		s.mends(func() { s.set(weather{}); s.phone.do("wake") })
		s.phone.do("renew", ticketOf(s.T, "alice", 3*time.Hour))
		s.back = s.phone.hears(s.mended, patience, "^renew OK").at.Sub(s.mended)
		s.inTime(s.mended, s.back, silence()+window) // what was on its way may arrive, and the server hang up only then
		s.isOnline()
		s.heard("(?:disconnected Disconnected, )?" + tries("ConnectTimeout") + "(?:connecting, )?renew (?:AckTimeout|Disconnected), " +
			"(?:disconnected (?:Disconnected|ConnectTimeout), )?" + tries("ConnectTimeout") + "(?:connecting, )?(?:connected resumed, )?renew OK")
	}},
	{"link down and up", "online; the radio is off for 20 s, the app does not say so", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(s.linkDown)
		time.Sleep(20 * time.Second)
		s.mends(s.linkUp)
		s.backOrNeverAway("NetUnreachable")
	}},
	{"link down and up, woken", "the same; the app calls wake when it hears of it, as NetInfo or a path monitor lets it", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.linkDown(); s.phone.do("wake") })
		s.knows(probeTime, "^disconnected")
		time.Sleep(15 * time.Second)
		s.mends(func() { s.linkUp(); s.phone.do("wake") })
		s.isBack(atOnce, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries("NetUnreachable") + comesBack)
	}},
	{"link down at login", "a login without a network; it comes after 5 s, and the app calls wake", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.linkDown(); s.logIn() })
		s.knows(atOnce, "^disconnected NetUnreachable")
		time.Sleep(5 * time.Second)
		s.mends(func() { s.linkUp(); s.phone.do("wake") })
		s.isBack(atOnce, "^login alice OK")
		s.heard(logsIn("NetUnreachable"))
	}},
	{"another address", "online; the phone gets another address, the app does not say so", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(s.move)
		s.knows(silence(), "^disconnected Disconnected")
		s.isBack(silence()+window, "^connected resumed")
		s.heard("disconnected Disconnected, " + comesBack)
	}},
	{"another address, woken", "the same, and the app calls wake", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.move(); s.phone.do("wake") })
		s.knows(probeTime, "^disconnected Disconnected")
		s.isBack(probeTime, "^connected resumed")
		s.heard("disconnected Disconnected, " + comesBack)
	}},
}
