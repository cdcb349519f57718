//go:build linux

package proof

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
	"github.com/opentim/tim/usersig"
)

func signFor(user string) (string, error) { return usersig.Sign(appID, appKey, user, time.Hour) }

// A session is a connection that is signed in, without an engine that would come back by itself.
type session struct {
	conn *ws.Conn
	*wire.Accepted
}

// attempt logs a device in over the node's own address, once: a refusal is a codes.Code, anything else means that nobody knows
// whether it was admitted. A meek login is admitted only where nobody has to leave for it.
func (n *node) attempt(ctx context.Context, d Device, meek bool) (*session, error) {
	ticket, err := signFor(d.User)
	if err != nil {
		return nil, err
	}
	return n.open(ctx, &wire.Login{
		Request: 1, Version: wire.Version, App: appID, User: d.User, Ticket: ticket, Platform: d.Platform,
		Instance: d.Name, Label: d.Name, SDK: "proof", Reconnect: meek,
	})
}

// fromAnywhere connects from some address of this machine: one whose tickets are refused too often has to wait.
func fromAnywhere(ctx context.Context, network, address string) (net.Conn, error) {
	from := &net.TCPAddr{IP: net.IPv4(127, byte(1+rand.IntN(250)), byte(rand.IntN(250)), byte(1+rand.IntN(250)))}
	return (&net.Dialer{LocalAddr: from}).DialContext(ctx, network, address)
}

func (n *node) open(ctx context.Context, first wire.Frame) (*session, error) {
	conn, err := n.dial(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Drop() })
	defer stop()
	if err := conn.Write(first); err != nil {
		_ = conn.Drop()
		return nil, err
	}
	return awaitAnswer(conn)
}

func (n *node) dial(ctx context.Context) (*ws.Conn, error) {
	return ws.Dial(ctx, ws.DialOptions{URL: "ws://" + n.addr + "/tim", NetDial: fromAnywhere})
}

// awaitAnswer reads the answer to a login or a resume. After an error the connection is closed.
func awaitAnswer(conn *ws.Conn) (*session, error) {
	for {
		f, err := conn.Read()
		if err != nil {
			_ = conn.Drop()
			return nil, err
		}
		switch f := f.(type) {
		case *wire.Accepted:
			return &session{conn, f}, nil
		case *wire.Refused:
			_ = conn.Drop()
			return nil, fmt.Errorf("refused: %s: %w", f.Text, f.Code)
		}
	}
}

// logout ends the session. It succeeds if that was confirmed, or if the session was ended before.
func (s *session) logout(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { _ = s.conn.Drop() })
	defer stop()
	if err := s.conn.Write(&wire.Logout{Request: 2}); err != nil {
		return err
	}
	for {
		f, err := s.conn.Read()
		if err != nil {
			return err
		}
		switch f := f.(type) {
		case *wire.Reply:
			if f.Code != 0 {
				return fmt.Errorf("logout: %w", f.Code)
			}
			return nil
		case *wire.Kicked:
			return nil
		}
	}
}

// kicked waits for the word that the session was ended.
func (s *session) kicked(within time.Duration) (*wire.Kicked, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		return nil, err
	}
	for {
		f, err := s.conn.Read()
		if err != nil {
			return nil, err
		}
		if k, ok := f.(*wire.Kicked); ok {
			return k, nil
		}
	}
}
