package webhook

import (
	"sync"
	"time"

	"github.com/opentim/tim/server"
)

const (
	bufferMax  = 1 << 16 // changes in memory; more are dropped
	writeBatch = 2000    // changes in one transaction
	writeRetry = time.Second
)

// A buffer takes changes from logins and hands them to the writer, and from the receivers what is done.
type buffer struct {
	mu      sync.Mutex
	changes []server.Change
	done    []int64 // rows of the queue that are delivered or given up
	full    bool    // a change was dropped since the buffer was empty
	closed  bool
	some    chan struct{} // cap 1
}

// add returns whether there was room, and whether this is the first for which there was none.
func (b *buffer) add(c server.Change) (ok, first bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.changes) >= bufferMax {
		first = !b.full
		b.full = true
		return false, first
	}
	b.changes = append(b.changes, c)
	b.wake()
	return true, false
}

func (b *buffer) finish(row int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.done = append(b.done, row)
	b.wake()
}

func (b *buffer) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	b.wake()
}

func (b *buffer) wake() {
	select {
	case b.some <- struct{}{}:
	default:
	}
}

// peek returns what there is to write, at most a batch. drop takes it out when it is written.
func (b *buffer) peek() (changes []server.Change, done []int64, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.changes[:min(len(b.changes), writeBatch)], b.done, b.closed
}

func (b *buffer) drop(changes, done int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	clear(b.changes[:changes])
	b.changes, b.done = b.changes[changes:], b.done[done:]
	if len(b.changes) == 0 {
		b.changes, b.full = nil, false
	}
}

// write brings changes from the buffer to the disk until the buffer is closed and empty. What comes while the disk is busy
// goes there together.
func (w *Webhook) write() {
	broken := false
	for {
		changes, done, closed := w.buffer.peek()
		if len(changes) == 0 && len(done) == 0 {
			if closed {
				return
			}
			<-w.buffer.some
			continue
		}
		lost, err := w.queue.update(changes, done)
		if err != nil {
			if !broken {
				w.log.Error("webhook: the queue cannot be written; trying again", "error", err)
			}
			broken = true
			if closed {
				w.log.Error("webhook: changes are lost", "changes", len(changes))
				return
			}
			time.Sleep(writeRetry)
			continue
		}
		broken = false
		for app, l := range lost {
			w.receivers[app].overflowed(l)
		}
		for _, c := range changes {
			w.receivers[c.Key.App].wake()
		}
		w.buffer.drop(len(changes), len(done))
	}
}
