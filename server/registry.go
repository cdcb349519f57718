package server

import (
	"context"
	"errors"
	"iter"
	"time"
)

// A NodeID names one start of one server process: its name and a random boot number, as in "node-1.5f3a". A restarted node
// is another NodeID.
type NodeID string

// ErrUnavailable is what a Registry returns when it cannot reach the truth right now, such as while a leader is elected.
// Nothing is known about the key then. Callers may try again. A method answers it within half a second rather than wait
// longer.
var ErrUnavailable = errors.New("registry unavailable")

// A Registry is one node's view of who is online where. All nodes of a cluster see the same keys. Implementations live in
// subpackages and must pass registrytest.Run. Every method may be called from any goroutine.
type Registry interface {
	// Join starts this node's lease and makes h hear what other nodes tell it. It is called once, before the other methods.
	// The implementation renews the lease every 2 s for 6 s until Close.
	Join(ctx context.Context, node NodeID, h NodeHandler) error

	// Nodes returns the nodes whose lease lives, this one included.
	Nodes(ctx context.Context) ([]NodeID, error)

	// Update changes the sessions of one user by compare-and-swap: it calls change with the present sessions, oldest
	// LoginSeq first (SortSessions), and stores what change returns, unless the key changed in between: then it calls change
	// again. It may begin with the sessions of a moment ago: what the last call was given was true when Update returns nil or an
	// error of change, and means nothing when it returns ErrUnavailable. change must be pure, must not keep or alter its
	// argument, and must not alter later what it returned. It may be called with a lock held and must not call the Registry; it
	// is not called any more when Update has returned. Returning no sessions removes the key. An error of change stops the
	// update and is returned as it is; nothing is stored. When Update returns nil, every later Sessions and Update on any node
	// sees the new value.
	Update(ctx context.Context, key UserKey, change func(sessions []Session) ([]Session, error)) error

	// Revise is Update for who numbers the changes of a key: change also gets the key's revision, and returns that of what it
	// makes of it, which must not be lower. Update leaves it as it is. What the last call gets is at least what was stored last, on any
	// node. A key that was removed keeps it for 30 s at least; a key without a trace has 0, and so have all when the registry
	// lost everything.
	Revise(ctx context.Context, key UserKey, change func(sessions []Session, revision uint64) ([]Session, uint64, error)) error

	// Sessions returns the sessions of one user, oldest LoginSeq first. A user who has none is no error. The caller must not
	// alter the result.
	Sessions(ctx context.Context, key UserKey) ([]Session, error)

	// UsersOn returns every user who has a session whose Node is node, in no order. It may miss users who arrive meanwhile, and
	// give users twice whose sessions change meanwhile. A node is the first to write a session of its own into a key, and so
	// knows its users; to ask for those of another one may mean to look at all keys.
	UsersOn(ctx context.Context, node NodeID) iter.Seq2[UserKey, error]

	// Orphans returns users as UsersOn does, of a node whose lease ended: those that this node is to look after. The nodes that
	// live share them, so that each falls to one. While nodes come and go, one may fall to two for a while, or to none until
	// it is asked again. It costs little where not much has changed since it was asked last.
	Orphans(ctx context.Context, node NodeID) iter.Seq2[UserKey, error]

	// Kick asks node to end a session and reports whether a live connection was told. A node that is dead or silent for 2 s
	// is an error; a node that does not hold the session with that LoginSeq answers false.
	Kick(ctx context.Context, node NodeID, k Kick) (told bool, err error)

	// Announce tells every node, this one included, that something durable changed. A node that is cut off may miss it.
	Announce(ctx context.Context, n News) error

	// Close ends the lease at once and stops hearing. Sessions stay.
	Close() error
}

// A Prompt is a Registry whose Update never waits for anything outside of this process. Where nobody waits for a change, it is
// then made on the spot, which costs less than handing it to another goroutine.
type Prompt interface {
	Registry
	Prompt()
}

// An Heir is a Registry that knows the sessions of nodes that died before it was opened, and whom nobody else looks after.
type Heir interface {
	Registry
	// Inherited returns those nodes. UsersOn tells whom they held.
	Inherited() []NodeID
}

// News is something durable that changed in the Store and that nodes may hold copies of. The zero News, which comes from the
// Registry itself, says that news may have been missed.
type News struct {
	App  uint64
	User string // the account that changed, or "" for the app's settings
}

// A NodeHandler hears what other nodes tell this one. Calls may come at the same time, from any goroutine.
type NodeHandler interface {
	// HandleKick ends a session of this node and reports whether its connection was told.
	HandleKick(k Kick) (told bool)
	// HandleNews drops copies of what changed.
	HandleNews(n News)
	// HandleClock hears what the clock of another node said a moment ago, at least with each renewal of that node's lease.
	// Where all nodes share a clock it need not be called.
	HandleClock(node NodeID, reading time.Time)
}
