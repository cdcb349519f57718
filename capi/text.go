package main

/*
#include "tim_internal.h"
*/
import "C"

import (
	"fmt"
	"strings"
	"unicode/utf8"

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

// text copies s to C memory, which C will free: valid UTF-8, up to the first NUL.
func text(s string) *C.char {
	s, _, _ = strings.Cut(strings.ToValidUTF8(s, "\uFFFD"), "\x00")
	if s == "" {
		return &C.tim_no_text[0]
	}
	return C.CString(s)
}
