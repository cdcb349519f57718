package registrytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// keyCases are about the sessions of a user.
var keyCases = []testCase{
	{"a user who has no sessions is no error", func(s *suite) {
		r := s.join()
		s.requireSessions(r, alice)
	}},

	{"every field of a session comes back, on every node", func(s *suite) {
		a, b := s.join(), s.join()
		want := []server.Session{session(1, a.id), record(2, b.id), {ID: "bare", LoginSeq: 3}}
		s.put(a, alice, want...)
		s.requireSessions(a, alice, want...)
		s.requireSessions(b, alice, want...)
	}},

	{"sessions come oldest first, whatever order they were given in", func(s *suite) {
		r := s.join()
		twin := session(2, r.id)
		twin.ID = "a twin with a smaller ID"
		s.put(r, alice, session(3, r.id), session(2, r.id), session(1, r.id), twin)
		want := []server.Session{session(1, r.id), twin, session(2, r.id), session(3, r.id)}
		s.requireSessions(r, alice, want...)
		require.NoError(s, r.Update(s.ctx(), alice, func(got []server.Session) ([]server.Session, error) {
			requireSame(s, want, got)
			return got, nil
		}))
	}},

	{"an update sees what the last one stored, on every node", func(s *suite) {
		a, b := s.join(), s.join()
		for seq := uint64(1); seq <= 10; seq++ {
			r := []*node{a, b}[seq%2]
			require.NoError(s, r.Update(s.ctx(), alice, func(got []server.Session) ([]server.Session, error) {
				require.Len(s, got, int(seq-1))
				return append(slices.Clone(got), session(seq, r.id)), nil
			}))
		}
	}},

	{"returning no sessions removes the key", func(s *suite) {
		r := s.join()
		s.put(r, alice, session(1, r.id))
		s.put(r, alice)
		s.requireSessions(r, alice)
		require.Empty(s, s.usersOn(r, r.id))
		s.put(r, alice) // also where there is none
	}},

	{"an error of change stops the update and is returned as it is", func(s *suite) {
		r := s.join()
		s.put(r, alice, session(1, r.id))
		calls := 0
		err := r.Update(s.ctx(), alice, func([]server.Session) ([]server.Session, error) {
			calls++
			return []server.Session{session(2, r.id)}, errOurs
		})
		require.True(s, err == errOurs, "got %v", err) //nolint:errorlint // as it is
		require.Equal(s, 1, calls)
		s.requireSessions(r, alice, session(1, r.id))
	}},

	{"keys are apart, whatever characters a userID has", func(s *suite) {
		r := s.join()
		var keys []server.UserKey
		for _, user := range []string{
			"alice", "Alice", "alice ", " alice", "alice.", ".", "..", "*", ">", "a*", "a>b", "a.b", "a b", "$", "/", `\`, "=", "YWxpY2U", "_",
			strings.Repeat("~", 32),
		} {
			keys = append(keys, server.UserKey{App: 1, User: user}, server.UserKey{App: 11, User: user})
		}
		for i, key := range keys {
			s.put(r, key, session(uint64(i+1), r.id))
		}
		for i, key := range keys {
			s.requireSessions(r, key, session(uint64(i+1), r.id))
		}
		require.ElementsMatch(s, keys, s.usersOn(r, r.id))
	}},

	{"no update is lost when many nodes change one key at once", func(s *suite) {
		nodes := []*node{s.join(), s.join(), s.join()}
		const each = 20
		var wait sync.WaitGroup
		for i := range len(nodes) * each {
			r := nodes[i%len(nodes)]
			wait.Go(func() {
				s.patiently(r, alice, func(got []server.Session) []server.Session { return append(got, session(uint64(i+1), r.id)) })
			})
		}
		wait.Wait()
		got, err := nodes[0].Sessions(s.ctx(), alice)
		require.NoError(s, err)
		require.Len(s, got, len(nodes)*each)
		require.True(s, server.SessionsSorted(got))
	}},

	{"what an update saw is what it replaced", func(s *suite) { // a counter by compare-and-swap
		a, b := s.join(), s.join()
		const each = 25
		var wait sync.WaitGroup
		for i := range 2 * each {
			r := []*node{a, b}[i%2]
			wait.Go(func() {
				s.patiently(r, alice, func(got []server.Session) []server.Session {
					count := server.Session{ID: "count"}
					if len(got) > 0 {
						count = got[0]
					}
					count.LoginSeq++
					return []server.Session{count}
				})
			})
		}
		wait.Wait()
		s.requireSessions(a, alice, server.Session{ID: "count", LoginSeq: 2 * each})
	}},

	{"what change was given may be kept by nobody and is changed by nobody", func(s *suite) {
		r := s.join()
		s.put(r, alice, session(1, r.id))
		before, err := r.Sessions(s.ctx(), alice)
		require.NoError(s, err)
		s.put(r, alice, session(2, r.id))
		requireSame(s, []server.Session{session(1, r.id)}, before)
	}},

	{"keys of different users are changed at the same time", func(s *suite) {
		r := s.join()
		const users = 50
		var wait sync.WaitGroup
		for i := range users {
			wait.Go(func() {
				s.patiently(r, server.UserKey{App: 1, User: fmt.Sprint(i)}, func(got []server.Session) []server.Session {
					return append(got, session(uint64(i+1), r.id))
				})
			})
		}
		wait.Wait()
		require.Len(s, s.usersOn(r, r.id), users)
	}},
}

// patiently updates a key, again if the registry is unavailable: a storm of conflicts may make it so.
func (s *suite) patiently(r *node, key server.UserKey, change func(got []server.Session) []server.Session) {
	err := server.ErrUnavailable
	for range 20 {
		if !errors.Is(err, server.ErrUnavailable) {
			break
		}
		err = r.Update(s.ctx(), key, func(got []server.Session) ([]server.Session, error) { return change(slices.Clone(got)), nil })
	}
	if err != nil {
		s.Errorf("update: %v", err)
	}
}

func (s *suite) usersOn(r *node, on server.NodeID) []server.UserKey {
	s.Helper()
	var list []server.UserKey
	for key, err := range r.UsersOn(s.ctx(), on) {
		require.NoError(s, err)
		list = append(list, key)
	}
	return list
}
