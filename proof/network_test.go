//go:build linux

package proof

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

var toxics = toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())

// A cable lies between two processes, or a client and a node, and can be bad.
type cable struct {
	addr  string // where it begins
	proxy *toxiproxy.Proxy

	mu  sync.Mutex
	bad map[string]bool
}

func newCable(t testing.TB, name, to string) *cable {
	t.Helper()
	w := &cable{proxy: toxiproxy.NewProxy(toxics, name, "127.0.0.1:0", to), bad: map[string]bool{}}
	require.NoError(t, w.proxy.Start())
	w.addr = w.proxy.Listen
	t.Cleanup(w.proxy.Stop)
	return w
}

// end is where to connect to: its far end, for who wants no wire in between.
func (w *cable) end(far bool) string {
	if far {
		return w.proxy.Upstream
	}
	return w.addr
}

// swallow loses all data from now on and keeps connections open, as a network that is parted does.
func (w *cable) swallow() error { return w.add("timeout", `"timeout": 0`) }

// delay makes all data late, by so many milliseconds each way, give or take half of it.
func (w *cable) delay(ms int) error {
	return w.add("latency", fmt.Sprintf(`"latency": %d, "jitter": %d`, ms, ms/2))
}

func (w *cable) add(kind, attributes string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, stream := range []string{"upstream", "downstream"} {
		name := kind + " " + stream
		if w.bad[name] {
			continue
		}
		text := fmt.Sprintf(`{"name": %q, "type": %q, "stream": %q, "attributes": {%s}}`, name, kind, stream, attributes)
		if _, err := w.proxy.Toxics.AddToxicJson(strings.NewReader(text)); err != nil {
			return err
		}
		w.bad[name] = true
	}
	return nil
}

// mend makes it good again.
func (w *cable) mend(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name := range w.bad {
		if err := w.proxy.Toxics.RemoveToxic(ctx, name); err != nil {
			return err
		}
		delete(w.bad, name)
	}
	return nil
}
