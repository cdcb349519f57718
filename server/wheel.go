package server

import "time"

// A Wheel carries the timers of a node: any number of them with one goroutine, in constant time each. Its resolution is
// 100 ms, rounded up: a timer never fires early.
type Wheel struct{}

// A Timer is one entry of a Wheel; embed it in what it belongs to. The zero Timer is stopped. It must not be copied after
// first use, and belongs to one Wheel.
type Timer struct {
	next, prev *Timer
	due        int64
	f          func()
}

// NewWheel returns a Wheel that runs until Stop.
func NewWheel() *Wheel { panic("not yet") }

// Start makes t call f once after d, on the wheel's own goroutine: f must not block. A timer that is running is started anew.
func (w *Wheel) Start(t *Timer, d time.Duration, f func()) { panic("not yet") }

// Cancel stops t and reports whether it was running. f may still be about to run when Cancel returns false.
func (w *Wheel) Cancel(t *Timer) bool { panic("not yet") }

// Stop ends the wheel: nothing fires after it returns, unless it was called by a timer's own f.
func (w *Wheel) Stop() { panic("not yet") }
