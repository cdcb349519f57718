package nats

import "time"

// LeaseAge is how long ago this node's lease was renewed last, or since when it cannot be. A lease ends when it is 6 s old.
func (r *Registry) LeaseAge() time.Duration { return r.leases.age() }

// Conflicts counts the updates of keys that had to be made anew because another node was faster.
func (r *Registry) Conflicts() uint64 { return r.conflicts.Load() }

// age is that of this node's last heartbeat that can have been heard.
func (l *leases) age() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.renewed.IsZero(): // it has not joined
		return 0
	case !l.deaf.IsZero():
		return time.Since(l.deaf)
	}
	return time.Since(l.renewed)
}
