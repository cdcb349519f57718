package storetest

import (
	"slices"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// absent returns an absence that began some time ago.
func absent(p codes.Platform, instance string, seq uint64, ago time.Duration) server.Absence {
	since := time.UnixMilli(time.Now().Add(-ago).UnixMilli()).UTC()
	return server.Absence{Instance: instance, Platform: p, LoginSeq: seq, Since: since}
}

func (s *suite) setAbsences(key server.UserKey, list ...server.Absence) {
	s.t.Helper()
	s.NoError(s.store.UpdateAbsences(s.t.Context(), []server.UserKey{key}, func(server.UserKey, []server.Absence) []server.Absence {
		return list
	}))
}

// absences returns those of a user, oldest login first.
func (s *suite) absences(key server.UserKey) []server.Absence {
	s.t.Helper()
	all, err := s.store.Absences(s.t.Context(), key.App, []string{key.User})
	s.NoError(err)
	for name := range all {
		s.Equal(key.User, name)
	}
	return all[key.User]
}

var absenceCases = []testCase{
	{"nobody is absent at first, and asking for nobody is no error", func(s *suite) {
		s.Empty(s.absences(user("alice")))
		all, err := s.store.Absences(s.t.Context(), app, nil)
		s.NoError(err)
		s.Empty(all)
		s.NoError(s.store.UpdateAbsences(s.t.Context(), nil, nil))
	}},
	{"an absence is kept, also over a restart", func(s *suite) {
		want := []server.Absence{
			absent(codes.PlatformAndroid, "a", 1_800_000_000_000_000, time.Minute), absent(codes.PlatformIOS, "i", 1_800_000_000_000_001, time.Hour),
		}
		s.setAbsences(user("alice"), want[1], want[0])
		s.Equal(want, s.absences(user("alice")))
		s.reopen()
		s.Equal(want, s.absences(user("alice")))
		s.Empty(s.absences(user("Alice")))
		s.Empty(s.absences(server.UserKey{App: app + 1, User: "alice"}))
	}},
	{"a change is given what there is, oldest login first, and what it returns is kept", func(s *suite) {
		phone, tablet := absent(codes.PlatformIOS, "i", 20, time.Minute), absent(codes.PlatformIPad, "i", 10, time.Minute)
		s.setAbsences(user("alice"), phone, tablet)
		later := absent(codes.PlatformIOS, "i", 30, time.Second)
		s.NoError(s.store.UpdateAbsences(s.t.Context(), []server.UserKey{user("alice")}, func(key server.UserKey, list []server.Absence) []server.Absence {
			s.Equal(user("alice"), key)
			s.Equal([]server.Absence{tablet, phone}, list)
			return []server.Absence{later}
		}))
		s.Equal([]server.Absence{later}, s.absences(user("alice")))
		s.setAbsences(user("alice"))
		s.Empty(s.absences(user("alice")))
	}},
	{"many users are changed in one commit, and asked for in one go", func(s *suite) {
		var keys []server.UserKey
		var names []string
		for i := range 500 {
			keys = append(keys, numbered(i))
			names = append(names, numbered(i).User)
		}
		s.NoError(s.store.UpdateAbsences(s.t.Context(), keys, func(key server.UserKey, list []server.Absence) []server.Absence {
			s.Empty(list)
			return []server.Absence{absent(codes.PlatformIOS, "phone of "+key.User, 1, time.Minute)}
		}))
		all, err := s.store.Absences(s.t.Context(), app, append(names, "nobody"))
		s.NoError(err)
		s.Len(all, len(names))
		for _, name := range names {
			s.Equal("phone of "+name, all[name][0].Instance)
		}
	}},
	{"after seven days an absence is over, and a later change removes it", func(s *suite) {
		old := absent(codes.PlatformIOS, "old", 1, server.AbsenceLife+time.Minute)
		young := absent(codes.PlatformIOS, "young", 2, server.AbsenceLife-time.Minute)
		s.setAbsences(user("alice"), old, young)
		s.Equal([]server.Absence{young}, s.absences(user("alice")))
		s.setAbsences(user("bob"), absent(codes.PlatformIOS, "another", 3, time.Minute))
		s.NoError(s.store.UpdateAbsences(s.t.Context(), []server.UserKey{user("alice")}, func(_ server.UserKey, list []server.Absence) []server.Absence {
			s.Equal([]server.Absence{young}, list)
			return list
		}))
	}},
	{"instances and userIDs are taken as they are", func(s *suite) {
		for _, name := range []string{"'", `"`, "%", `\`, "a,b", "NULL", "1"} {
			one := absent(codes.PlatformIPad, "a\x00b \u00e9 "+name, 1<<53, time.Minute)
			s.setAbsences(user(name), one)
			s.Equal([]server.Absence{one}, s.absences(user(name)), "%q", name)
		}
	}},
	{"a ban, a revocation and a deletion end the absences of their account only", func(s *suite) {
		one := absent(codes.PlatformIOS, "i", 1, time.Minute)
		for what, end := range map[string]func(server.UserKey){
			"ban":    func(key server.UserKey) { s.ban(key, time.Time{}) },
			"revoke": func(key server.UserKey) { s.revoke(key, at(1_000)) },
			"delete": func(key server.UserKey) { s.delete(key, at(1_000)) },
		} {
			s.importUsers("alice", "bob")
			s.setAbsences(user("alice"), one)
			s.setAbsences(user("bob"), one)
			end(user("alice"))
			s.Empty(s.absences(user("alice")), what)
			s.Len(s.absences(user("bob")), 1, what)
		}
	}},
	{"of many changes of one user at once, none is lost", func(s *suite) {
		const n = 50
		done := make(chan error)
		for i := range n {
			go func() {
				done <- s.store.UpdateAbsences(s.t.Context(), []server.UserKey{user("alice")}, func(_ server.UserKey, list []server.Absence) []server.Absence {
					return append(list, absent(codes.PlatformAndroid, numbered(i).User, uint64(i+1), time.Minute))
				})
			}()
		}
		for range n {
			s.NoError(<-done)
		}
		list := s.absences(user("alice"))
		s.Len(list, n)
		s.True(slices.IsSortedFunc(list, func(a, b server.Absence) int { return int(a.LoginSeq) - int(b.LoginSeq) }))
	}},
}
