// Package main is the C face of core: it turns each function of include/tim.h into one call on a core.Client. It is
// built as a library; no policy lives here.
//
// The public functions are C (tim_api.c, getters.c). They check handles and call the timgo_ functions of exports.go;
// deliver.go brings events and answers back. Every pointer that crosses is C memory, and everything is copied.
package main

/*
#cgo CFLAGS: -std=gnu11 -O2 -Wall -fvisibility=hidden
#cgo windows LDFLAGS: -lpthread
#include "tim_internal.h"
*/
import "C"

// main is never called: a library starts with its first function call.
func main() {}
