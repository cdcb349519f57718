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
	// Back and Spread say when each shall come back: Back after it was told, and up to Spread later.
	Back, Spread time.Duration
}

// Drain sends every client away with the word to come back: to another node, or to this one when it has restarted. New
// logins are refused from now on. It returns when all have gone, or when ctx ends. Close comes next.
func (g *Gateway) Drain(ctx context.Context, d Drain) error {
	const beat = 100 * time.Millisecond
	g.draining.Store(true)
	all := g.seats.all()
	rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	g.log.Info("draining", "connections", len(all), "over", d.Over)

	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	beats := max(int(d.Over/beat), 1)
	for i := range beats {
		for _, c := range all[len(all)*i/beats : len(all)*(i+1)/beats] {
			c.sendAway(d)
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

func (c *conn) sendAway(d Drain) {
	back := d.Back
	if d.Spread > 0 {
		back += rand.N(d.Spread)
	}
	code := codes.ServiceNotReady
	c.farewell(&goodbye{
		frame: &wire.Bye{Code: code, Text: code.Text(), Action: codes.ByeResume, RetryAfter: ceilMilliseconds(back)},
		close: code.CloseCode(),
		text:  code.Text(),
	})
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
