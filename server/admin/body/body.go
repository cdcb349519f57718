// Package body reads the JSON of a request and says in a sentence what is wrong with it. It is by itself, and imports nothing of
// ours, so that a fuzzer has little to carry: beside the server's stores it managed a few dozen bodies a second.
package body

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// MaxDepth is how deep JSON may be nested. No request needs more than 3.
const MaxDepth = 16

// A Mistake is what is wrong with a body, in words for whoever sent it.
type Mistake struct {
	Text     string
	InAField bool // the JSON is well, a field of it is not
}

func (m *Mistake) Error() string { return m.Text }

// Decode reads text into a struct. Where it is strict, a field that is not known is a mistake. Its errors are *Mistake.
func Decode(text []byte, into any, strict bool) error {
	if deeper(text, MaxDepth) {
		return malformed("the body is nested deeper than %d levels", MaxDepth)
	}
	reader := json.NewDecoder(bytes.NewReader(text))
	if strict {
		reader.DisallowUnknownFields()
	}
	err := reader.Decode(into)
	var wrong *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		return malformed("the body must be a JSON object such as {}")
	case errors.As(err, &wrong):
		return inAField("%s must be %s, not %s", wrong.Field, jsonType(wrong.Type), wrong.Value)
	case errors.Is(err, io.EOF):
		return malformed("the body is empty: send at least {}")
	case errors.As(err, &syntax), errors.Is(err, io.ErrUnexpectedEOF):
		return malformed("the body is not JSON")
	case err != nil: // a field that is not known, or one that it is not allowed to set
		return inAField("%s", strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := reader.Token(); !errors.Is(err, io.EOF) {
		return malformed("there is something behind the JSON object")
	}
	return nil
}

func malformed(format string, args ...any) error { return &Mistake{Text: fmt.Sprintf(format, args...)} }

func inAField(format string, args ...any) error {
	return &Mistake{Text: fmt.Sprintf(format, args...), InAField: true}
}

// deeper reports whether JSON is nested deeper than most levels.
func deeper(text []byte, most int) bool {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{' || b == '[':
			if depth++; depth > most {
				return true
			}
		case b == '}' || b == ']':
			depth--
		}
	}
	return false
}

// jsonType says what JSON a field wants.
func jsonType(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	}
	return "a whole number"
}
