package ws

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
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
	w := answers.Get().(*answer)
	defer w.free()
	w.conn = c

	switch {
	case !websocket.IsWebSocketUpgrade(req):
		return nil, w.refuse(http.StatusUpgradeRequired, "this address speaks WebSocket only: connect with a tim client")
	case !offersTim(req):
		return nil, w.refuse(http.StatusBadRequest,
			"Sec-WebSocket-Protocol must offer "+wire.Subprotocol+": this server speaks nothing else")
	case !u.allows(req):
		return nil, w.refuse(http.StatusForbidden, "pages of this origin may not connect")
	}
	c.Wake()
	says := chosenHeader
	early := carriesFirst(req.Header)
	if early {
		says = takenHeader
		c.pipe.holdNext()
	}
	var err error
	if c.conn, err = upgrader.Upgrade(w, req, says); err != nil {
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

func offersTim(req *http.Request) bool {
	offer := req.Header["Sec-Websocket-Protocol"]
	return len(offer) == 1 && offer[0] == wire.Subprotocol || slices.Contains(websocket.Subprotocols(req), wire.Subprotocol)
}

func (u *Upgrader) allows(req *http.Request) bool {
	if u.CheckOrigin != nil {
		return u.CheckOrigin(req)
	}
	origin := req.Header.Get("Origin")
	page, err := url.Parse(origin)
	return origin == "" || err == nil && strings.EqualFold(page.Host, req.Host)
}

// upgrader is one for all: what differs was decided before. The word for the subprotocol comes from chosenHeader, because
// gorilla keeps it for as long as the connection lives.
var upgrader = websocket.Upgrader{
	WriteBufferSize: 512,
	WriteBufferPool: &writeBuffers,
	CheckOrigin:     func(*http.Request) bool { return true },
	Error: func(w http.ResponseWriter, _ *http.Request, status int, reason error) {
		_ = w.(*answer).refuse(status, strings.TrimPrefix(reason.Error(), "websocket: "))
	},
}

var (
	subprotocols = []string{wire.Subprotocol}
	chosenHeader = http.Header{"Sec-Websocket-Protocol": subprotocols}
	writeBuffers sync.Pool // gorilla's
)

// An answer is what gorilla takes for net/http's connection. It keeps neither the answer nor what is in it.
type answer struct {
	conn   *ServerConn
	both   bufio.ReadWriter
	header http.Header
}

var answers = sync.Pool{New: func() any {
	w := new(answer)
	w.both.Writer = bufio.NewWriterSize(io.Discard, 512) // gives gorilla room for the head of its answer
	return w
}}

func (w *answer) free() {
	w.both.Writer.Reset(io.Discard)
	w.conn, w.both.Reader, w.header = nil, nil, nil
	answers.Put(w)
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
	w.both.Reader = &w.conn.br
	return &w.conn.pipe, &w.both, nil
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
