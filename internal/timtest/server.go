// Package timtest is a server for tests of clients, in memory: by default it says yes to everything and pings, as the real
// one does. A test overrides what it is about with a hook, or says it on a Conn at the right moment. It runs inside a
// synctest bubble as well as outside.
package timtest

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// A Server answers connections made with its NetDial. Set its fields before the first one. The zero value works.
type Server struct {
	// OnDial is asked about the n-th connection, counted from 1. An error refuses it, as a network would.
	OnDial func(ctx context.Context, n int) error
	// OnConn, if set, has the connection to itself instead of a WebSocket. It must close it.
	OnConn func(n int, conn net.Conn)
	// OnFrame sees each frame first. It returns true if the frame was taken care of.
	OnFrame func(c *Conn, f wire.Frame) bool

	// NoFirst is asked whether the n-th connection leaves the first frame in the handshake, as older servers do. Nil means
	// that all take it from there.
	NoFirst func(n int) bool

	PingInterval time.Duration // zero means 25 s, below zero never
	TicketLife   time.Duration // how long a ticket lasts from its login or renewal; zero means 24 h
	Window       time.Duration // reconnect window
	Skew         time.Duration // how far this server's clock is ahead
	Delay        time.Duration // on the way there, and on the way back

	mu     sync.Mutex
	conns  []*Conn
	dials  int
	closed bool
	all    sync.WaitGroup
}

// NetDial connects to the server, wherever address points.
func (s *Server) NetDial(ctx context.Context, _, _ string) (net.Conn, error) {
	s.mu.Lock()
	s.dials++
	n := s.dials
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, net.ErrClosed
	}
	if s.OnDial != nil {
		if err := s.OnDial(ctx, n); err != nil {
			return nil, err
		}
	}
	here, there := pipe()
	s.all.Go(func() {
		if s.OnConn != nil {
			s.OnConn(n, there)
			return
		}
		s.Serve(n, there)
	})
	return here, nil
}

// Close drops all connections and waits for their ends.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for _, c := range s.Conns() {
		c.Drop()
	}
	s.all.Wait()
}

// Dials counts the connections that were tried.
func (s *Server) Dials() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dials
}

// Conns returns all WebSockets there were, oldest first.
func (s *Server) Conns() []*Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.conns)
}

// Last returns the newest WebSocket. It panics if there was none.
func (s *Server) Last() *Conn {
	all := s.Conns()
	return all[len(all)-1]
}

// Frames returns what clients sent, over all connections in order.
func (s *Server) Frames() []wire.Frame {
	var all []wire.Frame
	for _, c := range s.Conns() {
		all = append(all, c.Frames()...)
	}
	return all
}

// Now is the server's clock.
func (s *Server) Now() time.Time { return time.Now().Add(s.Skew) }

func (s *Server) ticketExpires() int64 {
	life := s.TicketLife
	if life == 0 {
		life = 24 * time.Hour
	}
	return s.Now().Add(life).UnixMilli()
}

// Accepted is the answer that the server gives by default to the n-th accepted login or resume.
func (s *Server) accepted(request, n uint64) *wire.Accepted {
	ping := s.PingInterval
	if ping <= 0 {
		ping = 25 * time.Second
	}
	return &wire.Accepted{
		Request: request, Session: fmt.Sprintf("session-%d", n), LoginSeq: n, ServerTime: s.Now().UnixMilli(),
		TicketExpires: s.ticketExpires(), PingInterval: ping.Milliseconds(), ReconnectWindow: s.Window.Milliseconds(),
		ResumeTicket: fmt.Appendf(nil, "resume-%d", n),
	}
}

// answer says yes.
func (s *Server) answer(c *Conn, f wire.Frame) {
	switch f := f.(type) {
	case *wire.Login:
		c.Accept(f.Request)
	case *wire.Resume:
		c.Accept(f.Request)
	case *wire.Renew:
		c.Send(&wire.Reply{Request: f.Request, TicketExpires: s.ticketExpires(), ResumeTicket: []byte("resume-renewed")})
	case *wire.Logout:
		c.Send(&wire.Reply{Request: f.Request})
	case *wire.Call:
		c.Send(&wire.Reply{Request: f.Request, Code: codes.NotSupported})
	}
}
