package ws

import (
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// FuzzFirst checks that whatever stands in the field is a frame or an error with a code, which repeats nothing of it.
func FuzzFirst(f *testing.F) {
	for _, frame := range []wire.Frame{aLogin, &wire.Resume{Request: 1, Ticket: []byte("resume")}, &wire.Logout{}} {
		f.Add(firstHeader(frame).Get(firstField))
	}
	f.Add("")
	f.Add("AAAA==")
	f.Add("no base64url, but a ticket")
	f.Fuzz(func(t *testing.T, value string) {
		frame, err := decodeFirst(http.Header{firstField: {value}})
		if err != nil {
			if !errors.Is(err, codes.ParseFailed) && !errors.Is(err, codes.FrameTooLarge) {
				t.Fatalf("an error without a code: %v", err)
			}
			if len(value) > 20 && strings.Contains(err.Error(), value) {
				t.Fatalf("the error repeats what it is about: %v", err)
			}
			return
		}
		if _, unknown := frame.(*wire.Unknown); unknown {
			return
		}
		header := firstHeader(frame)
		if header == nil { // it has grown too long by our own spelling of numbers
			return
		}
		again, err := decodeFirst(header)
		if err != nil || !reflect.DeepEqual(frame, again) {
			t.Fatalf("%#v turned into %#v, %v", frame, again, err)
		}
	})
}
