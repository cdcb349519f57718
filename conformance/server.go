package conformance

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/internal/wire"
)

// A server is what a scenario makes of it. It answers nothing by itself but pings.
type server struct {
	address string
	skew    time.Duration // how far its clock is ahead
	now     *conn         // which spoke last, or was dialed last and is not ignored
	request uint64        // number of the request heard last
	before  uint64        // and of the one before
	logins  uint64        // accepted, resumes included
	said    time.Time     // when it said or did something to a connection last
	heardAt time.Time     // when what was heard last came

	mu       sync.Mutex
	mode     mode
	early    bool // first frames are taken out of handshakes
	listener net.Listener
	conns    []*conn
	raw      []net.Conn // all there were
	news     chan struct{}
}

// A mode is what becomes of those who connect.
type mode int

const (
	accepting mode = iota
	refusing       // nobody listens
	resetting      // connections end at once
	ignoring       // connections are made, and nothing ever comes
	showing        // a page for people, as a captive portal does
)

func newServer() (*server, error) {
	s := &server{news: make(chan struct{}, 1)}
	for range ports {
		s.address = fmt.Sprintf("127.0.0.1:%d", firstPort+lastPort.Add(1)%ports)
		if s.listen() == nil {
			return s, nil
		}
	}
	return nil, fmt.Errorf("nobody can listen on any port from %d to %d", firstPort, firstPort+ports-1)
}

// Ports that the kernel gives to nobody who asks for any, and that no two stories have: a server that refuses connections finds its
// own free when it accepts them again.
const firstPort, ports = 10_000, 4_000

var lastPort atomic.Uint32

func init() { lastPort.Store(rand.Uint32N(ports)) } // another run beside this one begins elsewhere

// listen starts to listen, always on the same port.
func (s *server) listen() error {
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	go func() { _ = (&http.Server{Handler: s, ReadHeaderTimeout: time.Minute}).Serve(gate{l, s}) }()
	return nil
}

// A gate keeps out whom the server's mode does not let in.
type gate struct {
	net.Listener
	server *server
}

// Accept returns the next connection that the HTTP server should see.
func (g gate) Accept() (net.Conn, error) {
	for {
		nc, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		g.server.mu.Lock()
		g.server.raw = append(g.server.raw, nc)
		mode := g.server.mode
		g.server.mu.Unlock()
		switch mode {
		case resetting:
			_ = nc.(*net.TCPConn).SetLinger(0)
			_ = nc.Close()
		case ignoring:
			g.server.add(&conn{server: g.server, dialed: true})
		default:
			return nc, nil
		}
	}
}

// become changes what happens to those who connect from now on.
func (s *server) become(m mode) error {
	s.mu.Lock()
	was, listener := s.mode, s.listener
	s.mode = m
	s.mu.Unlock()
	switch {
	case m == refusing:
		return listener.Close()
	case was == refusing:
		return s.listen()
	}
	return nil
}

func (s *server) showing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mode == showing
}

// wants changes whether first frames are taken out of handshakes, as early frames, or left to come late.
func (s *server) wants(which string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.early = which == "early frames"
	if !s.early && which != "late frames" {
		return fmt.Errorf("the server takes early frames, or late frames")
	}
	return nil
}

func (s *server) wantsEarly() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.early
}

func (s *server) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.listener.Close()
	for _, nc := range s.raw {
		_ = nc.Close()
	}
}

func (s *server) add(c *conn) {
	s.mu.Lock()
	s.conns = append(s.conns, c)
	s.mu.Unlock()
	s.tell()
}

func (s *server) hear(c *conn, h heard) {
	s.mu.Lock()
	c.heard = append(c.heard, h)
	s.mu.Unlock()
	s.tell()
}

func (s *server) tell() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// expect takes the frame that was expected, as the next of any connection: what comes over one connection has an order,
// what comes over two has none. "connection" is a connection itself.
func (s *server) expect(want []string, patience time.Duration) (got string, ok bool) {
	late := time.After(patience)
	for {
		if got, ok := s.take(want); ok {
			return got, true
		}
		select {
		case <-s.news:
		case <-late:
			return strings.Join(s.untold(), "; "), false
		}
	}
}

func (s *server) take(want []string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		switch {
		case len(want) == 1 && want[0] == "connection" && c.dialed:
			if c.dialed = false; c.ws != nil {
				s.now = c
			}
			return "server hears connection", true
		case len(c.heard) > 0 && matches(want, c.heard[0].words):
			s.now, s.before, s.request, s.heardAt, c.dialed = c, s.request, c.heard[0].request, c.heard[0].at, false
			c.heard = c.heard[1:]
			return "server hears " + strings.Join(want, " "), true
		}
	}
	return "", false
}

// untold is what clients did and the story does not mention.
func (s *server) untold() (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		if c.dialed {
			all = append(all, "server hears connection")
		}
		for _, h := range c.heard {
			all = append(all, "server hears "+strings.Join(h.words, " "))
		}
	}
	return all
}

// waited is how long after the server's last deed the frame came that was heard last.
func (s *server) waited() time.Duration { return s.heardAt.Sub(s.said) }

// clock is the server's.
func (s *server) clock() time.Time { return time.Now().Add(s.skew) }

// say sends a frame over the connection that spoke last.
func (s *server) say(args []string) error {
	if len(args) > 0 && args[0] == "accepted" {
		s.logins++
	}
	if i := slices.Index(args, "request=before"); i > 0 {
		args = slices.Replace(slices.Clone(args), i, i+1, fmt.Sprintf("request=%d", s.before))
	}
	f, err := frame(args, s.clock(), s.request, s.logins)
	if err != nil {
		return err
	}
	if s.now == nil {
		return fmt.Errorf("nobody is connected")
	}
	s.now.send(binaryFrame, wire.Append(nil, f))
	return nil
}
