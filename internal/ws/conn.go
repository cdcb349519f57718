package ws

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

const (
	writeBuffer  = 512 // of the frames in writeBuffers; a longer message is sent in fragments
	writeTimeout = 10 * time.Second
	closeTimeout = time.Second
	maxReason    = 123 // bytes of text in a close frame
)

// Close codes for a client. Those of a server come with codes.Code.
const (
	NormalClosure = websocket.CloseNormalClosure
	GoingAway     = websocket.CloseGoingAway
)

// A Conn is the client's end of a WebSocket. One goroutine may Read; the other methods may be called from any goroutine.
type Conn struct {
	conn *websocket.Conn
	ping func(payload []byte)
	pong func()

	firstTaken bool
	asked      time.Time

	writing sync.Mutex // gorilla panics when two goroutines write
}

// A CloseError says that the other side closed the connection, with which code and in which words. A close frame without a
// code has 1005.
type CloseError struct {
	Code int
	Text string
}

// Error returns the code and the text.
func (e *CloseError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("closed by the server with %d", e.Code)
	}
	return fmt.Sprintf("closed by the server with %d: %s", e.Code, e.Text)
}

func newConn(conn *websocket.Conn) *Conn {
	c := &Conn{conn: conn, ping: func([]byte) {}, pong: func() {}}
	conn.SetPingHandler(func(payload string) error {
		// A pong that cannot be sent is no reason to stop reading: the server will close, and may say why.
		_ = conn.WriteControl(websocket.PongMessage, []byte(payload), time.Now().Add(writeTimeout))
		c.ping([]byte(payload))
		return nil
	})
	conn.SetPongHandler(func(string) error { c.pong(); return nil })
	return c
}

// FirstTaken reports whether the server took DialOptions.First from the handshake: its answer is the next frame to be read. If
// not, First has to be written as every other frame.
func (c *Conn) FirstTaken() bool { return c.firstTaken }

// Asked returns when Dial sent the handshake, which is when DialOptions.First went out.
func (c *Conn) Asked() time.Time { return c.asked }

// Watch makes Read call ping with the payload of each ping, after answering it, and pong for each pong. It must be called
// before the first Read.
func (c *Conn) Watch(ping func(payload []byte), pong func()) { c.ping, c.pong = ping, pong }

// Read returns the next frame. The error is a *CloseError if the other side said goodbye, wraps codes.ParseFailed or
// codes.FrameTooLarge if it sent something that is no frame, and is the network's otherwise. After an error nothing more
// can be read.
func (c *Conn) Read() (wire.Frame, error) { return readFrame(c.conn, readError) }

// readError turns gorilla's words into ours. gorilla calls an end of the stream without goodbye a close with 1006.
func readError(err error) error {
	var closed *websocket.CloseError
	if !errors.As(err, &closed) {
		return explain(err)
	}
	if closed.Code == websocket.CloseAbnormalClosure {
		return io.ErrUnexpectedEOF
	}
	return &CloseError{Code: closed.Code, Text: closed.Text}
}

// SetReadDeadline bounds Read. Zero means no bound. After a Read that ran into it nothing more can be read.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.conn.SetReadDeadline(t) }

// Write sends a frame within 10 s. A frame that is too large is codes.FrameTooLarge and harms nothing; after any other
// error nothing more can be written.
func (c *Conn) Write(f wire.Frame) error { return c.write(f, writeTimeout) }

// WriteFirst is Write for the first frame of a connection, which finds room in the empty buffers of the network: it takes as
// long as it takes, until Close or Drop. The timer that it spares would wake a thread, at every login.
func (c *Conn) WriteFirst(f wire.Frame) error { return c.write(f, 0) }

func (c *Conn) write(f wire.Frame, timeout time.Duration) error {
	buf := messages.Get().(*[]byte)
	defer messages.Put(buf)
	data := wire.Append((*buf)[:0], f)
	if len(data) > wire.MaxFrame {
		return fmt.Errorf("write frame of %d bytes: %w", len(data), codes.FrameTooLarge)
	}
	if cap(data) <= 4*readBuffer {
		*buf = data
	}
	var deadline time.Time
	if timeout > 0 {
		deadline = time.Now().Add(timeout)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	_ = c.conn.SetWriteDeadline(deadline)
	return c.conn.WriteMessage(websocket.BinaryMessage, data)
}

// Ping sends a ping. The other side answers it with a pong.
func (c *Conn) Ping() error {
	return c.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout))
}

// Close says goodbye, for at most a second, and closes the connection. Read and Write return. reason is cut at 123 bytes.
func (c *Conn) Close(code int, reason string) error {
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	_ = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(closeTimeout))
	return c.conn.Close()
}

// Drop closes the connection at once, without a goodbye. Read and Write return.
func (c *Conn) Drop() error { return c.conn.Close() }
