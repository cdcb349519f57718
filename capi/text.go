package main

/*
#include <stdlib.h>
#include "tim_internal.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/opentim/tim/codes"
)

// A textReader copies C strings to Go and keeps the first mistake.
type textReader struct{ err error }

// read copies p. NULL is "". Anything but UTF-8 is codes.InvalidParameters.
func (r *textReader) read(p *C.char) string {
	s := C.GoString(p)
	if !utf8.ValidString(s) && r.err == nil {
		r.err = fmt.Errorf("a string is not UTF-8: %w", codes.InvalidParameters)
	}
	return s
}

var noText = C.CString("")

// A textWriter lends Go strings to C for the time of one callback.
type textWriter struct{ lent []unsafe.Pointer }

// write copies s to C memory: valid UTF-8, up to the first NUL. The memory lives until free.
func (w *textWriter) write(s string) *C.char {
	s, _, _ = strings.Cut(strings.ToValidUTF8(s, "\uFFFD"), "\x00")
	if s == "" {
		return noText
	}
	p := C.CString(s)
	w.lent = append(w.lent, unsafe.Pointer(p))
	return p
}

func (w *textWriter) free() {
	for _, p := range w.lent {
		C.free(p)
	}
}
