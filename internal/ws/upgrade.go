package ws

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/internal/wire"
)

// An Upgrader answers WebSocket handshakes on connections whose request was read without net/http's server: that server
// would keep 8 KB of buffers and an 8 KB stack for every connection that it gave away.
type Upgrader struct {
	// CheckOrigin reports whether the page that a browser names may connect. Nil means pages of the same host only. Requests
	// without an Origin header, which no browser sends, should pass.
	CheckOrigin func(*http.Request) bool
	// WriteTimeout bounds every write on the connection after the handshake. It must be positive.
	WriteTimeout time.Duration
}

// Upgrade answers req, which was read from nc, and returns the server's end of the WebSocket. If the handshake is refused,
// the answer says why in a sentence and the error repeats it. On an error closing nc is the caller's business.
//
// If req carries the client's first frame, the answer says so and is held back until Flush or the first write.
func (u *Upgrader) Upgrade(nc net.Conn, req *http.Request) (*ServerConn, error) {
	c := &ServerConn{pipe: pipe{Conn: nc}, timeout: u.WriteTimeout}
	w := &answer{conn: c, head: heads.Get().(*bufio.Writer)}
	defer heads.Put(w.head)

	if !websocket.IsWebSocketUpgrade(req) {
		return nil, w.refuse(http.StatusUpgradeRequired, "this address speaks WebSocket only: connect with a tim client")
	}
	if !slices.Contains(websocket.Subprotocols(req), wire.Subprotocol) {
		return nil, w.refuse(http.StatusBadRequest,
			"Sec-WebSocket-Protocol must offer "+wire.Subprotocol+": this server speaks nothing else")
	}
	// gorilla keeps the word for as long as the connection lives, and with a word of the request all of the request.
	req.Header["Sec-Websocket-Protocol"] = subprotocols
	up := websocket.Upgrader{
		WriteBufferSize: 512,
		WriteBufferPool: &writeBuffers,
		Subprotocols:    subprotocols,
		CheckOrigin:     u.CheckOrigin,
		Error: func(_ http.ResponseWriter, _ *http.Request, status int, reason error) {
			_ = w.refuse(status, strings.TrimPrefix(reason.Error(), "websocket: "))
		},
	}
	c.Wake()
	var says http.Header
	early := carriesFirst(req.Header)
	if early {
		says = takenHeader
		c.pipe.holdNext()
	}
	var err error
	if c.conn, err = up.Upgrade(w, req, says); err != nil {
		return nil, fmt.Errorf("websocket handshake: %w", err)
	}
	if early {
		c.takeFirst(req.Header)
	}
	return c, nil
}

// Refuse answers an HTTP request with one line of text, and says that the connection closes.
func Refuse(w io.Writer, status int, header http.Header, text string) error {
	if header == nil {
		header = http.Header{}
	}
	header.Set("Content-Type", "text/plain; charset=utf-8")
	answer := http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Close: true,
		Header: header, ContentLength: int64(len(text) + 1), Body: io.NopCloser(strings.NewReader(text + "\n")),
	}
	var b bytes.Buffer
	if err := answer.Write(&b); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

var (
	subprotocols = []string{wire.Subprotocol}
	writeBuffers sync.Pool // gorilla's
	heads        = sync.Pool{New: func() any { return bufio.NewWriterSize(io.Discard, 512) }}
)

// An answer is what gorilla takes for net/http's connection. It keeps neither the answer nor head.
type answer struct {
	conn   *ServerConn
	head   *bufio.Writer // gives gorilla room for the head of its answer
	header http.Header
}

func (w *answer) Header() http.Header {
	if w.header == nil {
		w.header = http.Header{}
	}
	return w.header
}
func (*answer) Write(b []byte) (int, error) { return len(b), nil }
func (*answer) WriteHeader(int)             {}

// Hijack gives gorilla the reader that the ServerConn owns, so that both see the same bytes.
func (w *answer) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return &w.conn.pipe, bufio.NewReadWriter(&w.conn.br, w.head), nil
}

func (w *answer) refuse(status int, reason string) error {
	header := http.Header{"Sec-WebSocket-Version": {"13"}, "Upgrade": {"websocket"}}
	nc := w.conn.NetConn() // past what is held back
	_ = nc.SetWriteDeadline(time.Now().Add(w.conn.timeout))
	if err := Refuse(nc, status, header, reason); err != nil {
		return fmt.Errorf("refuse websocket handshake: %w", err)
	}
	return errors.New("websocket handshake refused: " + reason)
}
