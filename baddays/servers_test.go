//go:build linux

package baddays

import (
	"syscall"
	"time"
)

var daysOfServers = []day{
	{"server killed", "online; kill -9 of the server, which is started again after 5 s", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(s.server.kill)
		s.knows(atOnce, "^disconnected Disconnected")
		time.Sleep(5 * time.Second)
		s.server.start()
		s.mends(func() {})
		s.isBack(longestWait, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries("ConnectRefused") + comesBack)
	}},
	{"server stops", "online; the server is told to stop (SIGTERM), says goodbye, and is started again", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.server.signal(syscall.SIGTERM) })
		s.knows(drainTime, "^disconnected ServiceNotReady")
		s.server.ended()
		s.server.start()
		s.mends(func() {})
		s.isBack(longestWait, "^connected resumed")
		s.heard("disconnected ServiceNotReady, " + tries("ConnectRefused") + comesBack)
	}},
	{"server hangs", "a login while the server is stopped (SIGSTOP): connections are made, nothing answers; it goes on after 20 s", func(s *stage) {
		s.withLink()
		s.breaks(func() { s.server.signal(syscall.SIGSTOP); s.logIn() })
		s.failsThenWorksAstray("AckTimeout", func() {
			time.Sleep(time.Until(s.broke.Add(20 * time.Second)))
			s.server.signal(syscall.SIGCONT)
		})
	}},
	{"server hangs while online", "online; the server is stopped (SIGSTOP) for a minute", func(s *stage) {
		s.withLink()
		s.online()
		s.breaks(func() { s.server.signal(syscall.SIGSTOP) })
		s.knows(silence(), "^disconnected Disconnected")
		time.Sleep(time.Until(s.broke.Add(atFull(60*time.Second, 25*time.Second))))
		s.mends(func() { s.server.signal(syscall.SIGCONT) })
		s.isBack(longestWait+tryTime, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries("AckTimeout") + comesBack)
	}},
	{"no server", "a login where nobody listens", func(s *stage) {
		s.withLink()
		s.server.kill()
		s.breaks(s.logIn)
		s.failsThenWorks("ConnectRefused", s.server.start)
	}},
}
