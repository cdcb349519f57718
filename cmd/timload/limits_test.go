package main

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestConnectionsAreCutToTheDescriptorLimit(t *testing.T) {
	for _, c := range []struct {
		name   string
		wanted int
		limit  uint64
		got    int
		said   bool
	}{
		{"fits", 19000, 20000, 19000, false},
		{"does not fit", 19001, 20000, 19000, true},
		{"a small limit", 19000, 1024, 24, true},
		{"less than is kept", 10, 999, 0, true},
		{"no limit", 100000, math.MaxUint64, 100000, false},
	} {
		got, why := cutToLimit(c.wanted, c.limit)
		require.Equal(t, c.got, got, c.name)
		require.Equal(t, c.said, why != "", c.name)
	}
}

func TestOnlyLoopbackIsLoaded(t *testing.T) {
	for _, fine := range []string{"127.0.0.1:80", "127.8.9.10:443", "[::1]:80"} {
		require.NoError(t, mustBeLoopback(fine), fine)
	}
	for _, not := range []string{"", "10.0.0.1:80", "example.com:80", "localhost:80", "0.0.0.0:80", "127.0.0.1", "[::ffff:8.8.8.8]:80"} {
		require.ErrorContains(t, mustBeLoopback(not), "loopback", not)
	}
	_, err := newDialer("192.168.1.1:80", nil)
	require.Error(t, err)
}
