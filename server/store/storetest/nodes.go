package storetest

import (
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// Several nodes share one store. A node may keep copies until it is told to forget them.
var nodeCases = []testCase{
	{"what one node has answered, another finds", func(s *suite) {
		other := s.second()
		for i := range 100 {
			a := s.arrive(numbered(i), today)
			s.Equal(server.Arrival{Account: a.Account}, other.arrive(numbered(i), today))
		}
		s.EqualValues(100, other.actives(today, today))
	}},
	{"of a thousand logins of one new user on two nodes, one is new and one is first", func(s *suite) {
		both := []server.Store{s.store, s.second().store}
		told := crowd(s.t, 1000, func(i int) server.Store { return both[i%2] }, func(int) server.UserKey { return user("alice") }, today)
		s.EqualValues(1, told.made.Load())
		s.EqualValues(1, told.first.Load())
	}},
	{"days counted on two nodes are merged, nobody is counted twice", func(s *suite) {
		other := s.second()
		both := []server.Store{s.store, other.store}
		const users = 500
		for day := range server.Day(2) {
			told := crowd(s.t, 2*users, func(i int) server.Store { return both[i%2] },
				func(i int) server.UserKey { return numbered(i / 2) }, today+day)
			s.EqualValues(users, told.first.Load())
		}
		s.EqualValues(users, s.actives(today, today))
		s.EqualValues(users, other.actives(today, today+1))
	}},
	{"a node that is told to forget sees another's ban, revocation and deletion", func(s *suite) {
		other := s.second()
		alice := user("alice")
		s.arrive(alice, today)
		other.ban(alice, time.Time{})
		s.forget(alice)
		s.True(s.arrive(alice, today).Banned)
		other.unban(alice)
		s.forget(alice)
		s.False(s.account(alice).Banned)
		other.revoke(alice, at(1_000))
		s.forget(alice)
		s.Equal(at(1_000), s.arrive(alice, today).NotBefore)
		other.delete(alice, at(2_000))
		s.forget(alice)
		s.noAccount(alice)
		s.True(s.arrive(alice, today).New)
	}},
	{"a node that is told to forget is right from then on, however many logins were under way", func(s *suite) {
		other := s.second()
		alice := user("alice")
		s.arrive(alice, today)
		var stop atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			for !stop.Load() {
				_, _ = s.store.Account(s.t.Context(), alice)
				_, _ = s.store.Arrive(s.t.Context(), alice, today)
			}
		}()
		for i := range int64(100) {
			other.revoke(alice, at(1_000+i))
			s.forget(alice)
			s.Equal(at(1_000+i), s.account(alice).NotBefore)
			s.Equal(at(1_000+i), s.arrive(alice, today).NotBefore)
		}
		stop.Store(true)
		<-done
	}},
	{"a node that is told to forget sees another's settings, and cannot overwrite them unseen", func(s *suite) {
		other := s.second()
		mine := s.settings()
		theirs := other.setSettings(server.Settings{Policy: codes.PolicySingle})
		_, err := s.store.SetSettings(s.t.Context(), app, mine)
		s.ErrorIs(err, codes.InvalidOperation)
		s.store.Forget(app, "")
		s.Equal(theirs, s.settings())
		mine = s.setSettings(theirs)
		other.store.Forget(app, "")
		s.Equal(mine, other.settings())
	}},
	{"a node may leave without the others noticing", func(s *suite) {
		other := s.second()
		s.arrive(user("alice"), today)
		s.NoError(other.store.Close())
		s.True(s.arrive(user("bob"), today).New)
	}},
}
