package wire_test

import (
	"errors"
	"reflect"
	"testing"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// FuzzDecode feeds any bytes as a frame, from either end. testdata/fuzz has those that were found to reach what the seeds do not.
func FuzzDecode(f *testing.F) {
	for _, frame := range frames {
		f.Add(wire.Append(nil, frame))
	}
	for _, s := range samples {
		f.Add(wire.Append(nil, s))
	}
	f.Add([]byte{0x92, 0xcd, 0x01, 0x00, 0xc0})
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff, 0x04, 0x01})
	f.Add([]byte{0x93, 0x03, 0x01, 0xdb, 0xff, 0xff, 0xff, 0xff})

	f.Fuzz(func(t *testing.T, data []byte) {
		frame, err := wire.Decode(data)
		if err != nil {
			if !errors.Is(err, codes.ParseFailed) && !errors.Is(err, codes.FrameTooLarge) {
				t.Fatalf("an error without a code: %v", err)
			}
			return
		}
		if n := content(frame); n > len(data) {
			t.Fatalf("%d bytes of content from %d bytes", n, len(data))
		}
		if _, unknown := frame.(*wire.Unknown); unknown {
			return
		}
		again, err := wire.Decode(wire.Append(nil, frame))
		if err != nil {
			t.Fatalf("our own encoding is refused: %v", err)
		}
		if !reflect.DeepEqual(frame, again) {
			t.Fatalf("%#v turned into %#v", frame, again)
		}
	})
}

// content counts the bytes of all strings of a frame.
func content(frame wire.Frame) (n int) {
	fields := reflect.ValueOf(frame).Elem()
	for i := range fields.NumField() {
		switch field := fields.Field(i); field.Kind() {
		case reflect.String, reflect.Slice:
			n += field.Len()
		}
	}
	return n
}
