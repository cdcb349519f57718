package registrytest

import (
	"errors"
	"slices"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// revisionCases are about the numbers of a key's changes.
var revisionCases = []testCase{
	{"a change is given the revision that was stored last, on every node", func(s *suite) {
		a, b := s.join(), s.join()
		s.revise(a, alice, 1_800_000_000_000_001, session(1, a.id))
		require.Equal(s, uint64(1_800_000_000_000_001), s.revise(b, alice, 1_800_000_000_000_002, session(1, a.id), session(2, b.id)))
		require.Equal(s, uint64(1_800_000_000_000_002), s.revise(a, alice, 1_800_000_000_000_003, session(2, b.id)))
		s.requireSessions(b, alice, session(2, b.id))
	}},

	{"an update leaves it as it is", func(s *suite) {
		a, b := s.join(), s.join()
		s.revise(a, alice, 7, session(1, a.id))
		s.put(b, alice, session(2, b.id))
		require.Equal(s, uint64(7), s.revise(a, alice, 8, session(1, a.id)))
	}},

	{"a key that was removed keeps it, whoever removed it and whoever comes next", func(s *suite) {
		a, b := s.join(), s.join()
		s.revise(a, alice, 7, session(1, a.id))
		s.revise(a, alice, 8)
		s.requireSessions(b, alice)
		require.Equal(s, uint64(8), s.revise(b, alice, 9, session(2, b.id)))
		s.put(a, alice)
		s.put(b, alice, session(3, b.id))
		require.Equal(s, uint64(9), s.revise(a, alice, 10))
		require.Equal(s, uint64(10), s.revise(b, alice, 11))
	}},

	{"an error of change leaves it as it was", func(s *suite) {
		r := s.join()
		s.revise(r, alice, 7, session(1, r.id))
		err := r.Revise(s.ctx(), alice, func([]server.Session, uint64) ([]server.Session, uint64, error) { return nil, 9, errOurs })
		require.True(s, err == errOurs, "got %v", err) //nolint:errorlint // as it is
		require.Equal(s, uint64(7), s.revise(r, alice, 8, session(1, r.id)))
	}},

	{"of many changes at once each is given that of the one before", func(s *suite) {
		nodes := []*node{s.join(), s.join(), s.join()}
		const each = 15
		var mu sync.Mutex
		var all []uint64 // in the order of the key
		var wait sync.WaitGroup
		for i := range len(nodes) * each {
			r := nodes[i%len(nodes)]
			wait.Go(func() {
				err := server.ErrUnavailable
				for try := 0; try < 20 && errors.Is(err, server.ErrUnavailable); try++ {
					var mine uint64
					err = r.Revise(s.ctx(), alice, func(got []server.Session, last uint64) ([]server.Session, uint64, error) {
						mine = last + 1
						return append(slices.Clone(got), session(mine, r.id)), mine, nil
					})
					if err == nil {
						mu.Lock()
						all = append(all, mine)
						mu.Unlock()
					}
				}
				if err != nil {
					s.Errorf("revise: %v", err)
				}
			})
		}
		wait.Wait()
		slices.Sort(all)
		require.Len(s, slices.Compact(all), len(nodes)*each)
	}},
}

// revise stores sessions with a revision and returns the one that there was.
func (s *suite) revise(r server.Registry, key server.UserKey, revision uint64, sessions ...server.Session) (before uint64) {
	s.Helper()
	require.NoError(s, r.Revise(s.ctx(), key, func(_ []server.Session, last uint64) ([]server.Session, uint64, error) {
		before = last
		return sessions, revision, nil
	}))
	return before
}
