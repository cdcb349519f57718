package main

/*
#include "tim_internal.h"
*/
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/opentim/tim/core"
)

// A publisher writes what the getters of C answer, from the birth of a client until it is freed. The mutex is there for the
// end: after it nothing may be written, because the slot will be somebody else's.
type publisher struct {
	mu    sync.Mutex
	to    *C.struct_tim_published
	open  uint64 // the generation of the handle, and TIM_OPEN
	user  string
	state uint64 // what was published last
	ended bool
}

func newPublisher(to *C.struct_tim_published, handle C.tim_client) *publisher {
	p := &publisher{to: to, open: uint64(handle)&^(C.TIM_MAX_CLIENTS-1) | C.TIM_OPEN}
	atomic.StoreInt64((*int64)(&to.clock_offset_ns), C.TIM_CLOCK_UNKNOWN)
	p.publishUser("")
	p.state = p.open
	atomic.StoreUint64((*uint64)(&to.state), p.state)
	return p
}

// publish is core's OnState: it runs inside the engine, before the event that tells the same. The state goes last,
// so whoever sees "logged in" sees the user, too.
func (p *publisher) publish(s core.Snapshot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	if s.User != p.user {
		p.user = s.User
		p.publishUser(s.User)
	}
	if s.ClockKnown {
		atomic.StoreInt64((*int64)(&p.to.clock_offset_ns), int64(s.ClockOffset))
	}
	state := p.open | uint64(s.Status)&C.TIM_STATUS_MASK
	if s.Ready {
		state |= C.TIM_READY
	}
	// From tim_client_free on there is 0, and must stay.
	if atomic.CompareAndSwapUint64((*uint64)(&p.to.state), p.state, state) {
		p.state = state
	}
}

// leave ends what is published from here: what stands there stays until C has delivered the last event.
func (p *publisher) leave() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}

// end makes the handle one that is not known.
func (p *publisher) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.ended {
		p.ended = true
		atomic.StoreUint64((*uint64)(&p.to.state), 0)
	}
}

// publishUser writes the name beside the one that is read now, and then says that it is the one. The last byte stays NUL.
func (p *publisher) publishUser(user string) {
	var words [len(p.to.user[0])]uint64
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&words)), unsafe.Sizeof(words)-1), user)
	seq := (*uint64)(&p.to.user_seq)
	next := atomic.LoadUint64(seq) + 1
	for i, w := range words {
		atomic.StoreUint64((*uint64)(&p.to.user[next%2][i]), w)
	}
	atomic.StoreUint64(seq, next)
}
