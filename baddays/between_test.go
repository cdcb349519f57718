//go:build linux

package baddays

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"
)

var daysOfThingsBetween = []day{
	{"captive portal", "a login in a hotel: every request is answered with a page (200), until somebody agrees after 4 s, and the app calls wake", func(s *stage) {
		hotel := s.withCutter()
		hotel.lead(s.portal())
		s.breaks(s.logIn)
		s.knows(atOnce, "^disconnected CaptivePortal")
		time.Sleep(4 * time.Second)
		s.mends(func() { hotel.lead(s.server.address()); s.phone.do("wake") })
		s.isBack(atOnce, "^login alice OK")
		s.heard(logsIn("CaptivePortal"))
	}},
	{"captive portal while online", "online; the connection is reset, and every request is answered with a page, until somebody agrees after 8 s; the app says nothing", func(s *stage) {
		hotel := s.withCutter()
		s.online()
		s.breaks(func() { hotel.lead(s.portal()); hotel.cut() })
		s.knows(window, "^disconnected CaptivePortal")
		time.Sleep(8 * time.Second)
		s.mends(func() { hotel.lead(s.server.address()) })
		s.isBack(longestWait, "^connected resumed")
		s.heard("disconnected ResetByPeer, " + tries("CaptivePortal") + comesBack)
	}},
	{"a proxy that buffers", "login through a proxy that holds data back until it has 4 KiB or 2 s have passed", func(s *stage) {
		s.withProxy()
		s.breaks(func() { s.toxic("hold", `"bytes": 4096, "millis": 2000`); s.logIn() })
		s.isBack(2*2*time.Second, "^login alice OK")
		s.heard(logsIn(""))
		s.staysOnline(atFull(60*time.Second, 15*time.Second))
	}},
	{"a proxy that slices", "login through a proxy that passes on 5 bytes at a time", func(s *stage) {
		s.withProxy()
		s.breaks(func() { s.toxic("slicer", `"average_size": 5, "size_variation": 2, "delay": 1000`); s.logIn() })
		s.isBack(loginTime, "^login alice OK")
		s.heard(logsIn(""))
	}},
	{"reset while online", "online; a box on the way forgets the connection and resets it", func(s *stage) {
		box := s.withCutter()
		s.online()
		s.breaks(box.cut)
		s.knows(atOnce, "^disconnected ResetByPeer")
		s.isBack(window, "^connected resumed")
		s.heard("disconnected ResetByPeer, " + comesBack)
	}},
}

// portal answers everything with a page for people, and returns its address.
func (s *stage) portal() string {
	portal := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<html><title>Welcome</title>Please agree to our terms.</html>")
	}))
	s.Cleanup(portal.Close)
	return strings.TrimPrefix(portal.URL, "http://")
}
