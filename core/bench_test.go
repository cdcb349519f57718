package core

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

// leanServer accepts every login and keeps next to nothing for it, so that what is measured is the client.
type leanServer struct{ conns chan *ws.ServerConn }

func (s *leanServer) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	go s.serve(there)
	return here, nil
}

func (s *leanServer) serve(nc net.Conn) {
	request, err := http.ReadRequest(bufio.NewReader(nc))
	if err != nil {
		return
	}
	up := ws.Upgrader{WriteTimeout: time.Second}
	c, err := up.Upgrade(nc, request)
	if err != nil {
		return
	}
	f, err := c.Read(false)
	if err != nil {
		return
	}
	_ = c.Write(&wire.Accepted{Request: f.(*wire.Login).Request, Session: "s", PingInterval: 600_000, ResumeTicket: make([]byte, 200)})
	c.Park()
	s.conns <- c
}

func openBench(tb testing.TB, dial func(context.Context, string, string) (net.Conn, error)) *Client {
	c, err := Open(Options{URL: "ws://127.0.0.1:1/tim", App: 1, Platform: codes.PlatformLinux, NetDial: dial})
	require.NoError(tb, err)
	return c
}

// BenchmarkLogin is a login and the loss of its connection over a wire in memory: dial, WebSocket handshake, two frames,
// five events and an answer.
func BenchmarkLogin(b *testing.B) {
	server := &leanServer{make(chan *ws.ServerConn, 1)}
	b.ReportAllocs()
	for b.Loop() {
		c := openBench(b, server.dial)
		if _, err := c.Login(b.Context(), "alice", "t"); err != nil {
			b.Fatal(err)
		}
		c.Close()
		_ = (<-server.conns).Close()
	}
}

// BenchmarkLoginOverLoopback compares a login with what gorilla alone needs to dial and to exchange a frame of each size, in
// one run, because the machine's noise is larger than the difference.
func BenchmarkLoginOverLoopback(b *testing.B) {
	server := &leanServer{make(chan *ws.ServerConn, 1)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(b, err)
	defer l.Close()
	go func() {
		for c, err := l.Accept(); err == nil; c, err = l.Accept() {
			go server.serve(c)
		}
	}()
	url := "ws://" + l.Addr().String() + "/tim"
	c, err := Open(Options{URL: url, App: 1, Platform: codes.PlatformLinux, Instance: "bench"})
	require.NoError(b, err)
	defer c.Close()
	ticket := strings.Repeat("t", 200)
	var through, bare time.Duration
	for b.Loop() {
		started := time.Now()
		if _, err := c.Login(b.Context(), "alice", ticket); err != nil {
			b.Fatal(err)
		}
		through += time.Since(started)
		_ = (<-server.conns).WriteClose(codes.KickedOffline.CloseCode(), "") // or the next login would be a repeat
		for c.Status() != codes.LoggedOut {
			runtime.Gosched()
		}

		frame := wire.Append(nil, &wire.Login{App: 1, User: "alice", Ticket: ticket, Platform: 6, Instance: "bench", SDK: "tim-go"})
		started = time.Now()
		conn, _, err := (&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}).Dial(url, nil)
		if err != nil {
			b.Fatal(err)
		}
		_ = conn.WriteMessage(websocket.BinaryMessage, frame)
		if _, _, err := conn.ReadMessage(); err != nil {
			b.Fatal(err)
		}
		bare += time.Since(started)
		_ = conn.Close()
		_ = (<-server.conns).Close()
	}
	b.ReportMetric(float64(through)/float64(b.N), "login-ns/op")
	b.ReportMetric(float64(bare)/float64(b.N), "bare-ns/op")
	b.ReportMetric(float64(through)/float64(bare), "login/bare")
}

// BenchmarkRenew is a round trip of a running session: two frames and an answer.
func BenchmarkRenew(b *testing.B) {
	server := &timtest.Server{PingInterval: -1}
	defer server.Close()
	c := openBench(b, server.NetDial)
	defer c.Close()
	_, err := c.Login(b.Context(), "alice", "t")
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if err := c.Renew(b.Context(), fmt.Sprint("ticket ", i)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkIdleClient reports what a logged-in client holds when nothing happens.
func BenchmarkIdleClient(b *testing.B) {
	const n = 2000
	for b.Loop() {
		server := &leanServer{make(chan *ws.ServerConn, n)}
		clients := make([]*Client, n)
		before := held()
		for i := range clients {
			clients[i] = openBench(b, server.dial)
			_, err := clients[i].Login(b.Context(), "alice", "t")
			require.NoError(b, err)
		}
		after := held()
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "heap-B/client")
		b.ReportMetric(float64(after.StackInuse-before.StackInuse)/n, "stack-B/client")
		b.ReportMetric(float64(runtime.NumGoroutine())/n, "goroutines/client")
		for _, c := range clients {
			c.Close()
			_ = (<-server.conns).Close()
		}
	}
}

func held() (m runtime.MemStats) {
	time.Sleep(50 * time.Millisecond) // for goroutines that are on their way out
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m
}

// BenchmarkSetBackground is a step that changes nothing.
func BenchmarkSetBackground(b *testing.B) {
	server := &timtest.Server{PingInterval: -1}
	defer server.Close()
	c := openBench(b, server.NetDial)
	defer c.Close()
	_, err := c.Login(b.Context(), "alice", "t")
	require.NoError(b, err)
	b.ReportAllocs()
	for b.Loop() {
		c.SetBackground(true)
	}
}

// BenchmarkStatus is a getter.
func BenchmarkStatus(b *testing.B) {
	c := openBench(b, nil)
	defer c.Close()
	for b.Loop() {
		_ = c.Status()
	}
}
