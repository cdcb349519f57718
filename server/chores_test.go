package server

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestChores(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c chores
		var done, most, running atomic.Int64
		chore := func() {
			most.Store(max(most.Load(), running.Add(1)))
			time.Sleep(time.Second)
			running.Add(-1)
			done.Add(1)
		}
		for range choresAtOnce + choresWaiting {
			require.True(t, c.do(chore))
		}
		require.False(t, c.do(chore), "too many wait")
		time.Sleep(time.Second)
		synctest.Wait()
		require.True(t, c.do(chore), "there is room again")

		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.close(short), context.DeadlineExceeded)
		require.False(t, c.do(chore), "closed")
		require.NoError(t, c.close(t.Context()))
		require.Equal(t, int64(choresAtOnce+choresWaiting+1), done.Load())
		require.LessOrEqual(t, most.Load(), int64(choresAtOnce))
	})
}

func TestNoChoresAreClosedAtOnce(t *testing.T) {
	var c chores
	require.NoError(t, c.close(t.Context()))
	require.NoError(t, c.close(t.Context()))
}
