package wire_test

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vmihailenco/msgpack/v5"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// anyFrame draws a frame of any kind with any content.
func anyFrame() *rapid.Generator[wire.Frame] {
	return rapid.OneOf(
		some[wire.Login](), some[wire.Resume](), some[wire.Renew](), some[wire.Logout](), some[wire.Call](),
		some[wire.Accepted](), some[wire.Refused](), some[wire.Reply](), some[wire.Kicked](), some[wire.Ticket](), some[wire.Bye](),
	)
}

func some[T any, P interface {
	*T
	wire.Frame
}]() *rapid.Generator[wire.Frame] {
	return rapid.Map(rapid.Make[T](), func(v T) wire.Frame {
		fields := reflect.ValueOf(&v).Elem()
		for i := range fields.NumField() {
			if b, ok := fields.Field(i).Interface().([]byte); ok && len(b) == 0 {
				fields.Field(i).SetZero() // an empty body is decoded as nil
			}
		}
		return P(&v)
	})
}

func TestAFrameSurvivesTheWire(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame().Draw(t, "frame")
		data := wire.Append([]byte("before"), f)
		require.Equal(t, "before", string(data[:6]))

		got, err := wire.Decode(data[6:])
		require.NoError(t, err)
		require.Equal(t, f, got)
	})
}

func TestAFrameSharesNoMemoryWithItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame().Draw(t, "frame")
		data := wire.Append(nil, f)
		got, err := wire.Decode(data)
		require.NoError(t, err)
		for i := range data {
			data[i] = 0xff
		}
		require.Equal(t, f, got)
	})
}

// longer returns the frame in data as a later version might send it: with more fields.
func longer(t require.TestingT, data []byte, extra []byte, fields int) []byte {
	require.EqualValues(t, 0x90, data[0]&0xf0, "a frame of today is a short array")
	n := int(data[0]&0x0f) + fields
	return append(append([]byte{0xdc, byte(n >> 8), byte(n)}, data[1:]...), extra...)
}

func TestFieldsOfALaterVersionAreIgnored(t *testing.T) {
	extra, err := msgpack.Marshal(map[string]any{"colour": []any{"blue", 3, nil, 1.5}})
	require.NoError(t, err)
	extra = append(extra, 0xc3, 0x07)
	rapid.Check(t, func(t *rapid.T) {
		f := anyFrame().Draw(t, "frame")
		got, err := wire.Decode(longer(t, wire.Append(nil, f), extra, 3))
		require.NoError(t, err)
		require.Equal(t, f, got)
	})
}

func TestFramesOfALaterVersionAreUnknown(t *testing.T) {
	for _, kind := range []uint64{0, 6, 15, 22, 127, 128, 255, 256, 1 << 40} {
		data, err := msgpack.Marshal([]any{kind, "whatever", map[string]int{"x": 1}})
		require.NoError(t, err)
		f, err := wire.Decode(data)
		require.NoError(t, err, kind)
		require.Equal(t, &wire.Unknown{Type: kind}, f)
		require.Zero(t, f.Kind())
	}
	require.Panics(t, func() { wire.Append(nil, &wire.Unknown{Type: 99}) })
}

func TestWhatIsNoFrameIsRefused(t *testing.T) {
	login := wire.Append(nil, &wire.Login{User: "alice", Ticket: "ticket"})
	pack := func(fields ...any) []byte {
		data, err := msgpack.Marshal(fields)
		require.NoError(t, err)
		return data
	}
	for _, tt := range []struct {
		name string
		data []byte
		want codes.Code
	}{
		{"nothing", nil, codes.ParseFailed},
		{"no array", []byte{0xa3, 'f', 'o', 'o'}, codes.ParseFailed},
		{"JSON", []byte(`{"type":"login"}`), codes.ParseFailed},
		{"nil", []byte{0xc0}, codes.ParseFailed},
		{"an empty array", []byte{0x90}, codes.ParseFailed},
		{"a type that is a string", pack("login", 1), codes.ParseFailed},
		{"a type and no fields", pack(1), codes.ParseFailed},
		{"a field too few", pack(3, 1), codes.ParseFailed},
		{"a request that is a string", pack(4, "one"), codes.ParseFailed},
		{"a ticket that is a number", pack(3, 1, 2), codes.ParseFailed},
		{"a truth that is a number", pack(20, 1, 1), codes.ParseFailed},
		{"a code beyond 32 bits", pack(21, int64(1)<<40, "", 1, 0), codes.ParseFailed},
		{"a frame cut short", login[:len(login)-3], codes.ParseFailed},
		{"an array that claims four billion fields", []byte{0xdd, 0xff, 0xff, 0xff, 0xff, 0x04}, codes.ParseFailed},
		{"a string that claims four billion bytes", []byte{0x93, 0x03, 0x01, 0xdb, 0xff, 0xff, 0xff, 0xff, 'x'}, codes.ParseFailed},
		{"a binary that claims four billion bytes", []byte{0x94, 0x02, 0x01, 0x01, 0xc6, 0xff, 0xff, 0xff, 0xff, 'x'}, codes.ParseFailed},
		{"a frame of 64 KiB and a byte", make([]byte, wire.MaxFrame+1), codes.FrameTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, err := wire.Decode(tt.data)
			require.ErrorIs(t, err, tt.want)
			require.Nil(t, f)
		})
	}
}

func TestAFrameCutAnywhereIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := wire.Append(nil, anyFrame().Draw(t, "frame"))
		cut := rapid.IntRange(0, len(data)-1).Draw(t, "cut")
		_, err := wire.Decode(data[:cut])
		require.ErrorIs(t, err, codes.ParseFailed)
	})
}

func TestTheLargestFrameIsAccepted(t *testing.T) {
	f := &wire.Renew{Request: 1, Ticket: strings.Repeat("x", wire.MaxFrame-6)}
	for len(wire.Append(nil, f)) < wire.MaxFrame {
		f.Ticket += "x"
	}
	got, err := wire.Decode(wire.Append(nil, f))
	require.NoError(t, err)
	require.Equal(t, f, got)
}

// A refusal in one frame must not leak into the next one that the same pooled decoder reads.
func TestADecoderForgetsWhatFailed(t *testing.T) {
	good := &wire.Logout{Request: 7}
	data := wire.Append(nil, good)
	for range 100 {
		_, err := wire.Decode([]byte{0x93, 0x03, 0x01, 0xdb, 0xff})
		require.Error(t, err)
		f, err := wire.Decode(data)
		require.NoError(t, err)
		require.Equal(t, good, f)
	}
}

// allocated returns how many bytes one Decode of data takes from the heap.
func allocated(data []byte) int {
	const runs = 50
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		_, _ = wire.Decode(data)
	}
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc-before.TotalAlloc) / runs
}

// 4 KiB pay for the frame, the error, and a pool that the race detector empties; what was claimed must not count.
func TestMemoryIsBoundedByWhatWasSentNotByWhatIsClaimed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		data := wire.Append(nil, anyFrame().Draw(t, "frame"))
		claims := rapid.SampledFrom([][]byte{
			{0xdb, 0xff, 0xff, 0xff, 0xff}, {0xc6, 0x7f, 0xff, 0xff, 0xff}, {0xda, 0xff, 0xff}, {0xc5, 0xff, 0xff},
			{0xdd, 0xff, 0xff, 0xff, 0xff}, {0xdf, 0xff, 0xff, 0xff, 0xff}, {0xc9, 0xff, 0xff, 0xff, 0xff, 0x01},
		}).Draw(t, "claim")
		at := rapid.IntRange(0, len(data)).Draw(t, "at")
		evil := append(append(append([]byte{}, data[:at]...), claims...), data[at:]...)
		require.Less(t, allocated(evil), 4*len(evil)+4096, "% x", evil)
	})
}
