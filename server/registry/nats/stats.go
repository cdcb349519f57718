package nats

import (
	"sync/atomic"
	"time"
)

type counters struct{ conflicts, unavailable, connects, walks atomic.Uint64 }

// Stats are what a registry has done since it was opened.
type Stats struct {
	Connected   bool
	LeaseAge    time.Duration // since this node renewed its lease last; others take it for dead at 6 s
	Conflicts   uint64        // compare-and-swaps that were lost and tried again
	Unavailable uint64        // requests that NATS did not answer in time
	Connects    uint64        // connections to NATS that were made, the first included
	Walks       uint64        // over a bucket, for the sessions of dead nodes
	OwnKeys     int           // users who have a session of this node
}

// Stats returns what this registry has done.
func (r *Registry) Stats() Stats {
	s := Stats{
		Connected: r.linked.Load(), Conflicts: r.stats.conflicts.Load(), Unavailable: r.stats.unavailable.Load(),
		Connects: r.stats.connects.Load(), Walks: r.stats.walks.Load(), LeaseAge: r.leases.age(),
	}
	r.index.mu.Lock()
	s.OwnKeys = len(r.index.own)
	r.index.mu.Unlock()
	return s
}

// age returns for how long this node has not renewed its lease: a heartbeat that could not be sent does not count.
func (l *leases) age() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.renewed.IsZero():
		return 0
	case !l.deaf.IsZero():
		return time.Since(l.deaf)
	}
	return time.Since(l.renewed)
}
