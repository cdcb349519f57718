package main

/*
#include "tim_internal.h"
*/
import "C"

import (
	"errors"
	"unsafe"

	"github.com/opentim/tim/codes"
)

// The functions that C calls. They run on the host's thread, wait for nothing, and end in one call on core.

//export timgo_new
func timgo_new(slot *C.struct_tim_slot, handle C.tim_client, config *C.tim_config) (rc C.tim_code) {
	defer contain(&rc, nil)
	return result(open(slot, handle, config))
}

//export timgo_close
func timgo_close(handle C.tim_client) {
	with(handle, func(c *client) error {
		c.close()
		return nil
	})
}

//export timgo_login
func timgo_login(handle C.tim_client, userID, ticket *C.char, done C.tim_done_fn, data unsafe.Pointer) C.tim_code {
	return with(handle, func(c *client) error {
		var in textReader
		user, sig := in.read(userID), in.read(ticket)
		if in.err != nil {
			return in.err
		}
		return c.engine.StartLogin(user, sig, c.loginAnswer(done, data))
	})
}

//export timgo_logout
func timgo_logout(handle C.tim_client, done C.tim_done_fn, data unsafe.Pointer) C.tim_code {
	return with(handle, func(c *client) error {
		return c.engine.StartLogout(c.answer(done, data))
	})
}

//export timgo_renew
func timgo_renew(handle C.tim_client, ticket *C.char, done C.tim_done_fn, data unsafe.Pointer) C.tim_code {
	return with(handle, func(c *client) error {
		var in textReader
		sig := in.read(ticket)
		if in.err != nil {
			return in.err
		}
		return c.engine.StartRenew(sig, c.answer(done, data))
	})
}

//export timgo_provide_ticket
func timgo_provide_ticket(handle C.tim_client, request C.uint64_t, ticket *C.char) C.tim_code {
	return with(handle, func(c *client) error {
		var in textReader
		sig := in.read(ticket)
		if in.err != nil {
			return in.err
		}
		return c.tickets.provide(uint64(request), sig)
	})
}

//export timgo_wake
func timgo_wake(handle C.tim_client) C.tim_code {
	return with(handle, func(c *client) error {
		c.engine.Wake()
		return nil
	})
}

//export timgo_set_background
func timgo_set_background(handle C.tim_client, background C.int32_t) C.tim_code {
	return with(handle, func(c *client) error {
		c.engine.SetBackground(background != 0)
		return nil
	})
}

// with does one call on the client that handle names.
func with(handle C.tim_client, call func(*client) error) (rc C.tim_code) {
	c := find(handle)
	if c == nil {
		return C.TIM_NOT_INITIALIZED
	}
	defer contain(&rc, c)
	return result(call(c))
}

// contain keeps a panic of ours from ending the host: the call says TIM_INTERNAL and the client closes.
func contain(rc *C.tim_code, c *client) {
	p := recover()
	if p == nil {
		return
	}
	*rc = C.TIM_INTERNAL
	if c != nil {
		c.fail(p)
	}
}

// result returns the code of err, TIM_OK for nil.
func result(err error) C.tim_code {
	var code codes.Code
	switch {
	case err == nil:
		return C.TIM_OK
	case errors.As(err, &code):
		return C.tim_code(code)
	default:
		return C.TIM_INTERNAL
	}
}
