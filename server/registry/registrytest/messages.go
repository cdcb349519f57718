package registrytest

import (
	"slices"
	"sync"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// messageCases are about what nodes tell each other.
var messageCases = []testCase{
	{"a kick reaches its node whole, and the answer comes back", func(s *suite) {
		a, b := s.join(), s.join()
		b.told = true
		told, err := a.Kick(s.ctx(), b.id, aKick)
		require.NoError(s, err)
		require.True(s, told)

		b.told = false
		told, err = a.Kick(s.ctx(), b.id, server.Kick{Key: alice, Session: "bare"})
		require.NoError(s, err)
		require.False(s, told)

		kicks, _ := b.heard()
		require.Equal(s, []server.Kick{normalKick(aKick), {Key: alice, Session: "bare"}}, normalKicks(kicks))
		kicks, _ = a.heard()
		require.Empty(s, kicks)
	}},

	{"a node can kick on itself", func(s *suite) {
		a := s.join()
		a.told = true
		told, err := a.Kick(s.ctx(), a.id, aKick)
		require.NoError(s, err)
		require.True(s, told)
	}},

	{"a kick on a node that is not there is an error", func(s *suite) {
		a, b := s.join(), s.join()
		require.NoError(s, b.Close())
		for _, id := range []server.NodeID{b.id, "nobody.0"} {
			began := time.Now()
			_, err := a.Kick(s.ctx(), id, aKick)
			require.Error(s, err)
			require.Less(s, time.Since(began), 2*time.Second+s.e.Within)
		}
		kicks, _ := b.heard()
		require.Empty(s, kicks)
	}},

	{"a kick on a node that crashed is an error after 2 s", func(s *suite) {
		a, b := s.join(), s.join()
		s.c.Crash(s.T, b.Registry)
		began := time.Now()
		_, err := a.Kick(s.ctx(), b.id, aKick)
		require.Error(s, err)
		require.Less(s, time.Since(began), 2*time.Second+s.e.Within)
		kicks, _ := b.heard()
		require.Empty(s, kicks)
	}},

	{"a node that does not answer within 2 s is an error, and delays no other kick", func(s *suite) {
		a, b, c := s.join(), s.join(), s.join()
		deaf := make(chan struct{})
		b.deafness = deaf
		c.told = true
		var wait sync.WaitGroup
		wait.Go(func() {
			_, err := a.Kick(s.ctx(), b.id, aKick)
			if err == nil {
				s.Error("a silent node answered")
			}
		})
		told, err := a.Kick(s.ctx(), c.id, aKick)
		require.NoError(s, err)
		require.True(s, told)
		wait.Wait()
		close(deaf)
	}},

	{"many kicks at once all get their own answer", func(s *suite) {
		a, b := s.join(), s.join()
		b.told = true
		var wait sync.WaitGroup
		for i := range 50 {
			k := aKick
			k.LoginSeq = uint64(i)
			wait.Go(func() {
				if told, err := a.Kick(s.ctx(), b.id, k); !told || err != nil {
					s.Errorf("kick %d: %v, %v", i, told, err)
				}
			})
		}
		wait.Wait()
		kicks, _ := b.heard()
		var seqs []uint64
		for _, k := range kicks {
			seqs = append(seqs, k.LoginSeq)
		}
		slices.Sort(seqs)
		require.Len(s, slices.Compact(seqs), 50)
	}},

	{"news reaches every node, also the one that tells it", func(s *suite) {
		a, b, c := s.join(), s.join(), s.join()
		news := []server.News{{App: 1400000001, User: "alice"}, {App: 7}}
		for _, n := range news {
			require.NoError(s, a.Announce(s.ctx(), n))
		}
		for _, n := range []*node{a, b, c} {
			s.soon("both are heard", func() bool {
				_, got := n.heard()
				return len(got) == 2
			})
			_, got := n.heard()
			require.ElementsMatch(s, news, got)
		}
	}},

	{"a node that closed hears nothing any more", func(s *suite) {
		a, b := s.join(), s.join()
		require.NoError(s, b.Close())
		require.NoError(s, a.Announce(s.ctx(), server.News{App: 1}))
		s.e.Advance(s.e.Within)
		_, news := b.heard()
		require.Empty(s, news)
	}},
}

var aKick = server.Kick{
	Key: alice, Session: "session-1", LoginSeq: 1<<53 - 1, Resumes: 4, Reason: codes.KickRESTAPI, Code: codes.KickedOffline,
	ByPlatform: codes.PlatformWeb, ByLabel: "a browser, \u2713", At: time.UnixMilli(1_700_000_000_456),
}

func normalKick(k server.Kick) server.Kick {
	k.At = moment(k.At)
	return k
}

func normalKicks(list []server.Kick) []server.Kick {
	for i := range list {
		list[i] = normalKick(list[i])
	}
	return list
}
