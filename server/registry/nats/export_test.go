package nats

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
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

// FallBehind makes the replica that this node glances at keep every key as it was when it was looked at first.
func (r *Registry) FallBehind() {
	type answer struct {
		msg *jetstream.RawStreamMsg
		err error
	}
	var mu sync.Mutex
	first := map[place]answer{}
	look := r.look
	r.look = func(ctx context.Context, at place) (*jetstream.RawStreamMsg, error) {
		mu.Lock()
		defer mu.Unlock()
		a, known := first[at]
		if !known {
			a.msg, a.err = look(ctx, at)
			first[at] = a
		}
		return a.msg, a.err
	}
}

// HangGlances makes that replica answer no more, and counts who asks.
func (r *Registry) HangGlances() (n *atomic.Int32) {
	n = new(atomic.Int32)
	r.look = func(ctx context.Context, _ place) (*jetstream.RawStreamMsg, error) {
		n.Add(1)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return n
}

// StreamConfig is that of a bucket.
func (r *Registry) StreamConfig(i int) jetstream.StreamConfig { return r.streamConfig(i) }
