package server

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTimersFireOnceAndNeverEarly(t *testing.T) {
	for _, d := range []time.Duration{
		-time.Second, 0, 1, time.Millisecond, 100 * time.Millisecond, 101 * time.Millisecond, 6400 * time.Millisecond,
		6401 * time.Millisecond, 25 * time.Second, 7 * time.Minute, 8 * time.Hour, 24 * time.Hour * 180, 24 * time.Hour * 365 * 50,
	} {
		t.Run(d.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := NewWheel()
				defer w.Stop()
				time.Sleep(time.Duration(rand.Int64N(int64(time.Hour)))) // an idle wheel stands still
				var fired []time.Duration
				var timer Timer
				began := time.Now()
				w.Start(&timer, d, func() { fired = append(fired, time.Since(began)) })
				time.Sleep(max(d, 0) + time.Minute)
				synctest.Wait()

				require.Len(t, fired, 1)
				require.GreaterOrEqual(t, fired[0], d)
				require.LessOrEqual(t, fired[0], max(d, 0)+wheelTick)
			})
		})
	}
}

func TestManyTimersFireInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWheel()
		defer w.Stop()
		const n = 5000
		timers := make([]Timer, n)
		var want, got []time.Duration
		began := time.Now()
		for i := range timers {
			d := time.Duration(rand.ExpFloat64() * float64(time.Hour)).Truncate(wheelTick)
			want = append(want, max(d, wheelTick))
			w.Start(&timers[i], d, func() { got = append(got, time.Since(began)) })
		}
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		slices.Sort(want)
		require.Equal(t, want, got)
	})
}

func TestATimerThatIsCancelledOrStartedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWheel()
		defer w.Stop()
		var fired []string
		say := func(what string) func() { return func() { fired = append(fired, what) } }
		var a, b, c Timer

		require.False(t, w.Cancel(&a), "the zero Timer is stopped")
		w.Start(&a, time.Second, say("a"))
		w.Start(&b, time.Hour, say("b, late"))
		w.Start(&b, 2*time.Second, say("b"))
		w.Start(&c, time.Second, func() {
			fired = append(fired, "c")
			w.Start(&c, time.Second, say("c again"))
		})
		require.True(t, w.Cancel(&a))
		require.False(t, w.Cancel(&a))
		time.Sleep(2 * time.Hour)
		synctest.Wait()
		require.Equal(t, []string{"c", "b", "c again"}, fired)
		require.False(t, w.Cancel(&c), "it fired")
	})
}

func TestATimerOfTheSameTickCanBeCancelledByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWheel()
		defer w.Stop()
		var a, b Timer
		fired := 0
		w.Start(&a, time.Second, func() { fired++; w.Cancel(&b) })
		w.Start(&b, time.Second, func() { fired++; w.Cancel(&a) })
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 1, fired)
	})
}

func TestNothingFiresAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := NewWheel()
		var timer Timer
		w.Start(&timer, time.Second, func() { t.Error("fired") })
		w.Stop()
		time.Sleep(time.Minute)
	})
}

func BenchmarkWheel(b *testing.B) {
	w := NewWheel()
	defer w.Stop()
	timers := make([]Timer, 20_000)
	f := func() {}
	for i := range timers {
		w.Start(&timers[i], 25*time.Second+time.Duration(i)*time.Millisecond, f)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		w.Start(&timers[i], 25*time.Second+time.Duration(i)*time.Millisecond, f)
		i = (i + 1) % len(timers)
	}
	runtime.KeepAlive(timers)
}
