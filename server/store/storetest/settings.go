package storetest

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

var settingsCases = []testCase{
	{"an app has the defaults until somebody changes them", func(s *suite) {
		s.Equal(server.DefaultSettings(), s.settings())
		s.Empty(s.history(10))
	}},
	{"settings are stored with the next version, who and when, and survive", func(s *suite) {
		before := time.Now().Truncate(time.Millisecond)
		set := s.settings()
		set.Policy = codes.PolicyMulti
		set.Limits = map[codes.Platform]int{codes.PlatformWeb: 10, codes.PlatformIOS: 3}
		set.ChangedBy = "admin"
		stored := s.setSettings(set)
		s.EqualValues(1, stored.Version)
		s.False(stored.ChangedAt.Before(before))
		s.False(stored.ChangedAt.After(time.Now()))
		set.Version, set.ChangedAt = 1, stored.ChangedAt
		s.Equal(set, stored)
		s.Equal(stored, s.settings())
		s.reopen()
		s.Equal(stored, s.settings())
	}},
	{"every policy and platform survives", func(s *suite) {
		var set server.Settings
		for _, policy := range codes.Policies() {
			set.Policy = policy
			set.Limits = map[codes.Platform]int{}
			for i, p := range codes.Platforms() {
				set.Limits[p] = i%3 + 1
			}
			set = s.setSettings(set)
			s.store.Forget(app, "")
			s.Equal(set, s.settings())
		}
	}},
	{"settings of one app are not those of another", func(s *suite) {
		s.setSettings(server.Settings{Policy: codes.PolicySingle})
		other, err := s.store.Settings(s.t.Context(), app+1)
		s.NoError(err)
		s.Equal(server.DefaultSettings(), other)
	}},
	{"a change of an old version is refused and changes nothing", func(s *suite) {
		first := s.setSettings(server.Settings{Policy: codes.PolicySingle})
		second := s.setSettings(server.Settings{Policy: codes.PolicyDual, Version: first.Version})
		for _, version := range []int64{0, 1, 3, -1} {
			_, err := s.store.SetSettings(s.t.Context(), app, server.Settings{Policy: codes.PolicyMulti, Version: version})
			s.ErrorIs(err, codes.InvalidOperation, "version %d", version)
		}
		s.Equal(second, s.settings())
		s.Len(s.history(10), 2)
	}},
	{"of many who change the same version at once, one wins", func(s *suite) {
		var won, refused atomic.Int64
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() {
				_, err := s.store.SetSettings(s.t.Context(), app, server.Settings{Policy: codes.PolicyTriple})
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
		s.EqualValues(49, refused.Load())
		s.EqualValues(1, s.settings().Version)
	}},
	{"History has every version, newest first, and no more than asked for", func(s *suite) {
		var want []server.Settings
		set := s.settings()
		for _, who := range []string{"ann", "bob", "cid"} {
			set.ChangedBy = who
			set = s.setSettings(set)
			want = append([]server.Settings{set}, want...)
		}
		s.Equal(want, s.history(10))
		s.Equal(want[:2], s.history(2))
		s.Empty(s.history(0))
		s.Empty(s.history(-1))
		s.reopen()
		s.Equal(want, s.history(3))
	}},
	{"the caller owns what it gets and what it gives", func(s *suite) {
		mine := map[codes.Platform]int{codes.PlatformWeb: 2}
		s.setSettings(server.Settings{Policy: codes.PolicyDual, Limits: mine})
		mine[codes.PlatformWeb] = 9
		s.settings().Limits[codes.PlatformWeb] = 8
		s.Equal(2, s.settings().Limit(codes.PlatformWeb))
	}},
}

func (s *suite) history(limit int) []server.Settings {
	s.t.Helper()
	list, err := s.store.History(s.t.Context(), app, limit)
	s.NoError(err)
	return list
}
