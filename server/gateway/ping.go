package gateway

import (
	"math/rand/v2"
	"time"

	"github.com/opentim/tim/codes"
)

// pongTimeout is how long a client may be silent after a ping.
const pongTimeout = 10 * time.Second

// startTimer makes tick come after d, instead of when it was due before, if the phase is still the one that d is for.
func (c *conn) startTimer(in phase, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ticking == nil {
		c.ticking = c.tick
	}
	if c.phase == in {
		c.g.wheel.Start(&c.timer, d, c.ticking)
	}
}

// startPings pings the client for the first time sooner than later, so that clients who came together part.
func (c *conn) startPings() {
	interval := c.g.o.PingInterval
	c.startTimer(online, interval/2+rand.N(interval/2))
}

// tick is what the connection's only timer does, by phase. It runs on the wheel's goroutine and never waits.
func (c *conn) tick() {
	if c.turn(waiting, closing) {
		c.g.run(func() { c.reproach(codes.RequestTimeout, "no login in time") })
		return
	}
	c.mu.Lock()
	phase := c.phase
	c.mu.Unlock()
	switch phase {
	case opening, closing:
		c.drop()
	case answering:
		c.g.run(c.flush)
	case online:
		c.beat()
	}
}

// beat pings, or judges the answer to the last ping.
func (c *conn) beat() {
	if c.pinged {
		c.pinged = false
		if !c.heard.Load() {
			c.g.log.Debug("connection lost: no answer to a ping", "client", c.remote)
			c.drop()
			return
		}
		c.startTimer(online, c.g.o.PingInterval-pongTimeout)
		return
	}
	c.pinged = true
	c.heard.Store(false)
	c.startTimer(online, pongTimeout)
	c.g.run(func() {
		if s := c.socket.Load(); s != nil && s.ws.Ping(time.Now()) != nil {
			c.drop()
		}
	})
}
