//go:build linux

package baddays

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
)

var cuts string // for the page

// A connection is reset after each number of bytes that a login takes: somewhere in the handshake, in a frame, or between
// them. The login that began over it succeeds over the next one.
func TestALoginThatIsCutAtAnyByteSucceedsAllTheSame(t *testing.T) {
	server := newServer(t, "", "127.0.0.1:0", nil)
	address := server.address()
	bytes := 0
	count := func(ctx context.Context, network, _ string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return &counted{conn, &bytes}, err
	}
	_, err := logIn(t, "nobody", core.Options{NetDial: count})
	require.NoError(t, err)

	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	room := make(chan struct{}, 100)
	step := atFull(1, 13)
	for cut := 0; cut <= bytes; cut += step {
		room <- struct{}{}
		all.Go(func() {
			defer func() { <-room }()
			c := newCutter(t, address)
			c.limit = cut
			one, err := logIn(t, fmt.Sprintf("cut%d", cut), core.Options{URL: "ws://" + c.Addr().String()})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("cut after %d bytes: %v", cut, err)
			}
			took = append(took, one)
		})
	}
	all.Wait()
	slices.Sort(took)
	cuts = fmt.Sprintf("%d logins over connections that were reset, each after another number of bytes up to %d, which is what a login takes: all "+
		"succeeded over the next connection, half of them within %s, the last within %s.", len(took), bytes, seconds(took[len(took)/2]), seconds(took[len(took)-1]))
	t.Log(cuts)
}

func logIn(t *testing.T, user string, o core.Options) (time.Duration, error) {
	o.App, o.Platform = app, codes.PlatformAndroid
	if o.URL == "" {
		o.URL = "ws://127.0.0.1:1"
	}
	o.Listener = func(core.Event) {}
	client, err := core.Open(o)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	began := time.Now()
	_, err = client.Login(context.Background(), user, ticketOf(t, user))
	return time.Since(began), err
}

// counted counts what passes.
type counted struct {
	net.Conn
	bytes *int
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	*c.bytes += n
	return n, err
}

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	*c.bytes += n
	return n, err
}
