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

func TestALoginIsNewerThanItsKeyWhateverTheClocksSay(t *testing.T) {
	ahead := device(1, 9000)
	require.Equal(t, uint64(9001), loginSeq(5, []Session{ahead}))
	require.Equal(t, uint64(9001), loginSeq(9000, []Session{ahead}))
	require.Equal(t, uint64(9500), loginSeq(9500, []Session{ahead}))
	require.Equal(t, uint64(5), loginSeq(5, nil))
}
