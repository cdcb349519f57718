//go:build linux

package baddays

import "time"

// A phone that sleeps: its process is stopped and goes on later.
var daysAsleep = []day{
	{"asleep", "online; the process is stopped (SIGSTOP) for 3 min, then goes on; the app says nothing", func(s *stage) {
		s.asleep(func() {}, window)
		s.heard("disconnected Disconnected, " + comesBack)
	}},
	{"asleep, woken", "the same, and the app calls wake when it goes on", func(s *stage) {
		s.asleep(func() { s.phone.do("wake") }, atOnce)
		s.heard("disconnected Disconnected, " + comesBack)
	}},
	{"asleep, network gone", "asleep for 3 min, and nothing comes through any more, nor is anybody told; the app calls wake, the network comes back 10 s later", func(s *stage) {
		s.withLink()
		s.online()
		s.phone.sleep()
		s.set(weather{hole: true})
		time.Sleep(night())
		s.breaks(func() { s.phone.awake(); s.phone.do("wake") })
		s.knows(probeTime, "^disconnected")
		time.Sleep(10 * time.Second)
		s.mends(func() { s.set(weather{}); s.phone.do("wake") })
		s.isBack(probeTime, "^connected resumed") // a wake leaves a try alone that is younger
		s.heard("disconnected Disconnected, " + tries("ConnectTimeout") + comesBack)
	}},
	{"asleep, kicked", "asleep for 3 min; meanwhile the user signs in on another phone", func(s *stage) {
		s.withLink()
		s.online()
		s.phone.sleep()
		other := newPhone(s.T, s.near, s.cert.caFile)
		other.fails = s.fails
		other.open(s.url, "instance=another", "label=the new one")
		other.do("login", "alice", ticketOf(s.T, "alice", time.Hour))
		other.hears(time.Time{}, patience, "^login alice OK")
		time.Sleep(night())
		s.breaks(s.phone.awake)
		s.knows(window, "^kicked_offline KickedOffline reason=multiple_account by=android .* label=the new one$")
		s.phone.hears(s.broke, patience, "^disconnected OK")
		s.heard("(?:disconnected Disconnected, connecting, )?kicked_offline KickedOffline reason=multiple_account by=android, " +
			"logged_out, ready false, disconnected OK")
	}},
	{"asleep, ticket ended", "asleep for 3 min; meanwhile the ticket ends", func(s *stage) {
		s.withLink()
		s.phone.do("login", "alice", ticketOf(s.T, "alice", night()-5*time.Second))
		s.phone.hears(time.Time{}, patience, "^login alice OK")
		s.phone.sleep()
		time.Sleep(night())
		s.breaks(s.phone.awake)
		s.knows(window, "^user_sig_expired TicketExpired")
		s.phone.hears(s.broke, patience, "^disconnected OK")
		s.heard("(?:user_sig_will_expire, )?(?:disconnected Disconnected, connecting, )?(?:user_sig_will_expire, )?user_sig_expired TicketExpired, " +
			"logged_out, ready false, disconnected OK")
	}},
	{"asleep during a login", "stopped for 30 s in the middle of a login", func(s *stage) {
		s.withLink()
		s.set(weather{hole: true})
		s.logIn()
		s.phone.hears(time.Time{}, patience, "^connecting")
		s.phone.sleep()
		time.Sleep(30 * time.Second)
		s.set(weather{})
		s.breaks(s.phone.awake)
		s.knows(atOnce, "^login alice ConnectTimeout")
		s.mends(s.logIn)
		s.isBack(loginTime, "^login alice OK")
		s.heard("logged_out, disconnected ConnectTimeout, login alice ConnectTimeout, " + logsIn(""))
	}},
}

// night is how long a phone sleeps.
func night() time.Duration { return atFull(3*time.Minute, 30*time.Second) }

// asleep is a night after which all is well again, so long after the phone goes on.
func (s *stage) asleep(wakes func(), most time.Duration) {
	s.withLink()
	s.online()
	s.phone.sleep()
	time.Sleep(night())
	s.breaks(func() {
		s.phone.awake()
		wakes()
	})
	s.knows(atOnce, "^disconnected")
	s.isBack(most, "^connected resumed")
}
