package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/opentim/tim/codes"
)

// errClosed is the answer of a store that was closed.
var errClosed = errors.New("the store is closed")

// A write is one change that waits for its commit. Exactly one of login and change is set.
type write struct {
	login  *Arrive
	change func(Tx) error
	weight int    // in accounts
	after  func() // called before anybody is answered, in the order of the writes; not for a login that failed

	claim atomic.Int32  // who decides: unclaimed, then either taken or abandoned
	done  chan struct{} // closed when err is set
	err   error
}

const (
	unclaimed int32 = iota
	taken           // by the writer: it will be committed or fail
	abandoned       // by its caller, in time: it will not be written
)

// A writer is the one goroutine that changes the database. It gathers the writes that wait and commits them together, and
// only then answers them: while one commit waits for the disk the next batch gathers, so the disk sets the size of a batch.
type writer struct {
	db      Database
	queue   chan *write
	batch   int // the weight that ends a batch, so that nobody waits for an endless one
	closing chan struct{}
	stopped chan struct{}
	once    sync.Once
}

func startWriter(db Database, queue, batch int) *writer {
	w := &writer{
		db:      db,
		queue:   make(chan *write, queue),
		batch:   batch,
		closing: make(chan struct{}),
		stopped: make(chan struct{}),
	}
	go w.run()
	return w
}

// do returns when x is durable or failed. While the queue is full, callers wait for room; one whose ctx ends there gets
// codes.Overloaded. One whose ctx ends later gets the error of ctx: x may be durable or not.
func (w *writer) do(ctx context.Context, x *write) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case <-w.closing:
		return errClosed
	default:
	}
	x.done = make(chan struct{})
	select {
	case w.queue <- x:
	case <-ctx.Done():
		return fmt.Errorf("the queue of writes is full: %w: %w", codes.Overloaded, ctx.Err())
	case <-w.closing:
		return errClosed
	}
	select {
	case <-x.done:
		return x.err
	case <-ctx.Done():
		x.claim.CompareAndSwap(unclaimed, abandoned)
		return ctx.Err()
	case <-w.stopped: // perhaps the writer stopped just before x came
		select {
		case <-x.done:
			return x.err
		default:
			return errClosed
		}
	}
}

// stop commits what waits and returns when the writer has ended.
func (w *writer) stop() {
	w.once.Do(func() { close(w.closing) })
	<-w.stopped
}

func (w *writer) run() {
	defer close(w.stopped)
	for {
		var first *write
		select {
		case first = <-w.queue:
		case <-w.closing:
			select {
			case first = <-w.queue:
			default:
				return
			}
		}
		w.commit(w.gather(first))
	}
}

// gather returns the writes that wait now, first and those that came after it.
func (w *writer) gather(first *write) []*write {
	var batch []*write
	weight := 0
	for x := first; ; {
		if x.claim.CompareAndSwap(unclaimed, taken) {
			batch = append(batch, x)
			weight += x.weight
		}
		if weight >= w.batch {
			return batch
		}
		select {
		case x = <-w.queue:
		default:
			return batch
		}
	}
}

// commit makes a batch durable in one transaction and answers everybody in it. If that fails, it fails for all of them.
func (w *writer) commit(batch []*write) {
	if len(batch) == 0 {
		return
	}
	failed := w.db.Update(func(tx Tx) error { return apply(tx, batch) })
	for _, x := range batch {
		if failed != nil {
			x.err = failed
		}
		if x.after != nil && (x.err == nil || x.login == nil) {
			x.after()
		}
	}
	for _, x := range batch {
		close(x.done)
	}
}

// apply performs the writes in order, logins that stand together in one call.
func apply(tx Tx, batch []*write) error {
	for len(batch) > 0 {
		var logins []*Arrive
		for len(batch) > 0 && batch[0].login != nil {
			logins = append(logins, batch[0].login)
			batch = batch[1:]
		}
		if len(logins) > 0 {
			if err := tx.Arrive(logins); err != nil {
				return err
			}
			continue
		}
		x := batch[0]
		batch = batch[1:]
		var answer codes.Code
		if x.err = x.change(tx); x.err != nil && !errors.As(x.err, &answer) {
			return x.err
		}
	}
	return nil
}
