package nats

import (
	"context"
	"time"
)

// Crash cuts this node off without a word, as a process that is killed.
func (r *Registry) Crash() {
	r.stop()
	r.conn.Close()
	r.loops.Wait()
}

// BePatient is for machines that are too busy to answer as fast as nodes must.
func (r *Registry) BePatient(d time.Duration) { r.times.patience = d }

// BeHasty shortens what takes long in stories.
func (r *Registry) BeHasty() {
	r.times.tombstone, r.times.stranger, r.times.tour = time.Second, 2*time.Second, 100*time.Millisecond
}

// Messages returns how many messages the buckets hold.
func (r *Registry) Messages(ctx context.Context) (n uint64, err error) {
	for i := range buckets {
		s, err := r.js.Stream(ctx, r.streamName(i))
		if err != nil {
			return 0, err
		}
		n += s.CachedInfo().State.Msgs
	}
	return n, nil
}

var (
	Token, Untoken = token, untoken
	EncodeSessions = encodeSessions
	DecodeSessions = decodeSessions
)
