package ws

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// A ServerConn is the server's end of a WebSocket. One goroutine at a time may read; any goroutine may write and close.
// Between frames it needs no goroutine and no read buffer: Park gives the buffer back, Wake takes one again.
type ServerConn struct {
	conn    *websocket.Conn
	pipe    pipe
	timeout time.Duration
	first   any // the wire.Frame that came with the handshake, or the error, until Read returns it
	// br is gorilla's reader. While the connection is awake it is a copy of lent, a reader of readBuffers.
	br   bufio.Reader
	lent *bufio.Reader

	writing sync.Mutex // gorilla panics when two goroutines write
}

const readBuffer = 2 << 10 // holds a login in one read

var (
	readBuffers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, readBuffer) }}
	messages    = sync.Pool{New: func() any { return new(make([]byte, 0, readBuffer)) }}
)

// NetConn returns the connection below, for its addresses and its descriptor.
func (c *ServerConn) NetConn() net.Conn { return c.pipe.Conn }

// SetReadDeadline bounds Read. Zero means no bound.
func (c *ServerConn) SetReadDeadline(t time.Time) error { return c.pipe.SetReadDeadline(t) }

// ErrCloseSent is what a write returns after WriteClose, and after an answer of gorilla's own to what is no WebSocket: the other
// side has been told that nothing more comes.
var ErrCloseSent = websocket.ErrCloseSent

// ErrIdle is what a read returns that would wait, between Try(true) and Try(false).
var ErrIdle net.Error = idle{}

type idle struct{}

func (idle) Error() string   { return "no bytes wait" }
func (idle) Timeout() bool   { return true }
func (idle) Temporary() bool { return true }

// Park gives the read buffer back and reports whether it did: it does not while bytes wait to be read that the descriptor
// below does not show. Nothing may be read until Wake. A connection that keeps bytes to itself, as TLS does, must have a
// method Try(on bool) that makes its reads return ErrIdle.
func (c *ServerConn) Park() bool {
	if t, ok := c.pipe.Conn.(interface{ Try(on bool) }); ok && c.br.Buffered() == 0 {
		t.Try(true)
		_, err := c.br.Peek(1)
		t.Try(false)
		if err != ErrIdle {
			return false // Read will tell
		}
	}
	if c.br.Buffered() > 0 {
		return false
	}
	c.Release()
	return true
}

// Release gives the read buffer back with what is in it, after Read has failed. Nothing may be read any more.
func (c *ServerConn) Release() {
	*c.lent = c.br
	c.lent.Reset(nil)
	readBuffers.Put(c.lent)
	c.br, c.lent = bufio.Reader{}, nil
}

// Wake takes a read buffer after Park.
func (c *ServerConn) Wake() {
	c.lent = readBuffers.Get().(*bufio.Reader)
	c.lent.Reset(c.pipe.Conn)
	c.br = *c.lent
}

// Read returns the next frame, the one that came with the handshake first. It answers pings by itself. With idle set, it
// returns no frame and no error after each ping and pong: the connection is alive, and can be parked unless more has come.
//
// The error is codes.ParseFailed or codes.FrameTooLarge when the other side sent something that is no frame; everything else
// means that the connection is gone. After an error nothing more can be read.
func (c *ServerConn) Read(idle bool) (wire.Frame, error) {
	if c.Early() {
		return c.readFirst()
	}
	for {
		control, err := c.readControl()
		if err != nil {
			return nil, err
		}
		if !control {
			return readFrame(c.conn, explain)
		}
		if idle {
			return nil, nil
		}
	}
}

// readControl takes a ping or a pong off the stream, if one comes next. gorilla would go on to wait for a message after
// it, and after a deadline never read again.
func (c *ServerConn) readControl() (bool, error) {
	const (
		final, masked = 0x80, 0x80
		header        = 2 + 4 // with the mask
	)
	head, err := c.br.Peek(2)
	if err != nil {
		return false, err
	}
	kind, size := head[0]&^final, int(head[1]&^masked)
	whole := head[0]&final != 0 && head[1]&masked != 0 && size <= 125
	if !whole || kind != websocket.PingMessage && kind != websocket.PongMessage {
		return false, nil // gorilla knows what to say to what is wrong
	}
	frame, err := c.br.Peek(header + size)
	if err != nil {
		return false, err
	}
	if kind == websocket.PingMessage {
		payload, mask := frame[header:], frame[2:header]
		for i := range payload {
			payload[i] ^= mask[i%4]
		}
		if err := c.write(websocket.PongMessage, payload); err != nil && !errors.Is(err, ErrCloseSent) {
			return false, err
		}
	}
	_, err = c.br.Discard(header + size)
	return true, err
}

// readFrame reads the next message of conn, at either end. words turns gorilla's errors into those of that end.
func readFrame(conn *websocket.Conn, words func(error) error) (wire.Frame, error) {
	kind, r, err := conn.NextReader()
	if err != nil {
		return nil, words(err)
	}
	if kind != websocket.BinaryMessage {
		return nil, fmt.Errorf("a text message: %w", codes.ParseFailed)
	}
	buf := messages.Get().(*[]byte)
	defer messages.Put(buf)
	data, err := readAll(r, (*buf)[:0])
	if err != nil {
		return nil, words(err)
	}
	if cap(data) <= 4*readBuffer {
		*buf = data
	}
	return wire.Decode(data)
}

// readAll appends what r has to b, one byte more than a frame may have at most.
func readAll(r io.Reader, b []byte) ([]byte, error) {
	for len(b) <= wire.MaxFrame {
		if len(b) == cap(b) {
			b = append(b, 0)[:len(b)]
		}
		n, err := r.Read(b[len(b):min(cap(b), wire.MaxFrame+1)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
	return b, nil
}

// explain tells a violation of the WebSocket protocol, which gorilla has answered with its own close code, from a
// connection that is gone.
func explain(err error) error {
	var closed *websocket.CloseError
	var network net.Error
	if errors.As(err, &closed) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
		return err
	}
	return fmt.Errorf("%v: %w", err, codes.ParseFailed)
}

// Write sends a frame. It returns within the Upgrader's WriteTimeout, plus that of a write which is under way; after an
// error nothing more can be written.
func (c *ServerConn) Write(f wire.Frame) error {
	buf := messages.Get().(*[]byte)
	defer messages.Put(buf)
	data := wire.Append((*buf)[:0], f)
	if len(data) > wire.MaxFrame {
		return fmt.Errorf("write frame of %d bytes: %w", len(data), codes.FrameTooLarge)
	}
	if cap(data) <= 4*readBuffer {
		*buf = data
	}
	return c.write(websocket.BinaryMessage, data)
}

// Ping sends a ping that carries now, the server's clock.
func (c *ServerConn) Ping(now time.Time) error {
	var clock [8]byte
	binary.BigEndian.PutUint64(clock[:], uint64(now.UnixMilli()))
	return c.write(websocket.PingMessage, clock[:])
}

// WriteClose says goodbye. The other side answers by closing; nothing can be written any more. text may have 123 bytes, the
// rest is cut.
func (c *ServerConn) WriteClose(code int, text string) error {
	if len(text) > 123 {
		text = text[:123]
	}
	return c.write(websocket.CloseMessage, websocket.FormatCloseMessage(code, text))
}

func (c *ServerConn) write(kind int, data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.conn.SetWriteDeadline(time.Now().Add(c.timeout))
	return c.conn.WriteMessage(kind, data)
}

// Close closes the connection at once. Read and Write return.
func (c *ServerConn) Close() error { return c.pipe.Close() }
