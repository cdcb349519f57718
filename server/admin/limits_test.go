package admin

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

func TestAnAppDoesNotCallTooOftenWithAllCommandsTogether(t *testing.T) {
	var l limits
	taken := 0
	for _, cmd := range commands {
		for range cmd.rate {
			err := l.take(1, cmd)
			if errors.Is(err, codes.AppTooOften) {
				require.InDelta(t, appRate, taken, appRate/10, "it has about so many at once")
				require.NoError(t, l.take(2, cmd), "another app has limits of its own")
				return
			}
			require.NoError(t, err)
			taken++
		}
	}
	t.Fatalf("%d calls at once were taken", taken)
}
