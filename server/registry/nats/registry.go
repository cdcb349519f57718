package nats

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/opentim/tim/server"
)

const (
	joinTime = 30 * time.Second       // how long Join waits for NATS
	byeTime  = 500 * time.Millisecond // how long Close tries to tell the others
)

// times are constants, but for tests.
type times struct {
	patience  time.Duration // how long an update or a read asks NATS before it answers server.ErrUnavailable
	tour      time.Duration // how long to wait between two buckets, once all were walked over
	tombstone time.Duration // how long a removed key keeps its place, so that nobody takes it for one that never was
	stranger  time.Duration // how long a node counts as alive that keys name and nobody has heard of: see leases.named
}

var realTimes = times{patience: 500 * time.Millisecond, tour: time.Minute, tombstone: 30 * time.Second, stranger: time.Minute}

// A Registry is one node's view of the cluster. Its methods may be called from any goroutine.
type Registry struct {
	o         Options
	conn      *nats.Conn
	js        jetstream.JetStream
	refusal   atomic.Pointer[error] // why the last server that was tried did not take the connection
	linked    atomic.Bool           // whether there is a connection: conn itself cannot be asked, it is locked while it dials
	streams   [buckets]bucket
	gates     gates
	leases    leases
	index     *index
	conflicts atomic.Uint64 // compare-and-swaps that were lost
	kicks     chan struct{} // a place for each kick that is handled at a time

	times times

	// How keys are read: see read.go.
	leaders  nats.JetStreamContext // the older API, which asks the leader also where replicas may answer
	look     func(context.Context, place) (*jetstream.RawStreamMsg, error)
	noGlance atomic.Int64 // until when only leaders are asked, in Unix nanoseconds

	life   context.Context // ends with Close
	stop   context.CancelFunc
	repair chan struct{} // cap 1: buckets may be missing
	loops  sync.WaitGroup

	mu      sync.Mutex
	state   state
	node    server.NodeID
	handler server.NodeHandler
	calls   sync.WaitGroup // of the handler; added to with mu
}

type state uint8

const (
	opened state = iota
	joining
	joined
	closed
)

var _ server.Registry = (*Registry)(nil)

// Open returns the view of a node that is about to join. It fails if o is wrong, not if NATS cannot be reached yet.
func Open(o Options) (*Registry, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("registry on NATS: %w", err)
	}
	r := &Registry{o: o, times: realTimes, repair: make(chan struct{}, 1), kicks: make(chan struct{}, kicksAtOnce), gates: newGates(), index: newIndex()}
	r.leases.heard = make(map[server.NodeID]time.Time)
	r.look = r.lookAtReplica
	r.life, r.stop = context.WithCancel(context.Background())
	if r.conn, err = r.connect(); err == nil {
		r.js, err = jetstream.New(r.conn, jetstream.WithDefaultTimeout(realTimes.patience))
	}
	if err == nil {
		r.leaders, err = r.conn.JetStream()
	}
	if err != nil {
		r.stop()
		if r.conn != nil {
			r.conn.Close()
		}
		return nil, fmt.Errorf("registry on NATS: %w", err)
	}
	return r, nil
}

// Join makes the buckets if they are not there, and makes this node one of the cluster. It waits up to 30 s for NATS.
func (r *Registry) Join(ctx context.Context, node server.NodeID, h server.NodeHandler) error {
	r.mu.Lock()
	if r.state != opened {
		r.mu.Unlock()
		return fmt.Errorf("join as %s: this view was joined or closed before", node)
	}
	r.state, r.node, r.handler = joining, node, h
	r.mu.Unlock()

	ctx, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	defer context.AfterFunc(r.life, cancel)()
	if err := r.makeStreams(ctx); err != nil {
		return fmt.Errorf("join as %s: %w", node, err)
	}
	if err := r.listen(ctx); err != nil {
		return fmt.Errorf("join as %s: %w", node, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != joining {
		return fmt.Errorf("join as %s: closed meanwhile", node)
	}
	r.state = joined
	r.leases.begin()
	r.loops.Go(r.repairLoop)
	r.loops.Go(r.leaseLoop)
	r.loops.Go(r.tourLoop)
	return nil
}

// listen subscribes to what other nodes tell this one.
func (r *Registry) listen(ctx context.Context) error {
	for subject, hear := range map[string]nats.MsgHandler{
		r.gatewaySubject(r.node): r.hearKick, r.newsSubject(): r.hearNews, r.leaseSubject(): r.hearLease,
	} {
		sub, err := r.conn.Subscribe(subject, hear)
		if err == nil {
			err = sub.SetPendingLimits(pendingMessages, pendingBytes)
		}
		if err != nil {
			return fmt.Errorf("listen on %s: %w", subject, err)
		}
	}
	return r.conn.FlushWithContext(ctx)
}

// Close says goodbye and ends the connection.
func (r *Registry) Close() error {
	r.mu.Lock()
	was := r.state
	r.state = closed
	r.mu.Unlock()
	if was == closed {
		return nil
	}
	r.stop()
	r.loops.Wait()
	if was == joined && r.linked.Load() {
		_ = r.tellLease(true)
		_ = r.conn.FlushTimeout(byeTime) // if the goodbye is lost, the lease ends by itself
	}
	r.conn.Close()
	r.calls.Wait()
	return nil
}

// usable returns server.ErrUnavailable if this view is not joined or not connected.
func (r *Registry) usable() error {
	r.mu.Lock()
	state := r.state
	r.mu.Unlock()
	switch {
	case state != joined:
		return fmt.Errorf("this node has not joined, or has left: %w", server.ErrUnavailable)
	case !r.linked.Load():
		return fmt.Errorf("no connection to NATS: %w", server.ErrUnavailable)
	}
	return nil
}

// enter allows a call of the handler, unless this view is closed. r.calls.Done must follow.
func (r *Registry) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state != joined {
		return false
	}
	r.calls.Add(1)
	return true
}

// within returns what ask does, or at the latest when ctx ends: nats.Conn is locked while it dials, and then a request does
// not look at its context. What ask returns after that is dropped.
func within[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	answers := make(chan answer, 1)
	go func() {
		value, err := ask()
		answers <- answer{value, err}
	}()
	select {
	case a := <-answers:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// unavailable is the error of a request that failed: server.ErrUnavailable, unless the caller gave up.
func (r *Registry) unavailable(caller context.Context, what string, err error) error {
	if caller.Err() != nil {
		return fmt.Errorf("%s: %w", what, caller.Err())
	}
	if bucketMissing(err) {
		r.repairSoon()
	}
	return fmt.Errorf("%s: %w: %w", what, server.ErrUnavailable, err)
}

// cut is called when the connection is lost.
func (r *Registry) cut(err error) {
	r.linked.Store(false)
	r.leases.cut(time.Now())
	if err != nil && r.life.Err() == nil {
		r.o.Logger.Warn("registry: the connection to NATS is lost", "error", err)
	}
}

// back is called when there is a connection, the first one included.
func (r *Registry) back(conn *nats.Conn) {
	r.linked.Store(true)
	r.leases.forgive()
	r.repairSoon()
	r.o.Logger.Info("registry: connected to NATS", "server", conn.ConnectedAddr())
	if r.enter() {
		defer r.calls.Done()
		_ = r.tellLease(false) // the next heartbeat repeats it
		r.handler.HandleNews(server.News{})
	}
}

// failed is told what goes wrong where nobody waits.
func (r *Registry) failed(sub *nats.Subscription, err error) {
	if r.life.Err() != nil {
		return
	}
	subject := ""
	if sub != nil {
		subject = sub.Subject
	}
	r.o.Logger.Warn("registry: NATS", "subject", subject, "error", err)
	if errors.Is(err, nats.ErrSlowConsumer) && subject == r.newsSubject() && r.enter() {
		defer r.calls.Done()
		r.handler.HandleNews(server.News{})
	}
}
