//go:build !race

package wire_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/internal/wire"
)

// The race detector makes pools forget on purpose, so these numbers hold without it only.
func TestAllocations(t *testing.T) {
	buf := make([]byte, 0, 4096)
	for name, decode := range map[string]float64{
		"login":    1 + 5, // the frame, and each string that is not empty
		"accepted": 1 + 2,
		"kicked":   1 + 1,
	} {
		f := samples[name]
		require.Zero(t, testing.AllocsPerRun(1000, func() { buf = wire.Append(buf[:0], f) }), "append %s", name)
		require.LessOrEqual(t, testing.AllocsPerRun(1000, func() { _, _ = wire.Decode(buf) }), decode, "decode %s", name)
	}
}
