package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhoIsMissingIsNotForgotten(t *testing.T) {
	killed := time.Now()
	h := newHerd(nil, 100)
	h.reset()
	for i := range 98 {
		h.returned(h.phones[i], true, time.Duration(i)*time.Millisecond)
		h.back[i] = killed.Add(time.Duration(i) * time.Second)
	}
	c := h.account(killed, time.Hour)
	require.Equal(t, 2, c.Missing)
	require.EqualValues(t, 98, c.Resumed)
	require.Equal(t, 49.0, c.BackP50)
	require.Equal(t, 3600.0, c.BackP99, "99 % were not back in time")
}

func TestAClientComesBackOncePerDisaster(t *testing.T) {
	h := newHerd(nil, 1)
	h.reset()
	h.returned(h.phones[0], true, time.Second)
	h.returned(h.phones[0], false, 2*time.Second) // lost again on the way
	require.Len(t, h.back, 1)
	require.Equal(t, []time.Duration{time.Second}, h.took)
	h.reset()
	h.returned(h.phones[0], false, time.Second)
	require.Len(t, h.back, 1)
	require.EqualValues(t, 1, h.loggedIn.Load())
}
