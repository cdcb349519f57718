//go:build !race

package ws

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The race detector makes pools forget on purpose, so these numbers hold without it only.
func TestAllocationsOfAFirstFrame(t *testing.T) {
	header := firstHeader(aLogin)
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { _, _ = decodeFirst(header) }), float64(1+5), "the frame and its strings")
	require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { firstHeader(aLogin) }), float64(5), "the map, its room, the list, the text twice")
}
