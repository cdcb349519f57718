package gateway

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhoIsRefusedGetsATurnAtTheRateOfAdmission(t *testing.T) {
	a := newAdmission(10)
	now := time.Now()
	admitted := 0
	var waits []time.Duration
	for range 60 {
		if ok, wait := a.allow(now); ok {
			admitted++
		} else {
			waits = append(waits, wait)
		}
	}
	require.Equal(t, 11, admitted, "a burst of a second")
	for i, wait := range waits {
		require.Equal(t, time.Second+time.Duration(i+1)*100*time.Millisecond, wait)
	}

	// All come back in their turn and are admitted.
	for _, wait := range waits {
		ok, _ := a.allow(now.Add(wait))
		require.True(t, ok)
	}
}

func TestWaitsAreBounded(t *testing.T) {
	a := newAdmission(1)
	now := time.Now()
	for range 1000 {
		ok, wait := a.allow(now)
		require.True(t, ok || wait > 0 && wait <= maxWait, wait)
	}
}

func TestCapacityFollowsWhatAdmissionsCost(t *testing.T) {
	if processCPU() == 0 {
		t.Skip("this system does not tell its CPU time")
	}
	a := newAdmission(0)
	before := float64(a.limiter.Limit())
	require.Equal(t, firstGuess*float64(runtime.GOMAXPROCS(0)), before)
	require.InDelta(t, before*share, a.comeback(), 1)

	now := time.Now()
	a.allow(now)                                                            // begins the sample
	for began := processCPU(); processCPU()-began < 400*time.Millisecond; { // 200 µs for each
	}
	for range sample - 1 {
		now = now.Add(100 * time.Microsecond)
		a.allow(now)
	}
	after := float64(a.limiter.Limit())
	expected := (before + float64(runtime.GOMAXPROCS(0))*sample/0.4) / 2
	require.InEpsilon(t, expected, after, 0.3)
}

func TestWhatIsFixedIsNotMeasured(t *testing.T) {
	a := newAdmission(1e6)
	now := time.Now()
	for range 3 * sample {
		a.allow(now)
	}
	require.Equal(t, 1e6, float64(a.limiter.Limit()))
	require.Equal(t, 1e6, a.comeback())
}
