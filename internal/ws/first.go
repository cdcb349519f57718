package ws

import (
	"encoding/base64"
	"net/http"

	"github.com/opentim/tim/internal/wire"
)

// The first frame of a client may ride in its handshake: the client puts it into the field Tim-First of its request, and a
// server that takes it from there says so in its answer. It saves the time of one way there and back. RFC 6455 forbids frames
// before the answer, not fields.
const (
	firstField = "Tim-First"
	firstTaken = "taken"
	maxFirst   = 2 << 10 // bytes of the field's value; what is longer is sent as a frame
)

var firstEncoding = base64.RawURLEncoding.Strict()

// firstHeader returns the fields of a handshake that carries f, or nil if f is nil or too long.
func firstHeader(f wire.Frame) http.Header {
	if f == nil {
		return nil
	}
	buf := messages.Get().(*[]byte)
	defer messages.Put(buf)
	data := wire.Append((*buf)[:0], f)
	if firstEncoding.EncodedLen(len(data)) > maxFirst {
		return nil
	}
	*buf = data
	return http.Header{firstField: {firstEncoding.EncodeToString(data)}}
}
