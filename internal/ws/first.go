package ws

import (
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/opentim/tim/codes"
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

var (
	firstEncoding = base64.RawURLEncoding.Strict()
	takenHeader   = http.Header{"Sec-Websocket-Protocol": subprotocols, firstField: {firstTaken}}
)

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

// carriesFirst reports whether a handshake carries a first frame that is to be taken.
func carriesFirst(header http.Header) bool {
	values := header[firstField]
	return len(values) > 0 && len(values[0]) <= maxFirst
}

// decodeFirst returns the frame that header carries. The error is codes.ParseFailed and says nothing of the value, which
// holds a ticket.
func decodeFirst(header http.Header) (wire.Frame, error) {
	values := header[firstField]
	if len(values) != 1 {
		return nil, fmt.Errorf("%d fields %s: %w", len(values), firstField, codes.ParseFailed)
	}
	buf := messages.Get().(*[]byte)
	defer messages.Put(buf)
	text := append((*buf)[:0], values[0]...)
	data, err := firstEncoding.AppendDecode(text, text)
	if err != nil {
		return nil, fmt.Errorf("the field %s is not base64url: %w", firstField, codes.ParseFailed)
	}
	*buf = data
	f, err := wire.Decode(data[len(text):])
	if err != nil {
		return nil, fmt.Errorf("the field %s: %w", firstField, err)
	}
	return f, nil
}

// Early reports whether a first frame came with the handshake and waits for Read.
func (c *ServerConn) Early() bool { return c.first != nil }

func (c *ServerConn) takeFirst(header http.Header) {
	f, err := decodeFirst(header)
	if c.first = f; err != nil {
		c.first = err
	}
}

func (c *ServerConn) readFirst() (wire.Frame, error) {
	f, _ := c.first.(wire.Frame)
	err, _ := c.first.(error)
	c.first = nil
	return f, err
}

// Flush sends the answer to the handshake if it is still held back.
func (c *ServerConn) Flush() error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.pipe.held == nil {
		return nil
	}
	_ = c.pipe.SetWriteDeadline(time.Now().Add(c.timeout))
	_, err := c.pipe.Write(nil)
	return err
}

// A pipe is what gorilla takes for the network. It can hold a write back until the next one, so that both leave as one.
type pipe struct {
	net.Conn
	held *[]byte // one of messages: empty, it takes the next write. Otherwise it goes before the next write
}

// holdNext holds the next write back.
func (p *pipe) holdNext() {
	p.held = messages.Get().(*[]byte)
	*p.held = (*p.held)[:0]
}

func (p *pipe) Write(b []byte) (int, error) {
	if p.held == nil {
		return p.Conn.Write(b)
	}
	before := len(*p.held)
	*p.held = append(*p.held, b...)
	if before == 0 {
		return len(b), nil
	}
	n, err := p.Conn.Write(*p.held)
	if cap(*p.held) <= 4*readBuffer {
		messages.Put(p.held)
	}
	p.held = nil
	return max(n-before, 0), err
}
