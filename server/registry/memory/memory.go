// Package memory is the registry that needs nothing: sharded maps in this process. It is the default of a single node, and
// the reference for other registries. A Cluster is what several nodes in one process share, for tests. With a journal, a node
// that was killed knows who was signed in.
package memory

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/server"
)

const (
	shards    = 256
	lease     = 6 * time.Second // how long a node that crashed counts as alive
	kickLimit = 2 * time.Second // how long a node may be silent
)

// A Cluster holds the sessions of all users. It lives as long as the process.
type Cluster struct {
	seed     maphash.Seed
	shards   [shards]shard
	revision atomic.Uint64 // the highest that a key was given

	mu    sync.RWMutex
	nodes map[server.NodeID]*Registry // joined and not closed
}

// A shard holds the sessions of some users. A stored slice is never changed, only replaced.
type shard struct {
	mu    sync.Mutex
	users map[server.UserKey][]server.Session
	dirty []server.UserKey // that the journal has to note
}

// NewCluster returns a Cluster without nodes.
func NewCluster() *Cluster {
	c := &Cluster{seed: maphash.MakeSeed(), nodes: make(map[server.NodeID]*Registry)}
	for i := range c.shards {
		c.shards[i].users = make(map[server.UserKey][]server.Session)
	}
	return c
}

// Open returns the view of one more node.
func (c *Cluster) Open() *Registry { return &Registry{cluster: c} }

// Open returns the registry of a node that is alone.
func Open() *Registry { return NewCluster().Open() }

// OpenJournal is Open, with what the journal at path says of the last node that wrote it. From Join to Close this one does: a
// session that began or ended is in it a moment later, also if the process is killed. A journal that cannot be read or written is
// a line in the log and stops nobody.
func OpenJournal(path string, log *slog.Logger) *Registry {
	r := Open()
	var err error
	if r.heirOf, err = r.cluster.load(path); err != nil {
		log.Error("registry: not everybody who was signed in before this start is known", "file", path, "error", err)
	}
	r.journal = &journal{cluster: r.cluster, path: path, log: log}
	return r
}

// Inherited implements server.Heir.
func (r *Registry) Inherited() (nodes []server.NodeID) {
	if r.heirOf != "" {
		nodes = append(nodes, r.heirOf)
	}
	return nodes
}

func (c *Cluster) shard(key server.UserKey) *shard {
	return &c.shards[(maphash.String(c.seed, key.User)+key.App)%shards]
}

// A Registry is one node's view of a Cluster.
type Registry struct {
	cluster *Cluster
	node    server.NodeID
	handler server.NodeHandler
	journal *journal      // nil if there is none
	heirOf  server.NodeID // who wrote the journal before; "" if nobody did

	state   atomic.Uint32 // changed with cluster.mu
	crashed time.Time     // when it crashed; guarded by cluster.mu
}

const (
	opened uint32 = iota
	joined
	crashed
	closed
)

var (
	_ server.Prompt = (*Registry)(nil)
	_ server.Heir   = (*Registry)(nil)
)

// Join makes this node one of the cluster.
func (r *Registry) Join(_ context.Context, node server.NodeID, h server.NodeHandler) error {
	c := r.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.state.Load() != opened {
		return fmt.Errorf("join as %s: this view was joined or closed before", node)
	}
	if c.nodes[node] != nil {
		return fmt.Errorf("join as %s: there is such a node", node)
	}
	r.node, r.handler = node, h
	if r.journal != nil {
		r.journal.node = node
		r.journal.begin()
	}
	r.state.Store(joined)
	c.nodes[node] = r
	return nil
}

// Nodes returns the nodes that are alive, in order of their names.
func (r *Registry) Nodes(context.Context) ([]server.NodeID, error) {
	if err := r.usable(); err != nil {
		return nil, err
	}
	c := r.cluster
	c.mu.RLock()
	defer c.mu.RUnlock()
	var list []server.NodeID
	for id, n := range c.nodes {
		if n.state.Load() == joined || time.Since(n.crashed) < lease {
			list = append(list, id)
		}
	}
	slices.Sort(list)
	return list, nil
}

// usable returns server.ErrUnavailable if this view is not joined.
func (r *Registry) usable() error {
	if r.state.Load() != joined {
		return fmt.Errorf("this node has not joined, or has left: %w", server.ErrUnavailable)
	}
	return nil
}

// Update changes the sessions of one user. change runs once, with a lock held.
func (r *Registry) Update(_ context.Context, key server.UserKey, change func([]server.Session) ([]server.Session, error)) error {
	if err := r.usable(); err != nil {
		return err
	}
	sh := r.cluster.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sessions, err := change(sh.users[key])
	if err == nil {
		r.put(sh, key, sessions)
	}
	return err
}

// put stores the sessions of a user, with the lock held.
func (r *Registry) put(sh *shard, key server.UserKey, sessions []server.Session) {
	if r.journal != nil {
		sh.note(r.journal, key, sh.users[key], sessions)
	}
	sh.put(key, sessions)
}

// Revise is Update with revisions. What change gets is the highest of all keys.
func (r *Registry) Revise(
	_ context.Context, key server.UserKey, change func([]server.Session, uint64) ([]server.Session, uint64, error),
) error {
	if err := r.usable(); err != nil {
		return err
	}
	sh := r.cluster.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sessions, revision, err := change(sh.users[key], r.cluster.revision.Load())
	if err != nil {
		return err
	}
	r.cluster.raise(revision)
	r.put(sh, key, sessions)
	return nil
}

func (c *Cluster) raise(revision uint64) {
	for old := c.revision.Load(); old < revision && !c.revision.CompareAndSwap(old, revision); old = c.revision.Load() {
	}
}

func (sh *shard) put(key server.UserKey, sessions []server.Session) {
	switch {
	case len(sessions) == 0:
		delete(sh.users, key)
	default:
		if !server.SessionsSorted(sessions) {
			sessions = slices.Clone(sessions)
			server.SortSessions(sessions)
		}
		sh.users[key] = slices.Clip(sessions)
	}
}

// Sessions returns the sessions of one user.
func (r *Registry) Sessions(_ context.Context, key server.UserKey) ([]server.Session, error) {
	if err := r.usable(); err != nil {
		return nil, err
	}
	sh := r.cluster.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return sh.users[key], nil
}

// UsersOn looks at every user of the cluster, one shard after the other.
func (r *Registry) UsersOn(_ context.Context, node server.NodeID) iter.Seq2[server.UserKey, error] {
	return func(yield func(server.UserKey, error) bool) {
		if err := r.usable(); err != nil {
			yield(server.UserKey{}, err)
			return
		}
		for i := range r.cluster.shards {
			for _, key := range r.cluster.shards[i].usersOn(node) {
				if !yield(key, nil) {
					return
				}
			}
		}
	}
}

// Orphans returns all of them to every node: to look at one twice does no harm.
func (r *Registry) Orphans(ctx context.Context, node server.NodeID) iter.Seq2[server.UserKey, error] {
	return r.UsersOn(ctx, node)
}

func (sh *shard) usersOn(node server.NodeID) []server.UserKey {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	var list []server.UserKey
	for key, sessions := range sh.users {
		if slices.ContainsFunc(sessions, func(s server.Session) bool { return s.Node == node }) {
			list = append(list, key)
		}
	}
	return list
}

// Kick calls the handler of node. One that is silent for 2 s is an error, though its answer may still come.
func (r *Registry) Kick(ctx context.Context, node server.NodeID, k server.Kick) (told bool, err error) {
	if err := r.usable(); err != nil {
		return false, err
	}
	c := r.cluster
	c.mu.RLock()
	to := c.nodes[node]
	alive := to != nil && to.state.Load() == joined
	c.mu.RUnlock()

	answer := make(chan bool, 1)
	switch {
	case to == nil:
		return false, fmt.Errorf("kick on %s: there is no such node", node)
	case alive:
		go func() { answer <- to.handler.HandleKick(k) }()
	}
	silent := time.NewTimer(kickLimit)
	defer silent.Stop()
	select {
	case told = <-answer:
		return told, nil
	case <-silent.C:
		return false, fmt.Errorf("kick on %s: it is silent", node)
	case <-ctx.Done():
		return false, fmt.Errorf("kick on %s: %w", node, ctx.Err())
	}
}

// Announce calls the handlers of all nodes, one after the other.
func (r *Registry) Announce(_ context.Context, n server.News) error {
	if err := r.usable(); err != nil {
		return err
	}
	c := r.cluster
	c.mu.RLock()
	var handlers []server.NodeHandler
	for _, to := range c.nodes {
		if to.state.Load() == joined {
			handlers = append(handlers, to.handler)
		}
	}
	c.mu.RUnlock()
	for _, h := range handlers {
		h.HandleNews(n)
	}
	return nil
}

// Prompt says that Update never waits.
func (*Registry) Prompt() {}

// Close takes the node out of the cluster.
func (r *Registry) Close() error {
	c := r.cluster
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes[r.node] == r {
		delete(c.nodes, r.node)
	}
	if was := r.state.Swap(closed); r.journal != nil && (was == joined || was == crashed) {
		r.journal.end()
	}
	return nil
}

// Crash is for tests: the node falls silent without a word. Its lease ends 6 s later.
func (r *Registry) Crash() {
	r.cluster.mu.Lock()
	defer r.cluster.mu.Unlock()
	r.crashed = time.Now()
	r.state.Store(crashed)
}
