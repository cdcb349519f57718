package main

/*
#include "tim_internal.h"
*/
import "C"

import (
	"runtime"
	"time"
	"unsafe"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
)

// Everything here runs on core's delivery goroutine of one client.

// begin ties the delivery goroutine to its thread at the first callback. JNI hosts attach a thread once; all hosts may
// rely on there being one. The thread ends with the client.
func (c *client) begin() {
	if c.delivering {
		return
	}
	c.delivering = true
	runtime.LockOSThread()
	C.tim_deliver_begin(c.slot)
}

// deliverEvent is core's Listener.
func (c *client) deliverEvent(e core.Event) {
	c.begin()
	var texts textWriter
	defer texts.free()
	if e.Kind == codes.EventLog {
		C.tim_deliver_log(c.slot, C.int32_t(e.Level), texts.write(e.Text))
		return
	}
	out := C.tim_event{
		kind:         C.int32_t(e.Kind),
		login_status: C.int32_t(e.Status),
		ready:        flag(e.Ready),
		resumed:      flag(e.Resumed),
		code:         C.tim_code(e.Code),
		kick_reason:  C.int32_t(e.Kick.Reason),
		by_platform:  C.int32_t(e.Kick.ByPlatform),
		at_ms:        unixMilli(e.At),
		by_label:     texts.write(e.Kick.ByLabel),
		text:         texts.write(e.Text),
	}
	if e.Kind == codes.EventKickedOffline {
		out.at_ms = unixMilli(e.Kick.At)
	}
	C.tim_deliver_event(c.slot, &out)
	if e.Kind == codes.EventClosed {
		c.end()
	}
}

// end follows the last event. The slot may be another client's as soon as it returns.
func (c *client) end() {
	c.publisher.end()
	place(c.handle).CompareAndSwap(c, nil)
	C.tim_deliver_end(c.slot)
}

// loginAnswer brings the answer to a login to done, which may be NULL.
func (c *client) loginAnswer(done C.tim_done_fn, data unsafe.Pointer) func(core.LoginResult, error) {
	return func(r core.LoginResult, err error) {
		var texts textWriter
		defer texts.free()
		c.deliverResult(done, data, err, C.tim_result{
			repeat_login:      flag(r.Repeat),
			ticket_expires_ms: unixMilli(r.TicketExpires),
			session:           texts.write(r.Session),
		})
	}
}

// answer brings the answer to any other call to done.
func (c *client) answer(done C.tim_done_fn, data unsafe.Pointer) func(error) {
	return func(err error) { c.deliverResult(done, data, err, C.tim_result{session: noText}) }
}

func (c *client) deliverResult(done C.tim_done_fn, data unsafe.Pointer, err error, out C.tim_result) {
	c.begin()
	if done == nil {
		return
	}
	var texts textWriter
	defer texts.free()
	out.code = result(err)
	out.text = noText
	if err != nil {
		out.text = texts.write(err.Error())
	}
	C.tim_deliver_result(c.slot, done, data, &out)
}

func flag(b bool) C.int32_t {
	if b {
		return 1
	}
	return 0
}

// unixMilli returns 0 for the zero time.
func unixMilli(t time.Time) C.int64_t {
	if t.IsZero() {
		return 0
	}
	return C.int64_t(t.UnixMilli())
}
