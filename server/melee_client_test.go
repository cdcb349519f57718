package server_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/gateway"
	"github.com/opentim/tim/usersig"
)

// A fighter is a device that does whatever it likes.
type fighter struct {
	*melee
	*rand.Rand
	user     string
	platform codes.Platform
	instance string

	links []*link

	mu      sync.Mutex
	tickets [][]byte // resume tickets, the newest last
}

func newFighter(m *melee, i int) *fighter {
	phone := i / 2 // somebody has cloned each of them
	return &fighter{
		melee: m, Rand: m.dice(i), user: m.users[phone%len(m.users)],
		platform: codes.Platforms()[phone%len(codes.Platforms())], instance: fmt.Sprint("instance ", phone),
	}
}

func (f *fighter) fight(ending chan struct{}) {
	for {
		select {
		case <-ending:
			return
		default:
		}
		switch roll := f.IntN(20); {
		case roll == 0:
			f.stranger()
		case roll < 5 || len(f.links) == 0:
			f.dial()
		default:
			f.act(f.links[f.IntN(len(f.links))])
		}
		f.links = slices.DeleteFunc(f.links, func(l *link) bool { return l.ended() })
		for len(f.links) > 3 {
			f.leave(f.links[0])
			f.links = f.links[1:]
		}
	}
}

// stranger comes for something else, or does not know what.
func (f *fighter) stranger() {
	nc, err := net.Dial("tcp", f.nodes[f.IntN(len(f.nodes))].address)
	if err != nil {
		return
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	says := []string{"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "GET /tim HTTP/1.1\r\nHo", "\x16\x03\x01 what", "GET /tim HTTP/1.1\r\nHost: x\r\n\r\n"}
	_, _ = nc.Write([]byte(says[f.IntN(len(says))]))
	if f.IntN(2) == 0 {
		_ = nc.(*net.TCPConn).SetLinger(0)
	}
}

// dial connects to any node, half of the time with the first frame in the handshake, and asks to be let in.
func (f *fighter) dial() {
	header := http.Header{"X-Forwarded-For": {fmt.Sprintf("10.%d.%d.%d", f.IntN(256), f.IntN(256), f.IntN(256))}}
	l := &link{melee: f.melee, f: f, waiting: map[uint64]string{}, news: make(chan struct{}, 1), gone: make(chan struct{})}
	first := f.entrance(l)
	early := f.IntN(2) == 0
	if early {
		header.Set("Tim-First", base64.RawURLEncoding.EncodeToString(wire.Append(nil, first)))
	}
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience}
	conn, answer, err := d.Dial("ws://"+f.nodes[f.IntN(len(f.nodes))].address+gateway.Path, header)
	if err != nil {
		stopping := answer != nil && answer.StatusCode == http.StatusServiceUnavailable
		moved := answer == nil && early // its clone came back with the session, before this one was answered
		if !stopping && !moved {
			f.t.Errorf("dial: %v", err)
		}
		time.Sleep(time.Millisecond)
		return
	}
	l.conn = conn
	if early && answer.Header.Get("Tim-First") != "taken" {
		f.t.Error("the first frame was not taken")
	}
	go l.listen()
	f.links = append(f.links, l)
	if !early {
		l.send(frameOf(first))
	}
	if f.IntN(4) > 0 {
		l.await()
	}
}

// entrance returns a login or a resume.
func (f *fighter) entrance(l *link) wire.Frame {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := len(f.tickets); n > 0 && f.IntN(2) == 0 {
		ticket := f.tickets[n-1]
		switch f.IntN(6) {
		case 0:
			ticket = f.tickets[f.IntN(n)]
		case 1:
			ticket = append([]byte("forged"), ticket...)
		}
		return &wire.Resume{Request: l.asks("resume"), Version: wire.Version, Ticket: ticket}
	}
	return &wire.Login{
		Request: l.asks("login"), Version: wire.Version, App: appID, User: f.user, Ticket: f.ticket(), Platform: f.platform,
		Instance: f.instance, Label: "a fighter", SDK: "melee", Reconnect: f.IntN(4) == 0,
	}
}

// ticket signs one, which may end within a second, or be of no use.
func (f *fighter) ticket() string {
	valid, user := time.Hour, f.user
	switch f.IntN(12) {
	case 0:
		valid = time.Second
	case 1:
		user = "mallory"
	case 2:
		return "no ticket"
	}
	sig, err := usersig.Sign(appID, appKey, user, valid)
	if err != nil {
		f.t.Errorf("sign: %v", err)
	}
	return sig
}

// act sends one frame, or several in one piece, on a connection.
func (f *fighter) act(l *link) {
	var out []byte
	for range 1 + f.IntN(5)*f.IntN(5) {
		out = append(out, f.next(l)...)
	}
	switch f.IntN(12) {
	case 0:
		l.send(out)
		f.leave(l)
	case 1:
		l.send(out) // and does something else
	default:
		l.send(out)
		l.await()
	}
}

func (f *fighter) next(l *link) []byte {
	switch roll := f.IntN(100); {
	case roll < 50:
		return frameOf(&wire.Renew{Request: l.asks("renew"), Ticket: f.ticket()})
	case roll < 70:
		return frameOf(&wire.Call{Request: l.asks("call"), Method: "anything"})
	case roll < 80:
		return websocketFrame(websocket.PingMessage, []byte("ping"))
	case roll < 90:
		return websocketFrame(websocket.BinaryMessage, []byte{0x91, 0x63}) // of a kind that nobody knows
	case roll < 94:
		return frameOf(&wire.Logout{Request: l.asks("logout")})
	case roll < 96:
		return frameOf(f.entrance(l))
	case roll == 96:
		return websocketFrame(websocket.BinaryMessage, []byte{0xc1, 0xff, 0x00})
	case roll == 97:
		return websocketFrame(websocket.TextMessage, []byte("text"))
	case roll == 98:
		return frameOf(&wire.Kicked{Reason: codes.KickReplaced})
	}
	return []byte{0x7f, 0xff, 0xff} // no WebSocket
}

// leave ends a connection, well or badly, and waits until it has ended.
func (f *fighter) leave(l *link) {
	switch f.IntN(3) {
	case 0:
		l.send(websocketFrame(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "")))
		return // whoever it is will be gone
	case 1:
		_ = l.conn.NetConn().(*net.TCPConn).SetLinger(0)
	}
	_ = l.conn.Close()
	<-l.gone
}

// A link is a connection, and what was asked over it.
type link struct {
	*melee
	f    *fighter
	conn *websocket.Conn

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]string
	held    string        // the session that it has been told it has
	news    chan struct{} // cap 1
	gone    chan struct{} // closed when nothing more comes
}

// asks returns the number of a new request.
func (l *link) asks(what string) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.waiting[l.last] = what
	return l.last
}

func (l *link) send(b []byte) {
	_ = l.conn.NetConn().SetWriteDeadline(time.Now().Add(patience))
	_, _ = l.conn.NetConn().Write(b)
}

// holds notes which session the connection has; an empty one says that it is over.
func (l *link) holds(session string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.held = session
}

// session returns the session that the client believes it has over this connection.
func (l *link) session() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

func (l *link) ended() bool {
	select {
	case <-l.gone:
		return true
	default:
		return false
	}
}

// await waits until all that was asked is answered, or the connection ends.
func (l *link) await() {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		l.mu.Lock()
		left := len(l.waiting)
		l.mu.Unlock()
		if left == 0 {
			return
		}
		select {
		case <-l.news:
		case <-l.gone:
			return
		case <-late.C:
			l.mu.Lock()
			defer l.mu.Unlock()
			l.t.Errorf("%s: no answer, and no end, on a connection that asked %v", l.f.user, l.waiting)
			return
		}
	}
}

func (l *link) listen() {
	defer close(l.gone)
	defer l.conn.Close()
	defer l.holds("")
	_ = l.conn.SetReadDeadline(time.Time{})
	for {
		_, data, err := l.conn.ReadMessage()
		if err != nil {
			return
		}
		f, err := wire.Decode(data)
		if err != nil {
			l.t.Errorf("the server sends what cannot be read: %v", err)
			return
		}
		l.tally.count(f)
		switch f := f.(type) {
		case *wire.Accepted:
			l.answered(f.Request, "login", "resume")
			l.holds(f.Session)
			l.f.keep(f.ResumeTicket)
		case *wire.Refused:
			l.answered(f.Request, "login", "resume")
			if f.Code == codes.ServerInternal {
				l.t.Error("a login was refused with an internal error")
			}
		case *wire.Reply:
			l.answered(f.Request, "renew", "logout", "call")
			if f.ResumeTicket != nil {
				l.f.keep(f.ResumeTicket)
			}
		}
	}
}

func (f *fighter) keep(ticket []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tickets = append(f.tickets, ticket)
}

func (l *link) answered(request uint64, to ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if what := l.waiting[request]; !slices.Contains(to, what) {
		l.t.Errorf("%s: an answer to %v, request %d, which waits for an answer to %q", l.f.user, to, request, what)
	}
	delete(l.waiting, request)
	select {
	case l.news <- struct{}{}:
	default:
	}
}

func frameOf(f wire.Frame) []byte {
	return websocketFrame(websocket.BinaryMessage, wire.Append(nil, f))
}

// websocketFrame is a frame from a client, with a mask that changes nothing.
func websocketFrame(kind byte, payload []byte) []byte {
	out := []byte{0x80 | kind}
	if len(payload) < 126 {
		out = append(out, 0x80|byte(len(payload)))
	} else {
		out = binary.BigEndian.AppendUint16(append(out, 0x80|126), uint16(len(payload)))
	}
	return append(append(out, 0, 0, 0, 0), payload...)
}

var _ server.Observer = (*ears)(nil)
