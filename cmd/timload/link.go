package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// The opcodes of WebSocket messages.
const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// A link is a WebSocket client that costs the generator as little as possible, because it shares the machine with the server it
// measures: no compression, no fragments, no checks of what a server must do right. One goroutine uses it at a time.
type link struct {
	conn net.Conn
	in   *bufio.Reader
	out  []byte // scratch for writing
	buf  []byte // scratch for reading

	taken bool // the server took the frame that the request carried
}

// A closedError is the close frame that ended a link.
type closedError struct {
	code   int
	reason string
}

func (e *closedError) Error() string {
	return fmt.Sprintf("closed by the server: %d %s", e.code, e.reason)
}

// newLink returns a link to be opened; it can be opened again after each hangUp.
func newLink() *link { return &link{in: bufio.NewReaderSize(nil, 1024)} }

// upgradeRequest is the text that turns a connection to addr into a WebSocket. An empty subprotocol asks for none.
func upgradeRequest(addr, path, subprotocol string) []byte {
	text := "GET " + path + " HTTP/1.1\r\nHost: " + addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
	if subprotocol != "" {
		text += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	return []byte(text + "\r\n")
}

// carrying returns request with a first frame in it.
func carrying(request, frame []byte) []byte {
	end := len(request) - len("\r\n")
	return fmt.Appendf(nil, "%sTim-First: %s\r\n\r\n", request[:end], base64.RawURLEncoding.EncodeToString(frame))
}

// open connects and upgrades. Reads and writes after it have until patience from now, unless settle is called.
func (l *link) open(ctx context.Context, d *dialer, request []byte) error {
	conn, err := d.dial(ctx)
	if err != nil {
		return err
	}
	l.conn = conn
	l.in.Reset(conn)
	if err := l.upgrade(request); err != nil {
		l.hangUp()
		return fmt.Errorf("upgrade: %w", err)
	}
	return nil
}

func (l *link) upgrade(request []byte) error {
	if err := l.conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := l.conn.Write(request); err != nil {
		return err
	}
	status, err := l.in.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !strings.HasPrefix(string(status), "HTTP/1.1 101") {
		return fmt.Errorf("the server answered %q", status)
	}
	for l.taken = false; ; {
		line, err := l.in.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case len(line) <= 2:
			return nil
		case string(line) == "Tim-First: taken\r\n":
			l.taken = true
		}
	}
}

// settle takes the deadline off, for a link that is to stay.
func (l *link) settle() error { return l.conn.SetDeadline(time.Time{}) }

func (l *link) hangUp() { hangUp(l.conn) }

// write sends one message. See appendMessage for messages that are made ahead.
func (l *link) write(op byte, payload []byte) error {
	l.out = appendMessage(l.out[:0], op, payload)
	_, err := l.conn.Write(l.out)
	return err
}

// appendMessage appends payload as a message from a client. Its mask is zero: to a server that is a mask like any other, and
// the generator is spared the masking.
func appendMessage(dst []byte, op byte, payload []byte) []byte {
	const final, masked = 0x80, 0x80
	dst = append(dst, final|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, masked|byte(n))
	case n <= 0xffff:
		dst = append(dst, masked|126, byte(n>>8), byte(n))
	default:
		panic("timload: a message of more than 64 KiB")
	}
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, payload...)
}

// read returns the next message, valid until the next read. It answers pings itself; a close frame is a *closedError.
func (l *link) read() (op byte, payload []byte, err error) {
	for {
		op, payload, err = l.readAny()
		switch {
		case err != nil:
			return 0, nil, err
		case op == opPing:
			if err := l.write(opPong, payload); err != nil {
				return 0, nil, err
			}
		case op == opClose:
			closed := &closedError{code: 1005}
			if len(payload) >= 2 {
				closed.code, closed.reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
			}
			return 0, nil, closed
		case op != opPong:
			return op, payload, nil
		}
	}
}

// drain reads, and answers pings, until the link ends. It returns why.
func (l *link) drain() error {
	for {
		if _, _, err := l.read(); err != nil {
			return err
		}
	}
}

var errFrame = errors.New("a frame that timload does not read: fragmented, masked or too large")

func (l *link) readAny() (op byte, payload []byte, err error) {
	var head [4]byte
	h := head[:2]
	if _, err := io.ReadFull(l.in, h); err != nil {
		return 0, nil, err
	}
	if h[0]&0xf0 != 0x80 || h[1]&0x80 != 0 || h[1] == 127 {
		return 0, nil, errFrame
	}
	size := int(h[1])
	if size == 126 {
		if _, err := io.ReadFull(l.in, head[2:]); err != nil {
			return 0, nil, err
		}
		size = int(binary.BigEndian.Uint16(head[2:]))
	}
	if cap(l.buf) < size {
		l.buf = make([]byte, size)
	}
	payload = l.buf[:size]
	_, err = io.ReadFull(l.in, payload)
	return h[0] & 0x0f, payload, err
}
