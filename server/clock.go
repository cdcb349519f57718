package server

import (
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxAhead is how far another node's clock may be ahead of this one's to be followed. One that is further ahead is wrong,
	// and its logins must not make those of all nodes look as wrong as they do.
	maxAhead = 10 * time.Second

	// aheadFor is how long a reading counts: of several, the one with the shortest way here is the best.
	aheadFor = 30 * time.Second

	complainEvery = time.Minute
)

// A clock gives out LoginSeqs: microseconds since 1970, never the same twice and never backwards, even if the wall clock
// goes back. They stay below 2^53 until the year 2255, so that every JSON reader keeps them exact.
//
// It goes with the fastest clock of the cluster, as far as this node has heard. So two logins that nodes admitted without
// knowing of each other, while the registry was away, are in the order in which they happened, though the wall clocks of the
// nodes differ by seconds.
type clock struct {
	last  atomic.Uint64
	ahead atomic.Int64 // microseconds from this node's wall clock to the cluster's; never negative

	mu            sync.Mutex
	began         time.Time // of newest
	older, newest int64     // the largest that was heard since, and in the time before that
	complained    time.Time // when a wrong clock was last spoken of
}

// next returns a number that is newer than all before it, and now by the cluster's clock if that is possible.
func (c *clock) next() uint64 { return c.after(0) }

// after is next, and newer than n.
func (c *clock) after(n uint64) uint64 {
	for {
		last := c.last.Load()
		next := max(uint64(time.Now().UnixMicro()+c.ahead.Load()), last+1, n+1)
		if c.last.CompareAndSwap(last, next) {
			return next
		}
	}
}

// hear takes a reading of another node's clock, made a moment ago. It reports whether that clock is too far ahead to be
// followed and nobody was told so for a minute.
func (c *clock) hear(reading time.Time) (complain bool) {
	now := time.Now()
	ahead := reading.Sub(now)
	c.mu.Lock()
	defer c.mu.Unlock()
	if ahead > maxAhead {
		complain = now.Sub(c.complained) > complainEvery
		if complain {
			c.complained = now
		}
		return complain
	}
	if now.Sub(c.began) > aheadFor {
		c.began, c.older, c.newest = now, c.newest, 0
	}
	c.newest = max(c.newest, ahead.Microseconds())
	c.ahead.Store(max(c.newest, c.older))
	return false
}

// behind returns how far this node's wall clock is behind the cluster's.
func (c *clock) behind() time.Duration { return time.Duration(c.ahead.Load()) * time.Microsecond }

// now returns what the cluster's clock says.
func (c *clock) now() time.Time { return time.Now().Add(c.behind()) }

// loginSeq returns the LoginSeq of a login that the clock of its node stamped with tick, into a key with these sessions: the
// newest of all, whatever the clocks of other nodes say.
func loginSeq(tick uint64, sessions []Session) uint64 {
	for i := range sessions {
		tick = max(tick, sessions[i].LoginSeq+1)
	}
	return tick
}
