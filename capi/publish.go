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

// A publisher writes what the getters of C answer into a slot. The mutex is there for the end: once ended it never
// writes again, because the slot may belong to somebody else.
type publisher struct {
	mu    sync.Mutex
	to    *C.struct_tim_published
	user  string
	ended bool
}

// publish is core's OnState: it runs on the engine's goroutine, before the event that tells the same.
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
	ready := int32(0)
	if s.Ready {
		ready = 1
	}
	atomic.StoreInt32((*int32)(&p.to.ready), ready)
	atomic.StoreInt32((*int32)(&p.to.status), int32(s.Status))
}

// publishUser changes the name word by word; a reader that sees user_seq odd or changed reads again. The last byte stays
// NUL.
func (p *publisher) publishUser(user string) {
	var words [len(p.to.user)]uint64
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&words)), unsafe.Sizeof(words)-1), user)
	seq := (*uint64)(&p.to.user_seq)
	atomic.AddUint64(seq, 1)
	for i, w := range words {
		atomic.StoreUint64((*uint64)(&p.to.user[i]), w)
	}
	atomic.AddUint64(seq, 1)
}

func (p *publisher) end() {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
}
