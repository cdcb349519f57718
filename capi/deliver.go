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

// deliver runs one callback. At the first, it ties the goroutine to its thread: JNI hosts attach a thread once, and all
// hosts may rely on there being one. The thread ends with the client.
//
// A panic of ours ends the client and not the host.
func (c *client) deliver(callback func()) {
	defer func() {
		if p := recover(); p != nil {
			c.fail(p)
		}
	}()
	if !c.delivering {
		c.delivering = true
		runtime.LockOSThread()
		C.tim_deliver_begin(c.slot)
	}
	callback()
}

// deliverEvent is core's Listener.
func (c *client) deliverEvent(e core.Event) {
	c.deliver(func() {
		if e.Kind == codes.EventLog {
			c.deliverLog(e)
		} else {
			c.deliverOther(e)
		}
	})
	if e.Kind == codes.EventClosed {
		c.end()
	}
}

func (c *client) deliverLog(e core.Event) {
	var texts textWriter
	defer texts.free()
	C.tim_deliver_log(c.slot, C.int32_t(e.Level), texts.write(e.Text))
}

func (c *client) deliverOther(e core.Event) {
	var texts textWriter
	defer texts.free()
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
	switch {
	case e.Kind == codes.EventKickedOffline:
		out.at_ms = unixMilli(e.Kick.At)
	case e.Kind == codes.EventClosed && c.failure.Load() != nil:
		out.code = C.TIM_INTERNAL
		out.text = texts.write(*c.failure.Load())
	}
	C.tim_deliver_event(c.slot, &out)
}

// end follows the last event. The slot may be another client's as soon as it returns.
func (c *client) end() {
	c.publisher.end()
	place(c.handle).CompareAndSwap(c, nil)
	C.tim_deliver_end(c.slot)
}

// loginAnswer brings the answer to a login to done, which may be NULL.
func (c *client) loginAnswer(done C.tim_done_fn, data unsafe.Pointer) func(core.LoginResult, error) {
	if done == nil {
		return nil
	}
	return func(r core.LoginResult, err error) { c.deliverResult(done, data, r, err) }
}

// answer brings the answer to any other call to done, which may be NULL.
func (c *client) answer(done C.tim_done_fn, data unsafe.Pointer) func(error) {
	if done == nil {
		return nil
	}
	return func(err error) { c.deliverResult(done, data, core.LoginResult{}, err) }
}

func (c *client) deliverResult(done C.tim_done_fn, data unsafe.Pointer, r core.LoginResult, err error) {
	c.deliver(func() {
		var texts textWriter
		defer texts.free()
		out := C.tim_result{
			code:              result(err),
			repeat_login:      flag(r.Repeat),
			ticket_expires_ms: unixMilli(r.TicketExpires),
			session:           texts.write(r.Session),
			text:              noText,
		}
		if err != nil {
			out.text = texts.write(err.Error())
		}
		C.tim_deliver_result(c.slot, done, data, &out)
	})
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
