package server

import (
	"math/bits"
	"sync"
	"time"
)

// A Wheel carries the timers of a node: any number of them with one goroutine, in constant time each. Its resolution is
// 100 ms, rounded up: a timer never fires early. It sleeps while nothing is due.
//
// It is a hierarchical timing wheel. Time is a number of ticks; a timer lies in the level of the highest group of six bits
// in which its due time differs from now, and moves down when now reaches its group.
type Wheel struct {
	began time.Time
	wake  chan struct{} // cap 1: something is due before the wheel wants to wake
	quit  chan struct{}
	done  chan struct{}

	mu       sync.Mutex
	now      int64 // the tick up to which everything was taken out; lags behind the clock while nothing is due
	wakes    int64 // the tick at which the wheel wants to wake
	occupied [wheelLevels]uint64
	slots    [wheelLevels][wheelSlots]Timer // heads of rings
	ready    Timer                          // head of the ring of timers that are due
}

const (
	wheelTick   = 100 * time.Millisecond
	wheelBits   = 6
	wheelSlots  = 1 << wheelBits
	wheelLevels = 6
	wheelMax    = 1 << (wheelBits*wheelLevels - 1) // ticks: a century
	never       = int64(1) << 62
)

// A Timer is one entry of a Wheel; embed it in what it belongs to. The zero Timer is stopped. It must not be copied after
// first use, and belongs to one Wheel.
type Timer struct {
	next, prev *Timer // nil while stopped
	due        int64  // tick
	f          func()
}

// NewWheel returns a Wheel that runs until Stop.
func NewWheel() *Wheel {
	w := &Wheel{
		began: time.Now(),
		wake:  make(chan struct{}, 1),
		quit:  make(chan struct{}),
		done:  make(chan struct{}),
		wakes: never,
	}
	w.ready.init()
	for l := range w.slots {
		for s := range w.slots[l] {
			w.slots[l][s].init()
		}
	}
	go w.run()
	return w
}

// Start makes t call f once after d, on the wheel's own goroutine: f must not block. A timer that is running is started
// anew.
func (w *Wheel) Start(t *Timer, d time.Duration, f func()) {
	at := time.Since(w.began) + min(max(d, 0), wheelMax*wheelTick)
	w.mu.Lock()
	defer w.mu.Unlock()
	t.unlink()
	t.f = f
	t.due = max(int64((at+wheelTick-1)/wheelTick), w.now+1)
	w.place(t)
	if t.due < w.wakes {
		w.wakes = t.due
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// Cancel stops t and reports whether it was running. If it was not, f may be about to run.
func (w *Wheel) Cancel(t *Timer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	running := t.next != nil
	t.unlink()
	return running
}

// Running reports whether t was started, and neither stopped nor rung since. An f that finds its own timer running was about to
// run when it was started anew.
func (w *Wheel) Running(t *Timer) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return t.next != nil
}

// Stop ends the wheel and waits for an f that runs. An f must not call it.
func (w *Wheel) Stop() {
	close(w.quit)
	<-w.done
}

func (w *Wheel) run() {
	defer close(w.done)
	sleep := time.NewTimer(0)
	defer sleep.Stop()
	for {
		select {
		case <-sleep.C:
		case <-w.wake:
		case <-w.quit:
			return
		}
		for f := w.pop(); f != nil; f = w.pop() {
			f()
		}
		if d, ok := w.untilNext(); ok {
			sleep.Reset(d)
		} else {
			sleep.Stop()
		}
	}
}

// pop takes out the next timer that is due and returns what to call, or nil.
func (w *Wheel) pop() func() {
	clock := int64(time.Since(w.began) / wheelTick)
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.ready.next == &w.ready {
		level, tick := w.nextSlot()
		if tick > clock {
			return nil
		}
		w.turn(level, tick)
	}
	t := w.ready.next
	t.unlink()
	return t.f
}

// untilNext returns how long to sleep, and false if nothing is due ever.
func (w *Wheel) untilNext() (time.Duration, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, w.wakes = w.nextSlot()
	if w.wakes == never {
		return 0, false
	}
	return time.Until(w.began.Add(time.Duration(w.wakes) * wheelTick)), true
}

// nextSlot returns the first slot that may hold something, and when its time begins. Slots of a level come before those of
// the next, and none lies behind now.
func (w *Wheel) nextSlot() (level int, tick int64) {
	for level, occupied := range w.occupied {
		if occupied != 0 {
			shift := wheelBits * level
			slot := int64(bits.TrailingZeros64(occupied))
			return level, w.now>>(shift+wheelBits)<<(shift+wheelBits) | slot<<shift
		}
	}
	return 0, never
}

// turn moves now to tick and what lies in its slot to where it belongs from there.
func (w *Wheel) turn(level int, tick int64) {
	w.now = tick
	slot := tick >> (wheelBits * level) & (wheelSlots - 1)
	w.occupied[level] &^= 1 << slot
	head := &w.slots[level][slot]
	for t := head.next; t != head; t = head.next {
		t.unlink()
		w.place(t)
	}
}

func (w *Wheel) place(t *Timer) {
	if t.due <= w.now {
		t.linkBefore(&w.ready)
		return
	}
	level := (bits.Len64(uint64(t.due^w.now)) - 1) / wheelBits
	slot := t.due >> (wheelBits * level) & (wheelSlots - 1)
	w.occupied[level] |= 1 << slot
	t.linkBefore(&w.slots[level][slot])
}

func (t *Timer) init() { t.next, t.prev = t, t }

func (t *Timer) linkBefore(head *Timer) {
	t.prev, t.next = head.prev, head
	t.prev.next, head.prev = t, t
}

func (t *Timer) unlink() {
	if t.next == nil {
		return
	}
	t.prev.next, t.next.prev = t.next, t.prev
	t.next, t.prev = nil, nil
}
