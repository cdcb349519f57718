package core

import (
	"sync"
	"sync/atomic"

	"github.com/opentim/tim/codes"
)

const (
	maxEvents = 1024
	maxLogs   = maxEvents / 2 // log lines must not be what fills the outbox
)

// An outbox delivers events and answers of calls to the host, one at a time, in order, in a goroutine of its own: a slow or
// stuck Listener never holds up the engine. The engine adds to it, and Deliver.
type outbox struct {
	listener func(Event)
	report   func(panicked) // tells the engine of a panic of ours
	finished chan struct{}  // closed when the last item was delivered
	broken   chan struct{}  // closed when the engine gave the Listener up
	inside   atomic.Uint64  // the goroutine that is inside the Listener or a callback; 0 if none is

	mu     sync.Mutex
	items  []item
	events int // in items
	last   bool
	more   chan struct{} // a token: there is something in items, or last was set
}

// An item is an event, or the answer of call.
type item struct {
	event Event
	call  *call
}

func newOutbox(listener func(Event), report func(panicked)) *outbox {
	return &outbox{
		listener: listener, report: report,
		finished: make(chan struct{}), broken: make(chan struct{}), more: make(chan struct{}, 1),
	}
}

// tell adds an event and reports whether there was room. A log line that finds no room is left out.
func (o *outbox) tell(ev Event) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case ev.Kind == codes.EventLog && o.events >= maxLogs:
		return true
	case o.events >= maxEvents:
		return false
	}
	o.events++
	o.add(item{event: ev})
	return true
}

// answer adds the answer of a call. Its bound is maxCalls.
func (o *outbox) answer(k *call) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(item{call: k})
}

// close adds the last event, for which there is always room.
func (o *outbox) close(ev Event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.add(item{event: ev})
	o.last = true
}

func (o *outbox) add(i item) {
	o.items = append(o.items, i)
	select {
	case o.more <- struct{}{}:
	default:
	}
}

// run delivers until the last event. It outlives a Listener that ends its goroutine, as a failing test does.
func (o *outbox) run() {
	t, ended := new(task), false
	defer func() {
		if !ended {
			go o.run()
		}
	}()
	defer t.guard("delivery", o.report)
	self := goroutineID()
	for {
		i, ok := o.take()
		if !ok {
			break
		}
		o.inside.Store(self)
		t.host(func() {
			if i.call != nil {
				i.call.finish()
			} else {
				o.listener(i.event)
			}
		})
		o.inside.Store(0)
	}
	ended = true
	close(o.finished)
}

// take waits for the next item; there is none after the last.
func (o *outbox) take() (item, bool) {
	for {
		o.mu.Lock()
		if len(o.items) > 0 {
			i := o.items[0]
			o.items[0] = item{}
			if o.items = o.items[1:]; len(o.items) == 0 {
				o.items = nil // a quiet client keeps no room
			}
			if i.call == nil {
				o.events--
			}
			o.mu.Unlock()
			return i, true
		}
		last := o.last
		o.mu.Unlock()
		if last {
			return item{}, false
		}
		<-o.more
	}
}

// delivering reports whether the caller runs inside the Listener or a callback.
func (o *outbox) delivering() bool {
	inside := o.inside.Load()
	return inside != 0 && inside == goroutineID()
}
