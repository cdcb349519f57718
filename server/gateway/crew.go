package gateway

import (
	"context"
	"sync"
	"sync/atomic"
)

// idleMost is how many goroutines wait for the next task.
const idleMost = 64

// A crew runs tasks in goroutines, and knows when all have ended. A goroutine takes the next task when it has done one: its
// stack has grown to what a handshake needs, which costs as much as a tenth of a login.
type crew struct {
	tasks chan task
	idle  atomic.Int32

	mu        sync.RWMutex
	dismissed bool
	all       sync.WaitGroup
}

func newCrew() *crew { return &crew{tasks: make(chan task)} }

// run starts t and reports whether it did: it does not after dismiss.
func (w *crew) run(t task) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.dismissed {
		return false
	}
	select {
	case w.tasks <- t:
	default:
		w.all.Go(func() { w.work(t) })
	}
	return true
}

// runFresh is run in a goroutine that has no stack yet, for a task that will mostly wait.
func (w *crew) runFresh(t task) bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if !w.dismissed {
		w.all.Go(t.do)
	}
	return !w.dismissed
}

func (w *crew) work(t task) {
	for t.f != nil {
		t.do()
		t = task{} // nothing is kept alive while waiting
		if w.idle.Add(1) <= idleMost {
			t = <-w.tasks // empty when dismissed
		}
		w.idle.Add(-1)
	}
}

// dismiss takes no more tasks.
func (w *crew) dismiss() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.dismissed {
		w.dismissed = true
		close(w.tasks)
	}
}

// wait waits until every task has ended, after dismiss.
func (w *crew) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		w.all.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
