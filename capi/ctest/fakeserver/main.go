// Command fakeserver is a tim server that does what each ticket tells it, so that a test can meet any answer of a server,
// also those that a real one gives once a year:
//
//	fakeserver        prints its URL, then serves until its standard input ends
//
// A ticket is a list of words, separated by spaces. The first says how the login is answered:
//
//	ok                accepted, with a ticket that ends in a day
//	slow=MS           the same, after MS milliseconds
//	expires=MS        accepted, with a ticket that ends in MS milliseconds
//	refuse=CODE       refused
//	silent            never
//	garbage           by bytes that are no frame
//	cut               by closing the connection without a word
//	chaos             by any of these, and then everything that a server may do, at any moment; see chaos.go
//
// The others say what happens afterwards, one after the other:
//
//	after=MS          waits
//	kick=REASON,PLATFORM,LABEL  with %xx for any byte of the label
//	expire            the ticket ended
//	bye=CODE,ACTION,RETRY_MS
//	garbage, cut      as above
//
// A renewal is answered by the first word of its ticket. A session can be resumed until it is kicked, expired or logged
// out. The server's clock is an hour ahead. Below /no-websocket every answer is 404, and /echo sends every message back.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, "fakeserver:", err)
		os.Exit(1)
	}
	s := &server{sessions: make(map[string]string)}
	http.HandleFunc("/", s.serve)
	http.Handle("/no-websocket", http.NotFoundHandler())
	http.HandleFunc("/echo", echo)
	go func() { _ = http.Serve(listener, nil) }()
	fmt.Printf("ws://%s/\n", listener.Addr())
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// A server knows the sessions that can be resumed: user by resume ticket.
type server struct {
	mu       sync.Mutex
	last     uint64
	sessions map[string]string
}

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	growStack()
	nc, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer nc.Close()
	conn, err := (&ws.Upgrader{WriteTimeout: 10 * time.Second}).Upgrade(patient{nc}, r)
	if err != nil {
		return
	}
	c := &connection{server: s, conn: conn}
	for {
		frame, err := conn.Read(false)
		if err != nil {
			return
		}
		c.handle(frame)
	}
}

// growStack makes room at once for all that is to come: deep inside a write it would be a part of each login, which it is not of
// each echo.
//
//go:noinline
func growStack() {
	var room [12 << 10]byte
	touch(&room)
}

//go:noinline
func touch(*[12 << 10]byte) {}

// A patient connection has no deadlines: setting one wakes a thread, which the server would be measured by.
type patient struct{ net.Conn }

func (patient) SetWriteDeadline(time.Time) error { return nil }

var upgrader = websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}

func echo(w http.ResponseWriter, r *http.Request) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	for {
		kind, data, err := conn.ReadMessage()
		if err != nil || conn.WriteMessage(kind, data) != nil {
			return
		}
	}
}

// begin opens a session and returns its resume ticket and its number.
func (s *server) begin(user string) (string, uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	resume := fmt.Sprintf("resume-%d", s.last)
	s.sessions[resume] = user
	return resume, s.last
}

const chaotic = " " // no user is called so

func (s *server) beginChaos() (resume string) {
	resume, _ = s.begin(chaotic)
	return resume
}

func (s *server) isChaos(resume string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[resume] == chaotic
}

// running reports whether a session can be resumed.
func (s *server) running(resume string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sessions[resume] != ""
}

func (s *server) end(resume string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, resume)
}
