//go:build timtesting

package main

/*
#include "tim_internal.h"
#include "tim_testing.h"
*/
import "C"

//export timgo_testing_panic
func timgo_testing_panic(handle C.tim_client, where C.int32_t) C.tim_code {
	return with(handle, func(c *client) error {
		if where == C.TIM_TESTING_IN_CALL {
			panic("a test wants a panic in a call")
		}
		c.contained(func() { panic("a test wants a panic in the delivery") })
		return nil
	})
}
