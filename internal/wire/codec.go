package wire

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/opentim/tim/codes"
)

// Append adds the encoding of f to dst and returns the longer slice. The result may exceed MaxFrame only if the caller
// put that much into f; the writing end checks.
func Append(dst []byte, f Frame) []byte {
	w := writers.Get().(*writer)
	w.out = dst
	f.put(w)
	dst, w.out = w.out, nil
	writers.Put(w)
	return dst
}

// Decode reads one frame. A kind that is not known is an *Unknown and no error. Anything that is no frame is
// codes.ParseFailed, and more than MaxFrame bytes are codes.FrameTooLarge. The frame shares no memory with data, and Decode
// allocates no more than a small multiple of len(data), whatever lengths data claims.
func Decode(data []byte) (Frame, error) {
	if len(data) > MaxFrame {
		return nil, fmt.Errorf("decode frame of %d bytes: %w", len(data), codes.FrameTooLarge)
	}
	r := readers.Get().(*reader)
	defer readers.Put(r)
	r.reset(data)
	defer r.reset(nil)

	n, err := r.dec.DecodeArrayLen()
	if err != nil || n < 1 {
		return nil, fmt.Errorf("decode frame: not an array: %w", codes.ParseFailed)
	}
	kind := r.uint()
	if r.err != nil {
		return nil, fmt.Errorf("decode frame: its type is no number: %w", codes.ParseFailed)
	}
	var f Frame
	if kind <= math.MaxUint8 {
		f = newFrame(Kind(kind))
	}
	if f == nil {
		return &Unknown{Type: kind}, nil
	}
	r.fields = n - 1
	f.get(r)
	if r.err != nil {
		return nil, fmt.Errorf("decode frame of type %d: %v: %w", kind, r.err, codes.ParseFailed)
	}
	return f, nil
}

// A writer encodes into out. Writing to memory does not fail, so its methods return nothing.
type writer struct {
	out []byte
	enc *msgpack.Encoder
}

var writers = sync.Pool{New: func() any {
	w := new(writer)
	w.enc = msgpack.NewEncoder(w)
	return w
}}

func (w *writer) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

// WriteByte keeps the encoder from wrapping the writer.
func (w *writer) WriteByte(b byte) error {
	w.out = append(w.out, b)
	return nil
}

func (w *writer) begin(k Kind, fields int) {
	must(w.enc.EncodeArrayLen(fields + 1))
	w.uint(uint64(k))
}
func (w *writer) uint(v uint64)  { must(w.enc.EncodeUint(v)) }
func (w *writer) int(v int64)    { must(w.enc.EncodeInt(v)) }
func (w *writer) str(v string)   { must(w.enc.EncodeString(v)) }
func (w *writer) bytes(v []byte) { must(w.enc.EncodeBytes(v)) }
func (w *writer) bool(v bool)    { must(w.enc.EncodeBool(v)) }

func must(err error) {
	if err != nil {
		panic("wire: encoding to memory failed: " + err.Error())
	}
}

// A reader decodes fields in order and keeps the first error; after it every field is zero.
type reader struct {
	data   []byte
	src    bytes.Reader
	dec    *msgpack.Decoder
	fields int // how many the frame has after its type
	err    error
}

var readers = sync.Pool{New: func() any {
	r := new(reader)
	r.dec = msgpack.NewDecoder(&r.src)
	return r
}}

func (r *reader) reset(data []byte) {
	r.data, r.err, r.fields = data, nil, 0
	r.src.Reset(data)
	r.dec.Reset(&r.src)
}

func (r *reader) need(n int) {
	if r.fields < n {
		r.fail(fmt.Errorf("%d fields instead of %d", r.fields, n))
	}
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *reader) uint() uint64 {
	if r.err != nil {
		return 0
	}
	v, err := r.dec.DecodeInt64()
	if err != nil {
		r.fail(err)
	}
	return uint64(v)
}

func (r *reader) int() int64 { return int64(r.uint()) }

func (r *reader) int32() int32 {
	v := r.int()
	if v < math.MinInt32 || v > math.MaxInt32 {
		r.fail(errors.New("number out of range"))
		return 0
	}
	return int32(v)
}

func (r *reader) bool() bool {
	if r.err != nil {
		return false
	}
	v, err := r.dec.DecodeBool()
	if err != nil {
		r.fail(err)
	}
	return v
}

func (r *reader) str() string   { return string(r.chunk()) }
func (r *reader) bytes() []byte { return bytes.Clone(r.chunk()) }

const nilCode = 0xc0

// chunk returns the next string or binary as a part of data. The length is checked against what is left before anything is
// allocated: the library would trust it up to a megabyte.
func (r *reader) chunk() []byte {
	if r.err != nil {
		return nil
	}
	n, err := r.dec.DecodeBytesLen()
	if err != nil {
		r.fail(err)
		return nil
	}
	left := r.src.Len()
	if n == 0 || n == -1 && r.data[len(r.data)-left-1] == nilCode {
		return nil
	}
	if n < 0 || n > left { // below 0 where an int has 32 bits
		r.fail(fmt.Errorf("a string of %d bytes where %d are left", n, left))
		return nil
	}
	start := len(r.data) - left
	if _, err := r.src.Seek(int64(n), 1); err != nil {
		r.fail(err)
		return nil
	}
	return r.data[start : start+n]
}
