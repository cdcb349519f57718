// Package registrytest is the suite that every server.Registry passes. Each case holds a sentence of the interface to its
// word.
package registrytest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// An Engine says how the suite uses an implementation.
type Engine struct {
	// Case runs a case. synctest.Test gives fake time to an engine that lives in memory; nil runs the case directly.
	Case func(t *testing.T, f func(t *testing.T))

	// New returns a cluster without nodes. It is called once a case, and cleans up by itself.
	New func(t *testing.T) Cluster

	// Advance lets time pass, and with it leases and timeouts. Nil is time.Sleep.
	Advance func(d time.Duration)

	// Within is how long something may take that has to happen soon, such as news. Zero means 2 s.
	Within time.Duration
}

// A Cluster is what several nodes share.
type Cluster struct {
	// Open returns the view of one more node. The suite joins and closes it.
	Open func(t *testing.T) server.Registry
	// Crash makes a node fall silent without a word, as a process that is killed.
	Crash func(t *testing.T, r server.Registry)
}

// Run runs the suite.
func Run(t *testing.T, e Engine) {
	if e.Case == nil {
		e.Case = func(t *testing.T, f func(t *testing.T)) { f(t) }
	}
	if e.Advance == nil {
		e.Advance = time.Sleep
	}
	if e.Within == 0 {
		e.Within = 2 * time.Second
	}
	for _, group := range [][]testCase{keyCases, revisionCases, nodeCases, messageCases} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				e.Case(t, func(t *testing.T) { c.run(&suite{T: t, e: e, c: e.New(t)}) })
			})
		}
	}
}

type testCase struct {
	name string
	run  func(s *suite)
}

// A suite is one case that runs.
type suite struct {
	*testing.T
	e     Engine
	c     Cluster
	nodes int
}

// A node is a view that joined, and what it heard.
type node struct {
	server.Registry
	id server.NodeID

	mu       sync.Mutex
	kicks    []server.Kick
	news     []server.News
	told     bool          // what it answers to a kick
	deafness chan struct{} // if not nil, kicks wait for it to be closed
}

// join opens a view of one more node, which is closed with the case.
func (s *suite) join() *node {
	s.Helper()
	s.nodes++
	n := &node{Registry: s.c.Open(s.T), id: server.NodeID(fmt.Sprintf("node-%d.%x", s.nodes, time.Now().UnixNano()))}
	require.NoError(s, n.Join(s.ctx(), n.id, n))
	s.Cleanup(func() { _ = n.Close() })
	return n
}

func (s *suite) ctx() context.Context { return s.Context() }

func (n *node) HandleKick(k server.Kick) bool {
	n.mu.Lock()
	deafness := n.deafness
	n.mu.Unlock()
	if deafness != nil {
		<-deafness
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.kicks = append(n.kicks, k)
	return n.told
}

func (n *node) HandleNews(news server.News) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.news = append(n.news, news)
}

func (n *node) HandleClock(server.NodeID, time.Time) {}

func (n *node) heard() ([]server.Kick, []server.News) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]server.Kick(nil), n.kicks...), append([]server.News(nil), n.news...)
}

// soon waits until f is true, and fails if that takes too long.
func (s *suite) soon(what string, f func() bool) {
	s.Helper()
	const steps = 100
	for range steps {
		if f() {
			return
		}
		s.e.Advance(s.e.Within / steps)
	}
	require.True(s, f(), "%s within %s", what, s.e.Within)
}

var alice = server.UserKey{App: 1400000001, User: "alice"}

// session returns a session with every field set, made distinct by seq.
func session(seq uint64, on server.NodeID) server.Session {
	return server.Session{
		ID: fmt.Sprintf("session-%d", seq), Instance: fmt.Sprintf("instance-%d", seq), Platform: codes.PlatformIPad,
		Label: "Anna's iPad \u2713", LoginSeq: seq, Resumes: uint32(seq), Node: on,
		AwayUntil:     time.UnixMilli(1_800_000_000_123),
		TicketExpires: time.Unix(1_900_000_000, 0),
	}
}

// record returns a session that left.
func record(seq uint64, on server.NodeID) server.Session {
	s := session(seq, on)
	s.Left = &server.Kick{
		Key: alice, Session: s.ID, LoginSeq: seq, Resumes: 3, Reason: codes.KickMultipleDevice, Code: codes.KickedOffline,
		ByPlatform: codes.PlatformMac, ByLabel: "a Mac", At: time.UnixMilli(1_700_000_000_456),
	}
	return s
}

// put stores sessions under key.
func (s *suite) put(r server.Registry, key server.UserKey, sessions ...server.Session) {
	s.Helper()
	require.NoError(s, r.Update(s.ctx(), key, func([]server.Session) ([]server.Session, error) { return sessions, nil }))
}

// requireSessions reads a key and compares.
func (s *suite) requireSessions(r server.Registry, key server.UserKey, want ...server.Session) {
	s.Helper()
	got, err := r.Sessions(s.ctx(), key)
	require.NoError(s, err)
	requireSame(s, want, got)
}

// requireSame compares sessions. Times are the same if they are the same moment.
func requireSame(t require.TestingT, want, got []server.Session) {
	require.Equal(t, normal(want), normal(got))
}

func normal(list []server.Session) []server.Session {
	out := []server.Session{}
	for _, s := range list {
		s.AwayUntil, s.TicketExpires = moment(s.AwayUntil), moment(s.TicketExpires)
		if s.Left != nil {
			k := *s.Left
			k.At = moment(k.At)
			s.Left = &k
		}
		out = append(out, s)
	}
	return out
}

func moment(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

var errOurs = errors.New("an error of change")
