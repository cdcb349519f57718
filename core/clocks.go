package core

import "time"

// A moment is one instant on both clocks of this machine. A deadline has passed when either clock says so: the steady
// clock stops while a phone sleeps, and the wall clock jumps when somebody sets it. The zero moment is no moment.
type moment struct {
	wall time.Duration // since 1970
	mono time.Duration // since the client was opened
}

func (m moment) add(d time.Duration) moment { return moment{m.wall + d, m.mono + d} }

// until returns how long it is from now to m, by the clock that gets there first.
func (m moment) until(now moment) time.Duration { return min(m.mono-now.mono, m.wall-now.wall) }

// since returns how long ago m was, by the clock that went further.
func (m moment) since(now moment) time.Duration { return max(now.mono-m.mono, now.wall-m.wall) }

// reached reports whether m is set and has passed.
func (m moment) reached(now moment) bool { return m.set() && m.until(now) <= 0 }

func (m moment) set() bool { return m != moment{} }

// clocks are the two clocks of this machine.
type clocks struct {
	opened time.Time
	wall   func() time.Time // nil means time.Now; tests set it, or sleep
}

func newClocks(wall func() time.Time) *clocks { return &clocks{opened: time.Now(), wall: wall} }

func (c *clocks) now() moment {
	now := time.Now() // reads both clocks
	wall := now
	if c.wall != nil {
		wall = c.wall()
	}
	return moment{time.Duration(wall.UnixNano()), now.Sub(c.opened)}
}

// serverTime is the server's clock, as it stood at one moment here. It never changes; a better one replaces it.
type serverTime struct {
	clocks *clocks
	server time.Time
	here   moment
}

// now goes on from there by the clock that went further: a machine that slept must count the night, and a clock that was
// set back must not turn the server's back. A clock that was set forward is wrong until the server's next ping.
func (t *serverTime) now() time.Time { return t.at(t.clocks.now()) }

func (t *serverTime) at(now moment) time.Time { return t.server.Add(t.here.since(now)) }

// offset is the server's clock minus this machine's, for those who read the wall clock themselves.
func (t *serverTime) offset(now moment) time.Duration {
	return time.Duration(t.at(now).UnixNano()) - now.wall
}

// millis turns a number of milliseconds from the wire into a duration between 0 and a day.
func millis(ms int64) time.Duration {
	const day = 24 * time.Hour
	return time.Duration(min(max(ms, 0), day.Milliseconds())) * time.Millisecond
}

// unixMillis turns a time from the wire into a time between 1970 and 2200, so that no sum with it leaves the range of a
// Duration since 1970; 0 is the zero time.
func unixMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return sane(ms)
}

func sane(ms int64) time.Time {
	const in2200 = 7_258_118_400_000
	return time.UnixMilli(min(max(ms, 0), in2200))
}
