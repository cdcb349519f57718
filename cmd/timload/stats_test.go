package main

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPercentileIsTheNearestRank(t *testing.T) {
	ten := func() []time.Duration {
		return []time.Duration{3, 1, 2, 10, 9, 8, 4, 5, 6, 7}
	}
	for p, want := range map[float64]time.Duration{0: 1, 0.1: 1, 0.11: 2, 0.5: 5, 0.9: 9, 0.99: 10, 1: 10} {
		require.Equal(t, want, percentile(ten(), p), "p%v", p*100)
	}
	require.Zero(t, percentile(nil, 0.5), "of nothing")
	require.Equal(t, time.Duration(7), percentile([]time.Duration{7}, 0.99), "of one")
}

func TestSpreadIsMedianAndExtremes(t *testing.T) {
	require.Equal(t, spread{}, spreadOf(nil))
	require.Equal(t, spread{Median: 2, Min: 1, Max: 9}, spreadOf([]float64{9, 1, 2}))
	require.Equal(t, spread{Median: 2.5, Min: 1, Max: 9}, spreadOf([]float64{9, 1, 2, 3}), "the mean of the middle two")
	values := []float64{3, 1, 2}
	spreadOf(values)
	require.Equal(t, []float64{3, 1, 2}, values, "the rounds keep their order")
}

func TestARatioToNothingIsNoNumber(t *testing.T) {
	require.Equal(t, 1.5, ratio(3, 2))
	require.True(t, math.IsNaN(ratio(3, 0)))
}
