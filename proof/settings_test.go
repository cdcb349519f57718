//go:build linux

package proof

import (
	"bytes"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A stricter setting is in force on every node within 2 s: also on one that the news cannot reach, which is cut off from NATS.
func TestSettingsAreInForceOnEveryNodeWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	c := startCluster(t, clusterOptions{})
	cut := c.nodes[2]
	phone := func(n *node, name string) *session {
		s, err := n.attempt(ctx, Device{name, name, codes.PlatformIOS}, false)
		require.NoError(t, err)
		t.Cleanup(func() { _ = s.conn.Drop() })
		_, err = n.attempt(ctx, Device{name + " web", name, codes.PlatformWeb}, false)
		require.NoError(t, err)
		return s
	}
	here, there := phone(c.nodes[0], "on the node that is asked"), phone(c.nodes[1], "on another node")
	for _, w := range cut.nats {
		require.NoError(t, w.swallow())
	}
	time.Sleep(4 * time.Second) // it notices
	began := time.Now()
	require.NoError(t, c.nodes[0].rest(ctx, "tim_admin/set_login_settings", wish(server.Settings{Policy: codes.PolicySingle}), nil))
	for what, s := range map[string]*session{"here": here, "there": there} {
		k, err := s.kicked(2 * time.Second)
		require.NoError(t, err, what)
		require.Equal(t, codes.KickMultipleDevice, k.Reason)
		t.Logf("%s: %s after it was set, the phone left", what, time.Since(began).Round(100*time.Microsecond))
	}
	require.Less(t, time.Since(began), 2*time.Second)
	soon(t, 2*time.Second-time.Since(began), "the node that is cut off knows", func() error {
		log, err := os.ReadFile(cut.log)
		if err != nil {
			return err
		}
		return errorIf(!bytes.Contains(log, []byte(`"msg":"settings are in force"`)), "it does not say so")
	})
	t.Logf("cut off: %s after it was set", time.Since(began).Round(time.Millisecond))
}
