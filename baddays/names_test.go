//go:build linux

package baddays

import "time"

var daysOfNames = []day{
	{"no such name", "a login while the name server does not know the host; it learns it after 3 s, and the app calls wake", func(s *stage) {
		names := s.withNames()
		names.empty.Store(true)
		s.breaks(s.logIn)
		s.knows(atOnce, "^disconnected HostNotFound")
		time.Sleep(3 * time.Second)
		s.mends(func() { names.empty.Store(false); s.phone.do("wake") })
		s.isBack(atOnce, "^login alice OK")
		s.heard(logsIn("HostNotFound"))
	}},
	{"a silent name server", "a login while the name server says nothing", func(s *stage) {
		names := s.withNames()
		names.silent.Store(true)
		s.breaks(s.logIn)
		s.failsThenWorks("ConnectTimeout", func() { names.silent.Store(false) })
	}},
	{"a slow name server", "a login while names take 3 s", func(s *stage) {
		names := s.withNames()
		names.delay.Store(int64(3 * time.Second))
		s.breaks(s.logIn)
		s.isBack(3*time.Second, "^login alice OK")
		s.heard(logsIn(""))
	}},
	{"names gone while online", "online; the connection is reset while the name server is silent, for 20 s", func(s *stage) {
		names := s.withNames()
		s.online()
		names.silent.Store(true)
		s.breaks(s.server.restart)
		s.knows(atOnce, "^disconnected Disconnected")
		time.Sleep(20 * time.Second)
		s.mends(func() { names.silent.Store(false) })
		s.isBack(longestWait+tryTime, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries("ConnectTimeout") + comesBack)
	}},
	{"the server moves", "online; the server stops, and starts at another address, which the name server knows from then on", func(s *stage) {
		names := s.withNames()
		s.online()
		s.far.run("ip", "addr", "add", serverIP2+"/24", "dev", "radio")
		s.breaks(func() {
			s.server.kill()
			s.server.listen = serverIP2 + ":7700"
			s.server.start()
			names.moved.Store(true)
		})
		s.knows(atOnce, "^disconnected Disconnected")
		s.isBack(longestWait+tryTime, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries("ConnectRefused") + comesBack)
	}},
}
