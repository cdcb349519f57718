package gateway

import (
	"sync/atomic"
	"time"
)

// Stats say how a Gateway copes. Counts are since New.
type Stats struct {
	Connections int           // of all kinds, now
	Backlog     int           // clients that were refused for the moment and whose turn is still to come
	Window      time.Duration // over which clients are told to come back if they are all thrown out
	Overloaded  uint64        // logins and resumes that were refused because there were too many at a time
	TurnedAway  uint64        // connections that a limit closed at once
	Flooding    uint64        // connections that ended because they sent too many frames
	Panics      uint64        // faults of this program that each cost a connection
}

// counts are what a Gateway counts.
type counts struct{ overloaded, turnedAway, flooding, panics atomic.Uint64 }

// Stats returns the present ones.
func (g *Gateway) Stats() Stats {
	return Stats{
		Connections: g.Online(), Backlog: g.admission.backlog(time.Now()), Window: g.reconnectWindow(),
		Overloaded: g.counts.overloaded.Load(), TurnedAway: g.counts.turnedAway.Load(), Flooding: g.counts.flooding.Load(),
		Panics: g.counts.panics.Load(),
	}
}

// backlog is how many turns were given out that are still to come.
func (a *admission) backlog(now time.Time) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(int(a.next.Sub(now).Seconds()*float64(a.limiter.Limit())), 0)
}
