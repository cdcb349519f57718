package ws

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/internal/wire"
)

// DialOptions say where and how Dial connects. Only URL is required.
type DialOptions struct {
	// URL is ws://host[:port]/path or wss://host[:port]/path.
	URL string
	// TLS configures wss. Nil means the system's roots. It is cloned.
	TLS *tls.Config
	// NetDial makes the TCP connection; nil means the function NetDial. Proxies of the environment are not used: what an
	// engine inside another program connects to must not depend on the environment. A host that needs a proxy dials through
	// it here.
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)
	// First is offered to the server inside the handshake, if its encoding has at most 1.5 KB; Conn.FirstTaken says whether
	// the server took it. Nil offers nothing.
	First wire.Frame
}

// NetDial is net.Dialer.DialContext without TCP keep-alives: the server's pings tell a dead connection, and keep-alives
// would only wake a phone's radio.
func NetDial(ctx context.Context, network, address string) (net.Conn, error) {
	low.hold()
	defer low.release()
	return (&net.Dialer{KeepAlive: -1}).DialContext(ctx, network, address)
}

// A Stage is how far Dial came.
type Stage int

// The stages of Dial, in order.
const (
	Connecting Stage = iota // name lookup and TCP
	Securing                // TLS
	Upgrading               // HTTP
)

// A DialError says where Dial failed and why.
type DialError struct {
	Stage Stage
	Err   error
	// Status is the HTTP status of an answer that agreed to no WebSocket, 0 if there was no such answer.
	Status int
	// HTML is true if that answer is a page for people.
	HTML bool
}

// Error says what failed.
func (e *DialError) Error() string {
	what := [...]string{"connect", "TLS handshake", "WebSocket handshake"}[e.Stage]
	if e.Status != 0 {
		return fmt.Sprintf("%s: HTTP %d: %v", what, e.Status, e.Err)
	}
	return what + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *DialError) Unwrap() error { return e.Err }

// Dial connects to o.URL until ctx ends. The error is a *DialError; after the end of ctx it wraps ctx.Err().
func Dial(ctx context.Context, o DialOptions) (*Conn, error) {
	var stop func() bool // ends the watch over ctx; gorilla itself heeds only its deadline
	var asked time.Time
	connect := func(ctx context.Context, network, address string) (net.Conn, error) {
		nc, err := o.netDial()(ctx, network, address)
		if err != nil {
			return nil, &DialError{Stage: Connecting, Err: err}
		}
		stop = context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
		return nc, nil
	}
	dialer := websocket.Dialer{
		ReadBufferSize:  512, // what a quiet client keeps
		WriteBufferSize: writeBuffer,
		WriteBufferPool: &writeBuffers,
		Subprotocols:    subprotocols,
		NetDialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := connect(ctx, network, address)
			asked = time.Now()
			return nc, err
		},
		NetDialTLSContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			nc, err := connect(ctx, network, address)
			if err != nil {
				return nil, err
			}
			tc, err := secure(ctx, nc, o)
			asked = time.Now()
			return tc, err
		},
	}
	offer := firstHeader(o.First)
	conn, answer, err := dialer.DialContext(ctx, o.URL, offer)
	if stop != nil && !stop() && err == nil {
		_ = conn.Close()
		err = ctx.Err()
	}
	if err != nil {
		return nil, dialError(ctx, err, answer)
	}
	if conn.Subprotocol() != wire.Subprotocol {
		_ = conn.Close()
		return nil, &DialError{Stage: Upgrading, Status: http.StatusSwitchingProtocols,
			Err: errors.New("the server does not speak " + wire.Subprotocol)}
	}
	c := newConn(conn)
	c.asked = asked
	c.firstTaken = offer != nil && answer.Header.Get(firstField) == firstTaken
	return c, nil
}

func (o *DialOptions) netDial() func(ctx context.Context, network, address string) (net.Conn, error) {
	if o.NetDial != nil {
		return o.NetDial
	}
	return NetDial
}

func secure(ctx context.Context, nc net.Conn, o DialOptions) (net.Conn, error) {
	config := &tls.Config{}
	if o.TLS != nil {
		config = o.TLS.Clone()
	}
	config.NextProtos = []string{"http/1.1"}
	if config.ServerName == "" {
		u, err := url.Parse(o.URL)
		if err != nil {
			return nil, &DialError{Stage: Securing, Err: err}
		}
		config.ServerName = u.Hostname()
	}
	tc := tls.Client(nc, config)
	if err := tc.HandshakeContext(ctx); err != nil {
		_ = nc.Close()
		return nil, &DialError{Stage: Securing, Err: err}
	}
	return tc, nil
}

func dialError(ctx context.Context, err error, answer *http.Response) error {
	var d *DialError
	if !errors.As(err, &d) {
		d = &DialError{Stage: Upgrading, Err: err}
	}
	switch {
	case answer != nil:
		d.Status, d.HTML = answer.StatusCode, strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html")
	case ctx.Err() != nil: // whatever it broke
		d.Err = ctx.Err()
	}
	return d
}
