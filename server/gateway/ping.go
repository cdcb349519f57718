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
		c.timed = in
		c.g.wheel.Start(&c.timer, d, c.ticking)
	}
}

// stopTimer makes a tick that is on its way come to nothing, too. The caller holds mu.
func (c *conn) stopTimer() {
	c.timed = closed // when nothing ticks
	c.g.wheel.Cancel(&c.timer)
}

// startPings pings the client for the first time sooner than later, so that clients who came together part.
func (c *conn) startPings() {
	interval := c.g.o.PingInterval
	c.startTimer(online, interval/2+rand.N(interval/2))
}

// tick is what the connection's only timer does, by phase. It runs on the wheel's goroutine and never waits.
func (c *conn) tick() {
	defer c.guard()
	switch c.due() {
	case waiting:
		c.run(func() { c.reproach(codes.RequestTimeout, "no login in time") })
	case opening, closing:
		c.drop()
	case answering:
		c.run(c.flush)
	case online:
		c.beat()
	}
}

// due returns the phase for which the time is over, or closed if the timer was stopped or started anew when it rang. Who waits
// for a login waits no more.
func (c *conn) due() phase {
	c.mu.Lock()
	defer c.mu.Unlock()
	phase := c.phase
	if phase != c.timed || c.g.wheel.Running(&c.timer) {
		return closed
	}
	if phase == waiting {
		c.phase = closing
	}
	return phase
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
	c.run(func() {
		if s := c.socket.Load(); s != nil {
			c.written(s.ws.Ping(time.Now()))
		}
	})
}
