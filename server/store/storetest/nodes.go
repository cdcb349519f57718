package storetest

import (
	"errors"
	"sync"
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
				_, _ = s.store.Arrive(s.t.Context(), alice, today, nil)
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
	{"of many who change the same version on two nodes, one wins", func(s *suite) {
		both := []server.Store{s.store, s.second().store}
		for version := range int64(3) {
			var won, refused atomic.Int64
			var wg sync.WaitGroup
			for i := range 20 {
				wg.Go(func() {
					_, err := both[i%2].SetSettings(s.t.Context(), app, server.Settings{Policy: codes.PolicyDual, Version: version})
					switch {
					case err == nil:
						won.Add(1)
					case errors.Is(err, codes.InvalidOperation):
						refused.Add(1)
					}
				})
			}
			wg.Wait()
			s.EqualValues(1, won.Load())
			s.EqualValues(19, refused.Load())
		}
	}},
	{"accounts that are made, deleted and made again on two nodes at once are counted right", func(s *suite) {
		both := []server.Store{s.store, s.second().store}
		var made, first, deleted atomic.Int64
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 50 {
					key, node := numbered(j*7%5), both[(i+j)%2]
					if i < 6 {
						node.Forget(key.App, key.User) // of a deletion on the other node
						a, err := node.Arrive(s.t.Context(), key, today, nil)
						s.NoError(err)
						if a.New {
							made.Add(1)
						}
						if a.FirstToday {
							first.Add(1)
						}
						continue
					}
					switch err := node.Delete(s.t.Context(), key, at(1_000)); {
					case err == nil:
						deleted.Add(1)
					case !errors.Is(err, codes.AccountNotFound):
						s.NoError(err)
					}
				}
			})
		}
		wg.Wait()
		s.Equal(made.Load(), first.Load(), "who is new is first")
		s.Equal(made.Load()-deleted.Load(), s.actives(today, today))
	}},
	{"absences noted by one node are seen and changed by another", func(s *suite) {
		other := s.second()
		one := absent(codes.PlatformIOS, "i", 1, time.Minute)
		s.setAbsences(user("alice"), one)
		s.Equal([]server.Absence{one}, other.absences(user("alice")))
		other.setAbsences(user("alice"))
		s.Empty(s.absences(user("alice")))
	}},
	{"a node may leave without the others noticing", func(s *suite) {
		other := s.second()
		s.arrive(user("alice"), today)
		s.NoError(other.store.Close())
		s.True(s.arrive(user("bob"), today).New)
	}},
}
