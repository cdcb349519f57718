package registrytest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// lease is how long a silent node counts as alive, and how much longer it may take to notice.
const (
	lease  = 6 * time.Second
	notice = 4 * time.Second
)

// nodeCases are about which nodes live and whom they hold.
var nodeCases = []testCase{
	{"every node sees every node", func(s *suite) {
		a, b := s.join(), s.join()
		s.requireNodes(a, a, b)
		s.requireNodes(b, a, b)
	}},

	{"a lease is renewed for as long as the node lives", func(s *suite) {
		a, b := s.join(), s.join()
		s.e.Advance(2 * lease)
		s.requireNodes(a, a, b)
	}},

	{"a node that closes is gone at once, its sessions stay", func(s *suite) {
		a, b := s.join(), s.join()
		s.put(b, alice, session(1, b.id))
		require.NoError(s, b.Close())
		s.requireNodes(a, a)
		s.requireSessions(a, alice, session(1, b.id))
		require.Equal(s, []server.UserKey{alice}, s.usersOn(a, b.id))
	}},

	{"a node that crashes is gone when its lease ends, its sessions stay", func(s *suite) {
		a, b := s.join(), s.join()
		s.put(b, alice, session(1, b.id))
		s.c.Crash(s.T, b.Registry)
		s.requireNodes(a, a, b)
		s.e.Advance(lease + notice)
		s.requireNodes(a, a)
		s.requireSessions(a, alice, session(1, b.id))
		require.Equal(s, []server.UserKey{alice}, s.usersOn(a, b.id))
	}},

	{"users are found by the nodes of their sessions", func(s *suite) {
		a, b := s.join(), s.join()
		bob := server.UserKey{App: 7, User: "bob"}
		carol := server.UserKey{App: 7, User: "carol"}
		s.put(a, alice, session(1, a.id))
		s.put(b, alice, session(1, a.id), session(2, b.id))
		s.put(b, bob, session(3, b.id))
		s.put(a, carol, record(4, a.id))
		for _, r := range []*node{a, b} {
			require.ElementsMatch(s, []server.UserKey{alice, carol}, s.usersOn(r, a.id))
			require.ElementsMatch(s, []server.UserKey{alice, bob}, s.usersOn(r, b.id))
			require.Empty(s, s.usersOn(r, "nobody.0"))
		}

		s.put(a, alice, session(1, a.id)) // moves with the sessions
		s.requireSessions(b, alice, session(1, a.id))
		for _, r := range []*node{a, b} {
			require.ElementsMatch(s, []server.UserKey{bob}, s.usersOn(r, b.id))
		}
	}},

	{"the users of a dead node are shared among those that live", func(s *suite) {
		a, b, dead := s.join(), s.join(), s.join()
		var all []server.UserKey
		for i := range 40 {
			key := server.UserKey{App: 1, User: fmt.Sprintf("user-%d", i)}
			s.put(dead, key, session(uint64(i+1), dead.id))
			all = append(all, key)
		}
		s.c.Crash(s.T, dead.Registry)
		s.e.Advance(lease + notice)
		s.requireNodes(a, a, b)
		require.ElementsMatch(s, all, unique(append(s.orphans(a, dead.id), s.orphans(b, dead.id)...)))

		for _, key := range all[1:] { // they come back elsewhere, and are no orphans any more
			s.put(a, key, session(99, a.id))
			s.requireSessions(b, key, session(99, a.id))
		}
		require.Equal(s, all[:1], unique(append(s.orphans(a, dead.id), s.orphans(b, dead.id)...)))
		require.Empty(s, s.orphans(a, "nobody.0"))
	}},

	{"a walk over users may end early, and keys may change under it", func(s *suite) {
		r := s.join()
		for i := range 20 {
			s.put(r, server.UserKey{App: 1, User: string(rune('a' + i))}, session(uint64(i+1), r.id))
		}
		seen := 0
		for key, err := range r.UsersOn(s.ctx(), r.id) {
			require.NoError(s, err)
			s.put(r, key)
			if seen++; seen == 5 {
				break
			}
		}
		require.Len(s, s.usersOn(r, r.id), 15)
	}},

	{"two nodes of one name are two nodes", func(s *suite) {
		a := s.join()
		s.nodes-- // the same name, another boot
		s.e.Advance(time.Millisecond)
		b := s.join()
		s.requireNodes(a, a, b)
	}},
}

// orphans returns what r is to look after.
func (s *suite) orphans(r *node, of server.NodeID) (list []server.UserKey) {
	s.Helper()
	for key, err := range r.Orphans(s.ctx(), of) {
		require.NoError(s, err)
		list = append(list, key)
	}
	return list
}

func unique(list []server.UserKey) []server.UserKey {
	slices.SortFunc(list, func(a, b server.UserKey) int { return strings.Compare(a.User, b.User) })
	return slices.Compact(list)
}

func (s *suite) requireNodes(r *node, want ...*node) {
	s.Helper()
	var ids []server.NodeID
	for _, n := range want {
		ids = append(ids, n.id)
	}
	slices.Sort(ids)
	s.soon("these nodes are seen", func() bool {
		got, err := r.Nodes(s.ctx())
		slices.Sort(got)
		return err == nil && slices.Equal(got, ids)
	})
}
