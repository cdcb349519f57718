package storetest

import (
	"context"
	"math"
	"strings"
	"time"

	"github.com/opentim/tim/server"
)

var arriveCases = []testCase{
	{"the first login makes the account and marks the day", func(s *suite) {
		before := time.Now().Truncate(time.Millisecond)
		a := s.arrive(user("alice"), today)
		s.True(a.New)
		s.True(a.FirstToday)
		s.False(a.CreatedAt.Before(before), "created at %v, before the test began at %v", a.CreatedAt, before)
		s.False(a.CreatedAt.After(time.Now()))
		s.Equal(server.Account{CreatedAt: a.CreatedAt}, a.Account, "neither banned nor revoked")
	}},
	{"a later login of the day is neither new nor first, and sees the same account", func(s *suite) {
		first := s.arrive(user("alice"), today)
		s.Equal(server.Arrival{Account: first.Account}, s.arrive(user("alice"), today))
		s.forget(user("alice"))
		s.Equal(server.Arrival{Account: first.Account}, s.arrive(user("alice"), today))
	}},
	{"the first login of another day is first, but not new", func(s *suite) {
		first := s.arrive(user("alice"), today)
		s.Equal(server.Arrival{Account: first.Account, FirstToday: true}, s.arrive(user("alice"), today+1))
		s.Equal(server.Arrival{Account: first.Account}, s.arrive(user("alice"), today+1))
	}},
	{"a node whose clock is a day behind marks its own day, once", func(s *suite) {
		s.arrive(user("alice"), today)
		s.True(s.arrive(user("alice"), today-1).FirstToday)
		s.False(s.arrive(user("alice"), today).FirstToday)
		s.False(s.arrive(user("alice"), today-1).FirstToday)
	}},
	{"days before 1970 are days", func(s *suite) {
		s.True(s.arrive(user("alice"), -1).FirstToday)
		s.True(s.arrive(user("alice"), 0).FirstToday)
		s.False(s.arrive(user("alice"), -1).FirstToday)
		s.EqualValues(1, s.actives(-1, 0))
	}},
	{"a reopened store knows accounts and marks", func(s *suite) {
		first := s.arrive(user("alice"), today)
		s.reopen()
		s.Equal(server.Arrival{Account: first.Account}, s.arrive(user("alice"), today))
	}},
	{"the same userID in another app is another account", func(s *suite) {
		for _, id := range []uint64{1, app, 1 << 63, math.MaxUint64} {
			s.True(s.arrive(server.UserKey{App: id, User: "alice"}, today).New, "app %d", id)
		}
		s.reopen()
		for _, id := range []uint64{1, app, 1 << 63, math.MaxUint64} {
			s.False(s.arrive(server.UserKey{App: id, User: "alice"}, today).New, "app %d", id)
		}
		s.EqualValues(1, s.actives(today, today))
	}},
	{"userIDs are taken as they are: case, spaces, quotes, percent signs", func(s *suite) {
		names := []string{"alice", "Alice", "ALICE", " alice", "alice ", "a", "%", "_", "'", `"`, "a'b; --", "?", "1", "01", "1.0", "NULL",
			strings.Repeat("~", 32)}
		for _, name := range names {
			s.True(s.arrive(user(name), today).New, "%q", name)
		}
		for _, name := range names {
			s.forget(user(name))
			s.False(s.arrive(user(name), today).New, "%q", name)
		}
		s.EqualValues(len(names), s.actives(today, today))
	}},
	{"of a thousand logins of one new user at once, one is new and one is first", func(s *suite) {
		told := crowd(s.t, 1000, s.self, func(int) server.UserKey { return user("alice") }, today)
		s.EqualValues(1, told.made.Load())
		s.EqualValues(1, told.first.Load())
		s.EqualValues(1, s.actives(today, today))
	}},
	{"of a thousand logins of one known user at midnight, one is first", func(s *suite) {
		s.arrive(user("alice"), today)
		told := crowd(s.t, 1000, s.self, func(int) server.UserKey { return user("alice") }, today+1)
		s.EqualValues(0, told.made.Load())
		s.EqualValues(1, told.first.Load())
	}},
	{"of a crowd in which everybody logs in four times, each is new and first once", func(s *suite) {
		const users = 500
		told := crowd(s.t, 4*users, s.self, func(i int) server.UserKey { return numbered(i % users) }, today)
		s.EqualValues(users, told.made.Load())
		s.EqualValues(users, told.first.Load())
		s.reopen()
		s.EqualValues(users, s.actives(today, today))
		told = crowd(s.t, users, s.self, numbered, today)
		s.EqualValues(0, told.made.Load())
		s.EqualValues(0, told.first.Load())
	}},
	{"a login that may not be is answered with what it was asked about, and leaves no trace", func(s *suite) {
		alice := user("alice")
		no := func(want server.Account) func(server.Account) bool {
			return func(a server.Account) bool { s.Equal(want, a); return false }
		}
		refused := func(want server.Account) {
			s.t.Helper()
			a, err := s.store.Arrive(s.t.Context(), alice, today, no(want))
			s.NoError(err)
			s.Equal(server.Arrival{Account: want}, a)
			s.EqualValues(0, s.actives(today, today))
		}
		refused(server.Account{})
		s.noAccount(alice)
		s.importUsers("alice")
		known := s.account(alice)
		refused(known)
		s.forget(alice)
		refused(known)
		s.delete(alice, at(1_000))
		refused(server.Account{NotBefore: at(1_000)})
		s.reopen()
		refused(server.Account{NotBefore: at(1_000)})
		s.noAccount(alice)
		s.True(s.arrive(alice, today).New)
		a, err := s.store.Arrive(s.t.Context(), alice, today, func(server.Account) bool { return false })
		s.NoError(err)
		s.Equal(at(1_000), a.NotBefore)
		s.EqualValues(1, s.actives(today, today), "what was marked before stays")
	}},
	{"a login that may not be any more, because its account is deleted at the same time, does not make it again", func(s *suite) {
		for i := range 50 {
			key := numbered(i)
			s.importUsers(key.User)
			deleted := make(chan error)
			go func() { deleted <- s.store.Delete(s.t.Context(), key, at(1_000)) }()
			a, err := s.store.Arrive(s.t.Context(), key, today, func(a server.Account) bool { return a.NotBefore.IsZero() })
			s.NoError(err)
			s.NoError(<-deleted)
			s.Equal(a.NotBefore.IsZero(), a.FirstToday, "it came before the deletion, or is refused")
			s.False(a.New)
			s.noAccount(key)
		}
		s.EqualValues(0, s.actives(today, today))
	}},
	{"a caller who has given up gets its own error, and may try again", func(s *suite) {
		ctx, cancel := context.WithCancel(s.t.Context())
		cancel()
		_, err := s.store.Arrive(ctx, user("alice"), today, nil)
		s.ErrorIs(err, context.Canceled)
		s.arrive(user("alice"), today)
	}},
}

func (s *suite) self(int) server.Store { return s.store }
