package gateway

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestALogIsNoWeapon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		n := newNoise(slog.New(slog.NewTextHandler(&b, nil)))
		for range 10_000 {
			n.warn("nonsense")
		}
		require.Equal(t, 200, strings.Count(b.String(), "\n"))
		time.Sleep(time.Second)
		b.Reset()
		n.info("more", "client", 1)
		require.Contains(t, b.String(), "lines_left_out=9800")
	})
}
