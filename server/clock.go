package server

import (
	"sync/atomic"
	"time"
)

// A clock gives out LoginSeqs: microseconds since 1970, never the same twice and never backwards, even if the wall clock
// goes back. They stay below 2^53 until the year 2255, so that every JSON reader keeps them exact.
type clock struct{ last atomic.Uint64 }

// next returns a number that is newer than all before it, and now by the wall clock if that is possible.
func (c *clock) next() uint64 {
	for {
		last := c.last.Load()
		n := max(uint64(time.Now().UnixMicro()), last+1)
		if c.last.CompareAndSwap(last, n) {
			return n
		}
	}
}

// loginSeq returns the LoginSeq of a login that the clock of its node stamped with tick, into a key with these sessions: the
// newest of all, whatever the clocks of other nodes say.
func loginSeq(tick uint64, sessions []Session) uint64 {
	for i := range sessions {
		tick = max(tick, sessions[i].LoginSeq+1)
	}
	return tick
}
