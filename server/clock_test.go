package server

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheClockNeverGivesANumberTwiceOrGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // time stands still in here
		var c clock
		now := uint64(time.Now().UnixMicro())
		require.Equal(t, now, c.next())
		require.Equal(t, now+1, c.next())
		time.Sleep(time.Second)
		require.Equal(t, now+1_000_000, c.next())

		c.last.Store(now + 1e9) // the wall clock went back by a quarter of an hour
		require.Equal(t, now+1e9+1, c.next())
		require.Equal(t, now+1e9+2, c.next())
	})
}

func TestTheClockIsForEverybody(t *testing.T) {
	var c clock
	var mu sync.Mutex
	var all []uint64
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			var mine []uint64
			for range 1000 {
				mine = append(mine, c.next())
			}
			if !slices.IsSorted(mine) {
				t.Error("it went back")
			}
			mu.Lock()
			defer mu.Unlock()
			all = append(all, mine...)
		})
	}
	wait.Wait()
	slices.Sort(all)
	require.Len(t, slices.Compact(all), 8000)
}

func TestTheClockGoesWithTheFastestOfTheCluster(t *testing.T) {
	const s = time.Second
	type reading struct {
		after, ahead, want time.Duration // when it comes after the one before; what it says; how far the clock is ahead then
	}
	for _, c := range []struct {
		name     string
		readings []reading
	}{
		{"who is late is not followed", []reading{{0, -2 * s, 0}}},
		{"who is early is", []reading{{0, 2 * s, 2 * s}}},
		{"the one with the shortest way here says it best", []reading{{0, 1900 * time.Millisecond, 1900 * time.Millisecond}, {s, 1990 * time.Millisecond, 1990 * time.Millisecond}, {s, s, 1990 * time.Millisecond}}},
		{"nor is who is wrong", []reading{{0, 2 * s, 2 * s}, {s, 11 * s, 2 * s}}},
		{"one that was set right is forgotten", []reading{{0, 2 * s, 2 * s}, {31 * s, 0, 2 * s}, {31 * s, 0, 0}}},
		{"one that is not heard is not", []reading{{0, 2 * s, 2 * s}, {time.Hour, -s, 2 * s}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var k clock
				for _, r := range c.readings {
					time.Sleep(r.after)
					k.hear(time.Now().Add(r.ahead))
					now := time.Now()
					require.Equal(t, uint64(now.Add(r.want).UnixMicro()), k.next())
					require.Equal(t, now.Add(r.want), k.now())
					require.Equal(t, r.want, k.behind())
				}
			})
		})
	}
}

func TestOfAWrongClockThereIsTalkOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c clock
		wrong := func() bool { return c.hear(time.Now().Add(time.Hour)) }
		require.True(t, wrong())
		time.Sleep(time.Minute)
		require.False(t, wrong())
		time.Sleep(time.Second)
		require.True(t, wrong())
		require.False(t, c.hear(time.Now()))
	})
}

func TestALoginIsNewerThanItsKeyWhateverTheClocksSay(t *testing.T) {
	ahead := device(1, 9000)
	require.Equal(t, uint64(9001), loginSeq(5, []Session{ahead}))
	require.Equal(t, uint64(9001), loginSeq(9000, []Session{ahead}))
	require.Equal(t, uint64(9500), loginSeq(9500, []Session{ahead}))
	require.Equal(t, uint64(5), loginSeq(5, nil))
}
