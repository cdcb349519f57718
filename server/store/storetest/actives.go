package storetest

import (
	"time"
	_ "time/tzdata" // the zones, also where the machine has none

	"github.com/opentim/tim/server"
)

var activesCases = []testCase{
	{"Actives counts each account once, on the days from from to to, both included", func(s *suite) {
		// ann comes every day, bob on the second and the fourth, cid on the third
		for day := range server.Day(5) {
			s.arrive(user("ann"), today+day)
		}
		s.arrive(user("bob"), today+1)
		s.arrive(user("bob"), today+3)
		s.arrive(user("cid"), today+2)
		for _, c := range []struct {
			from, to server.Day
			want     int64
		}{
			{0, 0, 1}, {1, 1, 2}, {2, 2, 2}, {3, 3, 2}, {4, 4, 1}, {5, 5, 0}, {-1, -1, 0},
			{0, 1, 2}, {1, 2, 3}, {2, 3, 3}, {1, 3, 3}, {0, 4, 3}, {-100, 100, 3}, {4, 3, 0},
		} {
			s.Equal(c.want, s.actives(today+c.from, today+c.to), "from %d to %d", c.from, c.to)
		}
	}},
	{"Actives of one app does not count another's", func(s *suite) {
		s.arrive(user("ann"), today)
		s.arrive(server.UserKey{App: app + 1, User: "bob"}, today)
		s.EqualValues(1, s.actives(today, today))
	}},
	{"many accounts over some days are counted exactly", func(s *suite) {
		const users = 5000
		var names []string
		for i := range users {
			names = append(names, numbered(i).User)
		}
		s.importUsers(names...)
		everybody := map[int]bool{}
		for day, step := range []int{7, 11, 13} { // every 7th, every 11th, every 13th, each on a day of their own
			want := (users + step - 1) / step
			told := crowd(s.t, want, s.self, func(i int) server.UserKey { return numbered(i * step) }, today+server.Day(day))
			s.EqualValues(want, told.first.Load())
			s.EqualValues(want, s.actives(today+server.Day(day), today+server.Day(day)))
			for i := range want {
				everybody[i*step] = true
			}
			s.EqualValues(len(everybody), s.actives(today, today+server.Day(day)))
		}
	}},
	{"a day is a calendar day in the app's zone, also when the clocks change", func(s *suite) {
		for _, c := range []struct{ zone, before, after string }{
			{"UTC", "2026-01-01 23:59:59", "2026-01-02 00:00:00"},
			{"Europe/Berlin", "2026-03-28 23:59:59", "2026-03-29 00:00:00"},       // a day of 23 hours begins
			{"Europe/Berlin", "2026-03-29 23:59:59", "2026-03-30 00:00:00"},       // and ends
			{"Europe/Berlin", "2026-10-25 23:59:59", "2026-10-26 00:00:00"},       // a day of 25 hours ends
			{"America/Sao_Paulo", "2018-11-03 23:59:59", "2018-11-04 01:00:00"},   // midnight does not exist
			{"Asia/Kathmandu", "2026-05-05 23:59:59", "2026-05-06 00:00:00"},      // 5:45 from UTC
			{"Pacific/Apia", "2011-12-29 23:59:59", "2011-12-31 00:00:00"},        // a whole day does not exist
			{"Australia/Lord_Howe", "2026-04-05 23:59:59", "2026-04-06 00:00:00"}, // half an hour is added
		} {
			zone, err := time.LoadLocation(c.zone)
			s.NoError(err)
			key := user(c.zone + c.before[:10])
			login := func(clock string, early time.Duration) server.Arrival {
				moment, err := time.ParseInLocation(time.DateTime, clock, zone)
				s.NoError(err)
				return s.arrive(key, server.DayOf(moment.Add(-early), zone))
			}
			s.True(login(c.before, 20*time.Hour).FirstToday, "%+v: in the morning", c)
			s.False(login(c.before, 0).FirstToday, "%+v: a second before midnight", c)
			s.True(login(c.after, 0).FirstToday, "%+v: at midnight", c)
			s.False(login(c.after, -20*time.Hour).FirstToday, "%+v: in the evening", c)
		}
	}},
}
