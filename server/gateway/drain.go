package gateway

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// A Drain says how clients are sent away.
type Drain struct {
	// Over is the time over which they are told, in batches.
	Over time.Duration
	// Elsewhere says that other nodes can take them: they come back as soon as they are told. Otherwise they wait until this
	// node is likely to have restarted, and come back over the time that it needs for all of them.
	Elsewhere bool
}

// restart is how long a node is guessed to be away when it is restarted.
const restart = time.Second

// Drain sends every client away with the word to come back: to another node, or to this one when it has restarted. New
// logins are refused from now on. It returns when all have gone, or when ctx ends. Close comes next.
func (g *Gateway) Drain(ctx context.Context, d Drain) error {
	const beat = 100 * time.Millisecond
	g.draining.Store(true)
	all, window := g.seats.all(), g.reconnectWindow()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	g.log.Info("draining", "connections", len(all), "over", d.Over)

	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	beats := min(max(int(d.Over/beat), 1), len(all))
	for i := range beats {
		back := rand.N(time.Second)
		for _, c := range all[len(all)*i/beats : len(all)*(i+1)/beats] {
			if !d.Elsewhere {
				back = time.Duration(beats-i)*beat + restart + rand.N(window)
			}
			c.guarded(func() { c.sendAway(back) })
		}
		if i == beats-1 {
			break
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for g.anySignedIn() {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (c *conn) sendAway(back time.Duration) {
	code := codes.ServiceNotReady
	g := &goodbye{
		frame: &wire.Bye{Code: code, Text: code.Text(), Action: codes.ByeResume, RetryAfter: ceilMilliseconds(back)},
		close: code.CloseCode(),
		text:  code.Text(),
	}
	if c.leave(g) {
		c.sayLater(g)
	}
}

// anySignedIn reports whether there are WebSockets left; a goodbye may still be on its way.
func (g *Gateway) anySignedIn() bool {
	for _, c := range g.seats.all() {
		c.mu.Lock()
		phase := c.phase
		c.mu.Unlock()
		if phase != opening && phase != closed {
			return true
		}
	}
	return false
}
