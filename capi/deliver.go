package main

/*
#include "tim_internal.h"
*/
import "C"

import (
	"time"
	"unsafe"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
)

// What is told here is told inside core's engine, which waits for it: it goes to C's memory, where C delivers it from.

// contained runs f. A panic of ours ends the client and not the host.
func (c *client) contained(f func()) {
	defer func() {
		if p := recover(); p != nil {
			c.fail(p)
		}
	}()
	f()
}

// tellEvent is core's Relay.
func (c *client) tellEvent(e core.Event) (fits bool) {
	fits = true
	c.contained(func() {
		switch e.Kind {
		case codes.EventLog:
			C.tim_tell_log(c.slot, C.int32_t(e.Level), text(e.Text))
		case codes.EventClosed:
			c.tellClosed(e)
		case codes.EventKickedOffline:
			e.At = e.Kick.At
			fallthrough
		default:
			fits = c.tell(e)
		}
	})
	return fits
}

// relayed is core's Relayed. A goroutine that is free delivers on its own thread, unless somebody delivers already.
func (c *client) relayed(free bool) {
	if free {
		C.tim_deliver_here(c.slot, c.handle)
	} else {
		C.tim_told(c.slot)
	}
}

// tellClosed tells the last event. The slot may be another client's as soon as it was told.
func (c *client) tellClosed(e core.Event) {
	if why := c.failure.Load(); why != nil {
		e.Code, e.Text = codes.Internal, *why
	}
	c.publisher.leave()
	place(c.handle).CompareAndSwap(c, nil)
	c.tell(e)
}

func (c *client) tell(e core.Event) bool {
	out := C.tim_event{
		kind:         C.int32_t(e.Kind),
		login_status: C.int32_t(e.Status),
		ready:        flag(e.Ready),
		resumed:      flag(e.Resumed),
		code:         C.tim_code(e.Code),
		kick_reason:  C.int32_t(e.Kick.Reason),
		by_platform:  C.int32_t(e.Kick.ByPlatform),
		at_ms:        unixMilli(e.At),
		by_label:     text(e.Kick.ByLabel),
		text:         text(e.Text),
	}
	return C.tim_tell_event(c.slot, &out) != 0
}

// loginAnswer brings the answer to a login to done, which may be NULL.
func (c *client) loginAnswer(done C.tim_done_fn, data unsafe.Pointer) func(core.LoginResult, error) {
	if done == nil {
		return nil
	}
	return func(r core.LoginResult, err error) { c.tellResult(done, data, r, err) }
}

// answer brings the answer to any other call to done, which may be NULL.
func (c *client) answer(done C.tim_done_fn, data unsafe.Pointer) func(error) {
	if done == nil {
		return nil
	}
	return func(err error) { c.tellResult(done, data, core.LoginResult{}, err) }
}

func (c *client) tellResult(done C.tim_done_fn, data unsafe.Pointer, r core.LoginResult, err error) {
	c.contained(func() {
		out := C.tim_result{
			code:              result(err),
			repeat_login:      flag(r.Repeat),
			ticket_expires_ms: unixMilli(r.TicketExpires),
			session:           text(r.Session),
			text:              text(""),
		}
		if err != nil {
			out.text = text(err.Error())
		}
		C.tim_tell_result(c.slot, done, data, &out)
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
