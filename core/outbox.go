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

// An outbox delivers events and answers of calls to the host, one at a time, in order: a slow or stuck Listener never holds
// up the engine. Its goroutine exists only while there is something to deliver.
type outbox struct {
	listener func(Event)
	relay    func(Event) bool // instead of the listener, and of the goroutine
	relayed  func(free bool)
	report   func(panicked) // tells the engine of a panic of ours
	finished chan struct{}  // closed when the last item was delivered
	broken   chan struct{}  // closed when the engine gave the Listener up
	inside   atomic.Uint64  // the goroutine that is inside the Listener or a callback; 0 if none is

	mu      sync.Mutex
	items   []item
	events  int // in items
	running bool
}

// An item is an event, or the answer of call.
type item struct {
	event Event
	call  *call
	last  bool // nothing comes after this event
}

func newOutbox(o Options, report func(panicked)) *outbox {
	return &outbox{
		listener: o.Listener, relay: o.Relay, relayed: o.Relayed, report: report,
		finished: make(chan struct{}), broken: make(chan struct{}),
	}
}

// add has all delivered and reports whether there was room. There always is for answers, which maxCalls bounds, and for the
// last event. A log line that finds no room is left out, any other event is lost. If the caller is about to call deliver,
// nobody else need be woken.
func (o *outbox) add(news []item, delivers bool) (fits bool) {
	if len(news) == 0 {
		return true
	}
	if o.relay != nil {
		if fits = o.pass(news); !delivers {
			o.relayed(false)
		}
		return fits
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	fits = true
	for _, i := range news {
		switch log := i.event.Kind == codes.EventLog; {
		case i.call != nil || i.last:
		case log && o.events >= maxLogs:
			continue
		case o.events >= maxEvents:
			fits = false
			continue
		default:
			o.events++
		}
		o.items = append(o.items, i)
	}
	if !o.running && len(o.items) > 0 {
		o.running = true
		go o.run()
	}
	return fits
}

// pass hands all to relay.
func (o *outbox) pass(news []item) (fits bool) {
	fits = true
	for _, i := range news {
		switch {
		case i.call != nil:
			i.call.finish()
		case !o.relay(i.event):
			fits = false
		}
		if i.last {
			close(o.finished)
		}
	}
	return fits
}

// deliver lets the calling goroutine, which has nothing else to do, deliver what was relayed.
func (o *outbox) deliver() {
	if o.relay != nil {
		o.relayed(true)
	}
}

// run delivers until there is nothing left. It outlives a Listener that ends its goroutine, as a failing test does.
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
		if i.last {
			defer close(o.finished) // also if the Listener ends its goroutine
		}
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
}

// take returns the next item. If there is none, run has to end.
func (o *outbox) take() (item, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.items) == 0 {
		o.items, o.running = nil, false // a quiet client keeps no room
		return item{}, false
	}
	i := o.items[0]
	o.items[0] = item{}
	o.items = o.items[1:]
	if i.call == nil && !i.last {
		o.events--
	}
	return i, true
}

// delivering reports whether the caller runs inside the Listener or a callback.
func (o *outbox) delivering() bool {
	inside := o.inside.Load()
	return inside != 0 && inside == goroutineID()
}
