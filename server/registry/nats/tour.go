package nats

import (
	"context"
	"iter"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/opentim/tim/server"
)

// Orphans returns this node's share of the users who have a session on a dead node: those in the buckets that fall to it. Each
// bucket is walked over once after a death, by the node that it falls to; after that it is known who is left.
func (r *Registry) Orphans(ctx context.Context, node server.NodeID) iter.Seq2[server.UserKey, error] {
	return func(yield func(server.UserKey, error) bool) {
		share, err := r.share(ctx)
		if err != nil {
			yield(server.UserKey{}, err)
			return
		}
		died, dead := r.leases.died(node)
		if !dead { // it was heard again
			return
		}
		for _, i := range share {
			if !r.index.walkedSince(i, died) {
				err = r.tour(ctx, i)
			}
			if err != nil {
				yield(server.UserKey{}, r.unavailable(ctx, "walk over the keys", err))
				return
			}
		}
		mine := func(key server.UserKey) bool { return slices.Contains(share, r.place(key).bucket) }
		for _, key := range r.index.deadKeys(node, mine) {
			if !yield(key, nil) {
				return
			}
		}
	}
}

// share returns the buckets that fall to this node: each to the live node whose name makes the greatest number with it, so
// that few change hands when a node comes or goes.
func (r *Registry) share(ctx context.Context) ([]int, error) {
	alive, err := r.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	var mine []int
	for i := range buckets {
		best, score := r.node, uint32(0)
		for _, n := range alive {
			if s := hash(string(n) + " " + strconv.Itoa(i)); s >= score {
				best, score = n, s
			}
		}
		if best == r.node {
			mine = append(mine, i)
		}
	}
	return mine, nil
}

// tour walks over a bucket and notes the keys of dead nodes, and nodes that nobody has heard of.
func (r *Registry) tour(ctx context.Context, bucket int) error {
	began := time.Now()
	alive, err := r.Nodes(ctx)
	if err != nil {
		return err
	}
	dead := map[server.NodeID][]server.UserKey{}
	w := walk{r: r, bucket: bucket, visit: func(key server.UserKey, sessions []server.Session) bool {
		if r.index.written(key) == 0 { // its own, of a write that nobody answered
			r.index.wrote(key, sessions, r.node)
		}
		for i := range sessions {
			node := sessions[i].Node
			if list := dead[node]; !slices.Contains(alive, node) && (len(list) == 0 || list[len(list)-1] != key) {
				dead[node] = append(list, key)
			}
		}
		return true
	}}
	if _, err := w.run(ctx); err != nil {
		return err
	}
	r.index.found(bucket, began, dead, func(key server.UserKey) int { return r.place(key).bucket })
	r.leases.named(dead, r.times.stranger)
	return nil
}

// tourLoop walks over this node's share of the buckets soon after it joined, and then over one at a time for ever.
func (r *Registry) tourLoop() {
	if !r.rest(2 * renewEvery) { // until it has heard of the others
		return
	}
	for last := 0; ; last++ {
		share, err := r.share(r.life)
		if err == nil && len(share) > 0 {
			next := share[last%len(share)]
			fresh := slices.IndexFunc(share, func(i int) bool { return !r.index.walkedSince(i, time.Time{}) })
			if fresh >= 0 {
				next = share[fresh]
			}
			if r.tour(r.life, next) == nil && fresh >= 0 {
				continue // the first time, one after the other
			}
		}
		if !r.rest(r.times.tour/2 + rand.N(r.times.tour)) {
			return
		}
	}
}

// rest waits, and returns false when the registry is closed.
func (r *Registry) rest(d time.Duration) bool {
	select {
	case <-r.life.Done():
		return false
	case <-time.After(d):
		return true
	}
}
