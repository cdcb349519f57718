package nats

import (
	"slices"
	"sync"
	"time"

	"github.com/opentim/tim/server"
)

// An index knows keys by the nodes of their sessions, so that nobody has to walk over all of them every few seconds.
//
// A node's own keys are those that it wrote itself: nobody else puts a session of it into a key first. The keys of dead nodes
// are found by walking over each bucket once after a death; after that they only become fewer.
type index struct {
	mu     sync.Mutex
	own    map[server.UserKey]uint64 // when it was written last, by writes
	writes uint64                    // counts
	dead   map[server.NodeID]map[server.UserKey]struct{}
	walked [buckets]time.Time // when the last walk over each began; zero for never
}

func newIndex() *index {
	return &index{own: make(map[server.UserKey]uint64), dead: make(map[server.NodeID]map[server.UserKey]struct{})}
}

// wrote notes that this node writes key, with sessions of which one may be its own. It is called before the write and after
// it, so that what is read meanwhile counts as older.
func (x *index) wrote(key server.UserKey, sessions []server.Session, self server.NodeID) {
	if !names(sessions, self) {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.writes++
	x.own[key] = x.writes
}

// written returns when key was written last: what is read after that is as new.
func (x *index) written(key server.UserKey) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.own[key]
}

// read notes what key was found to hold, unless this node has written it since.
func (x *index) read(key server.UserKey, sessions []server.Session, self server.NodeID, written uint64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if n, mine := x.own[key]; mine && n == written && !names(sessions, self) {
		delete(x.own, key)
	}
	for node, keys := range x.dead {
		if _, found := keys[key]; found && !names(sessions, node) {
			delete(keys, key)
		}
	}
}

// found replaces what is known of a bucket's keys of dead nodes by what a walk that began then came to.
func (x *index) found(bucket int, began time.Time, keys map[server.NodeID][]server.UserKey, of func(server.UserKey) int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for node, old := range x.dead {
		for key := range old {
			if of(key) == bucket {
				delete(old, key)
			}
		}
		if len(old) == 0 {
			delete(x.dead, node)
		}
	}
	for node, list := range keys {
		if x.dead[node] == nil {
			x.dead[node] = make(map[server.UserKey]struct{}, len(list))
		}
		for _, key := range list {
			x.dead[node][key] = struct{}{}
		}
	}
	x.walked[bucket] = began
}

// walkedSince reports whether a walk over the bucket began after t.
func (x *index) walkedSince(bucket int, t time.Time) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.walked[bucket].After(t)
}

func (x *index) ownKeys() []server.UserKey {
	x.mu.Lock()
	defer x.mu.Unlock()
	list := make([]server.UserKey, 0, len(x.own))
	for key := range x.own {
		list = append(list, key)
	}
	return list
}

// deadKeys returns what is known of a dead node, in the buckets that are wanted.
func (x *index) deadKeys(node server.NodeID, wanted func(server.UserKey) bool) (list []server.UserKey) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for key := range x.dead[node] {
		if wanted(key) {
			list = append(list, key)
		}
	}
	return list
}

func names(sessions []server.Session, node server.NodeID) bool {
	return slices.ContainsFunc(sessions, func(s server.Session) bool { return s.Node == node })
}
