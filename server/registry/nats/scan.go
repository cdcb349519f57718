package nats

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/opentim/tim/server"
)

const (
	scanBatch = 256             // keys in memory at a time
	scanTime  = 2 * time.Second // how long one step may take: nobody who logs in waits for it
	scanIdle  = 5 * time.Minute // NATS forgets a walk that nobody goes on with for so long
)

// UsersOn returns the users who have a session on a node. For this node itself that is known; for another one it walks over all
// keys, one bucket after the other, and each step may wait up to 2 s for NATS. A user whose key changes meanwhile may come
// twice.
func (r *Registry) UsersOn(ctx context.Context, node server.NodeID) iter.Seq2[server.UserKey, error] {
	return func(yield func(server.UserKey, error) bool) {
		if err := r.usable(); err != nil {
			yield(server.UserKey{}, err)
			return
		}
		if node == r.node {
			for _, key := range r.index.ownKeys() {
				if !yield(key, nil) {
					return
				}
			}
			return
		}
		for i := range buckets {
			w := walk{r: r, bucket: i, visit: func(key server.UserKey, sessions []server.Session) bool {
				return !names(sessions, node) || yield(key, nil)
			}}
			more, err := w.run(ctx)
			if err != nil {
				yield(server.UserKey{}, r.unavailable(ctx, "walk over the keys", err))
			}
			if err != nil || !more {
				return
			}
		}
	}
}

// A walk goes over the keys of a bucket once.
type walk struct {
	r      *Registry
	bucket int
	visit  func(key server.UserKey, sessions []server.Session) (more bool)

	next uint64 // which message of the walk comes next
	left uint64 // how many come after it
}

var errGap = errors.New("keys were lost on the way")

// run returns whether the caller wants more.
func (w *walk) run(ctx context.Context) (more bool, err error) {
	limited, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	stream, err := w.r.stream(w.bucket)
	if err != nil {
		return false, err
	}
	c, err := stream.CreateConsumer(limited, jetstream.ConsumerConfig{
		DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckNonePolicy,
		MemoryStorage: true, Replicas: 1, InactiveThreshold: scanIdle,
	})
	if err != nil {
		return false, err
	}
	defer func() {
		bye, cancel := context.WithTimeout(context.WithoutCancel(ctx), scanTime)
		defer cancel()
		_ = stream.DeleteConsumer(bye, c.CachedInfo().Name) // or NATS forgets it by itself
	}()
	w.left = c.CachedInfo().NumPending
	// Keys that change meanwhile go to the end. Where logins come faster than the caller walks, that has to end, too.
	most := 2*w.left + scanBatch
	for w.left > 0 && w.next < most {
		if more, err := w.batch(ctx, c); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// batch takes the next keys. None at all within the time means that those that were left were replaced meanwhile, or that
// NATS is away.
func (w *walk) batch(ctx context.Context, c jetstream.Consumer) (more bool, err error) {
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	want := min(w.left, scanBatch)
	batch, err := c.Fetch(int(want), jetstream.FetchMaxWait(scanTime))
	if err != nil {
		return false, err
	}
	list := make([]jetstream.Msg, 0, want)
	for msg := range batch.Messages() {
		list = append(list, msg)
	}
	if err := batch.Error(); err != nil {
		return false, err
	}
	if len(list) == 0 {
		return true, w.recount(ctx, c)
	}
	for _, msg := range list {
		meta, err := msg.Metadata()
		if err != nil {
			return false, err
		}
		if w.next++; meta.Sequence.Consumer != w.next {
			return false, errGap
		}
		w.left = meta.NumPending
		if !w.look(msg) {
			return false, nil
		}
	}
	return true, nil
}

func (w *walk) recount(ctx context.Context, c jetstream.Consumer) error {
	limited, cancel := context.WithTimeout(ctx, scanTime)
	defer cancel()
	info, err := c.Info(limited)
	switch {
	case err != nil:
		return err
	case info.Delivered.Consumer != w.next:
		return errGap
	}
	w.left = info.NumPending
	return nil
}

// look looks at one key and returns whether the caller wants more.
func (w *walk) look(msg jetstream.Msg) bool {
	if len(msg.Data()) == 0 { // removed
		return true
	}
	key, err := w.r.userKey(w.bucket, msg.Subject())
	var sessions []server.Session
	if err == nil {
		sessions, err = decodeSessions(key, msg.Data())
	}
	if err != nil { // nobody's sessions; whoever updates the key is told
		w.r.o.Logger.Warn("registry: a key cannot be read", "key", msg.Subject(), "error", fmt.Sprint(err))
		return true
	}
	return w.visit(key, sessions)
}
