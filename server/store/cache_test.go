package store

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

func numbered(i int) server.UserKey {
	return server.UserKey{App: 1400000001, User: fmt.Sprintf("user-%07d", i)}
}

func TestAnEntryComesOutAsItWentIn(t *testing.T) {
	c := newCache(1000)
	when := time.Unix(1_700_000_000, 0).UTC()
	for _, e := range []entry{
		{account: server.Account{CreatedAt: when}, day: 20_000},
		{account: server.Account{CreatedAt: when, Banned: true}, day: noDay},
		{account: server.Account{CreatedAt: when, Banned: true, BannedUntil: when.Add(time.Hour), NotBefore: when.Add(time.Millisecond)}, day: -1},
	} {
		_, f, _ := c.get(alice)
		c.put(alice, e, f)
		got, _, known := c.get(alice)
		require.True(t, known)
		require.Equal(t, e, got)
	}
}

// Whatever is put, dropped and evicted, an entry that is found is the last that was put.
func TestACacheForgetsButDoesNotInvent(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	c := newCache(3 * len(cache{}.shards)) // three to a shard, for six users: eviction all the time
	want := map[server.UserKey]server.Day{}
	found := 0
	for i := range server.Day(200_000) {
		key := numbered(random.IntN(6 * len(c.shards)))
		e, f, known := c.get(key)
		if known {
			found++
			day, put := want[key]
			require.True(t, put, "%v was dropped", key)
			require.Equal(t, day, e.day)
		}
		if random.IntN(10) == 0 {
			c.drop(key)
			delete(want, key)
			c.put(key, entry{day: -1}, f) // too late
		} else {
			c.put(key, entry{day: i}, f)
			want[key] = i
		}
	}
	require.Greater(t, found, 50_000)
}

func TestAFullCacheKeepsWhoComesOften(t *testing.T) {
	const limit = 10_000
	c := newCache(limit)
	fill := func(i int) {
		_, f, _ := c.get(numbered(i))
		c.put(numbered(i), entry{}, f)
	}
	for i := range limit / 4 {
		fill(i)
	}
	for i := limit; i < 6*limit; i++ { // strangers, and between them the regulars
		fill(i)
		c.get(numbered(i % (limit / 4)))
	}
	entries, regulars := 0, 0
	for i := range c.shards {
		entries += len(c.shards[i].slots)
		require.Len(t, c.shards[i].index, len(c.shards[i].slots))
	}
	require.LessOrEqual(t, entries, limit)
	for i := range limit / 4 {
		if _, _, known := c.get(numbered(i)); known {
			regulars++
		}
	}
	require.Greater(t, regulars, limit/4*9/10, "of the regulars, these stayed")
}

func BenchmarkCacheGet(b *testing.B) {
	const users = 1 << 17
	c := newCache(users * 2)
	keys := make([]server.UserKey, users)
	for i := range keys {
		keys[i] = numbered(i)
		c.put(keys[i], entry{day: 1}, 0)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, _, known := c.get(keys[i*7919%users]); !known {
				b.Fail()
			}
		}
	})
}

func BenchmarkCacheMemory(b *testing.B) {
	for b.Loop() {
		const users = 1_000_000
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		c := newCache(users * 5 / 4)
		for i := range users {
			c.put(numbered(i), entry{day: 1}, 0)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/users, "B/user")
		runtime.KeepAlive(c)
	}
}

func TestAClearedCacheIsEmptyAndWorks(t *testing.T) {
	c := newCache(1000)
	var before fence
	for range 2 {
		for i := range 2000 {
			_, f, _ := c.get(numbered(i))
			c.put(numbered(i), entry{day: 1}, f)
		}
		_, before, _ = c.get(alice)
		c.clear()
		for i := range 2000 {
			_, _, known := c.get(numbered(i))
			require.False(t, known)
		}
	}
	c.put(alice, entry{day: 1}, before)
	_, _, known := c.get(alice)
	require.False(t, known, "what was read before may be stale")
}
