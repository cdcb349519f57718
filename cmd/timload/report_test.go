package main

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestGoalsJudgeTheMedian(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		goal   goal
		met    bool
	}{
		{"above the floor", []float64{0.8, 0.96, 1.2}, atLeast("x", 0.95), true},
		{"exactly the floor", []float64{0.95}, atLeast("x", 0.95), true},
		{"below the floor in the middle", []float64{0.9, 0.94, 1.2}, atLeast("x", 0.95), false},
		{"below the ceiling", []float64{1.2, 1.0, 1.04}, atMost("x", 1.05), true},
		{"above the ceiling", []float64{1.06}, atMost("x", 1.05), false},
		{"rounds without a ratio do not count", []float64{math.NaN(), 1}, atMost("x", 1.05), true},
		{"nothing but no ratio", []float64{math.NaN()}, atMost("x", 1.05), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out, log bytes.Buffer
			r := &report{out: &out, log: &log, goals: []goal{c.goal}}
			for _, v := range c.values {
				r.add("x", "", v)
			}
			err := r.finish(true)
			if c.met {
				require.NoError(t, err)
				require.Regexp(t, `x .* met`, log.String())
			} else {
				require.ErrorIs(t, err, errMissed)
				require.ErrorContains(t, err, "x")
				require.Regexp(t, `x .* MISSED`, log.String())
			}
			require.NoError(t, r.finish(false), "without --check nothing fails")
		})
	}
}

func TestAFigureThatWasNotTakenMissesItsGoal(t *testing.T) {
	r := &report{out: &bytes.Buffer{}, log: &bytes.Buffer{}, goals: []goal{atLeast("rate_vs_centrifuge", 1.15)}}
	require.ErrorIs(t, r.finish(true), errMissed)
}

func TestTheSummaryIsOneLineOfJSON(t *testing.T) {
	var out bytes.Buffer
	r := &report{out: &out, log: &bytes.Buffer{}, goals: []goal{atMost("cpu", 10)}}
	for _, v := range []float64{9, 7, 8} {
		r.add("cpu", "µs", v)
	}
	r.add("rate", "", 100)
	require.NoError(t, r.finish(true))
	require.Equal(t, 1, bytes.Count(out.Bytes(), []byte("\n")))
	var got map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &got))
	require.Equal(t, "summary", got["event"])
	require.Equal(t, []any{}, got["missed"])
	require.Equal(t, []any{
		map[string]any{"name": "cpu", "unit": "µs", "median": 8.0, "min": 7.0, "max": 9.0, "rounds": 3.0, "goal": "≤ 10", "met": true},
		map[string]any{"name": "rate", "median": 100.0, "min": 100.0, "max": 100.0, "rounds": 1.0},
	}, got["figures"])
}

func TestGoalsCanBeChanged(t *testing.T) {
	goals := []goal{atLeast("rate", 0.95), atMost("cpu", 1.05)}
	changed, err := changeGoals(goals, []string{"cpu=1.2", "rate=0.5", "cpu=1.3"})
	require.NoError(t, err)
	require.Equal(t, []goal{atLeast("rate", 0.5), atMost("cpu", 1.3)}, changed)
	require.Equal(t, 0.95, goals[0].limit, "the defaults stay")
	for _, wrong := range []string{"cpu", "cpu=", "cpu=fast", "speed=1", "=1", ""} {
		_, err := changeGoals(goals, []string{wrong})
		require.ErrorContains(t, err, "rate, cpu", wrong)
	}
}

func TestNumbersHaveAsManyDigitsAsTheyDeserve(t *testing.T) {
	for v, want := range map[float64]string{0: "0", 1: "1", 19000: "19000", 0.954: "0.95", 12.345: "12.3", 6123.4: "6123", -0.5: "-0.50"} {
		require.Equal(t, want, number(v))
	}
}
