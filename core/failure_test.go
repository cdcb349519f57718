package core

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// Every way in which an endpoint can be no tim server has a name. Most of these need a real network stack and real time.

// loginTo logs in to an endpoint, with little patience, and returns the error.
func loginTo(t *testing.T, o Options) error {
	t.Helper()
	o.App, o.Platform, o.AllowInsecure = 1, codes.PlatformLinux, true
	if o.LoginTimeout == 0 {
		o.LoginTimeout = 5 * time.Second // a busy machine needs its time even to fail
	}
	c, err := Open(o)
	require.NoError(t, err)
	defer c.Close()
	started := time.Now()
	_, err = c.Login(t.Context(), "alice", ticket("alice1"))
	require.Less(t, time.Since(started), o.LoginTimeout+time.Minute)
	return err
}

// answering is the URL of a server that does something with each connection.
func answering(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { defer c.Close(); handle(c) }()
		}
	}()
	return "ws://" + l.Addr().String() + "/"
}

func saying(answer string) func(net.Conn) {
	return func(c net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			fmt.Fprint(c, answer)
		}
	}
}

func TestEveryUselessEndpointHasItsOwnCode(t *testing.T) {
	silent := func(c net.Conn) { _, _ = bufio.NewReader(c).WriteTo(discard{}) }
	reset := func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }
	html := "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: 5\r\n\r\nlogin"
	for _, tt := range []struct {
		name string
		url  string
		want codes.Code
	}{
		{"nobody listens", "ws://127.0.0.1:1/", codes.ConnectRefused},
		{"a name that can be none", "ws://tim..example/", codes.HostNotFound}, // nobody is asked, and may be slow to answer
		{"a silent server", answering(t, silent), codes.AckTimeout},
		{"a server that resets", answering(t, reset), codes.ConnectReset},
		{"a server that hangs up", answering(t, func(net.Conn) {}), codes.ConnectReset},
		{"a server of another language", answering(t, func(c net.Conn) { fmt.Fprint(c, "SSH-2.0-OpenSSH_9.6\r\n") }), codes.ConnectReset},
		{"a web server", answering(t, saying("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")), codes.ConnectReset},
		{"a web server's API", answering(t, saying("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")), codes.ConnectReset},
		{"a captive portal's page", answering(t, saying(html)), codes.CaptivePortal},
		{"the way to a captive portal", answering(t, saying("HTTP/1.1 302 Found\r\nLocation: http://portal/\r\nContent-Length: 0\r\n\r\n")), codes.CaptivePortal},
		{"a captive portal that says so", answering(t, saying("HTTP/1.1 511 Network Authentication Required\r\nContent-Length: 0\r\n\r\n")), codes.CaptivePortal},
		{"TLS where there is none", "wss" + answering(t, silentTLS)[2:], codes.TLSFailed},
		{"a silent server behind TLS", "wss" + answering(t, silent)[2:], codes.AckTimeout},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			require.ErrorIs(t, loginTo(t, Options{URL: tt.url}), tt.want)
		})
	}
}

// silentTLS answers a TLS hello in clear text.
func silentTLS(c net.Conn) {
	var hello [1]byte
	_, _ = c.Read(hello[:])
	fmt.Fprint(c, "HTTP/1.0 400 Client sent HTTPS to HTTP\r\n\r\n")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestAWebSocketThatDoesNotSpeakTimIsNoServer(t *testing.T) {
	t.Parallel()
	var up websocket.Upgrader // chooses no subprotocol
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err == nil {
			c.Close()
		}
	}))
	defer s.Close()
	err := loginTo(t, Options{URL: "ws" + s.URL[4:]})
	require.ErrorIs(t, err, codes.ConnectReset)
	require.ErrorContains(t, err, "does not speak tim.v1")
}

func TestTLSChecksTheCertificate(t *testing.T) {
	t.Parallel()
	up := websocket.Upgrader{Subprotocols: []string{wire.Subprotocol}}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer c.Close()
		for err == nil {
			_, _, err = c.ReadMessage()
			_ = c.WriteMessage(websocket.BinaryMessage, wire.Append(nil, &wire.Accepted{Request: 1, Session: "over TLS"}))
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	defer s.Close()
	url := "wss" + s.URL[5:]
	require.ErrorIs(t, loginTo(t, Options{URL: url}), codes.TLSFailed, "nobody we know has signed it")

	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	require.NoError(t, loginTo(t, Options{URL: url, TLS: &tls.Config{RootCAs: roots}, LoginTimeout: 15 * time.Second}))
	require.ErrorIs(t, loginTo(t, Options{URL: url, TLS: &tls.Config{RootCAs: roots, ServerName: "tim.example.org"}}), codes.TLSFailed, "it is another's")
}

func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://proxy.example:1")
	}
	for url, want := range map[string]string{ // not this machine, for which the environment's proxies are never meant
		"ws://tim.example.org:7700": "tim.example.org:7700", "wss://tim.example.org": "tim.example.org:443",
	} {
		var mu sync.Mutex
		asked := ""
		err := loginTo(t, Options{URL: url, NetDial: func(_ context.Context, _, address string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			asked = address
			return nil, syscall.ECONNREFUSED
		}, LoginTimeout: 300 * time.Millisecond})
		require.ErrorIs(t, err, codes.ConnectRefused)
		mu.Lock()
		require.Equal(t, want, asked)
		mu.Unlock()
	}
}

func TestErrorsOfTheNetworkHaveTheirCodes(t *testing.T) {
	for err, want := range map[error]codes.Code{
		syscall.ECONNREFUSED: codes.ConnectRefused, syscall.ENETUNREACH: codes.NetUnreachable, syscall.EHOSTUNREACH: codes.NetUnreachable,
		syscall.ENETDOWN: codes.NetUnreachable, syscall.ETIMEDOUT: codes.ConnectTimeout, context.DeadlineExceeded: codes.ConnectTimeout,
		syscall.ECONNRESET: codes.ConnectReset, syscall.EPERM: codes.Disconnected, &net.DNSError{IsTimeout: true}: codes.HostNotFound,
	} {
		simulate(t, func(s *timtest.Server, _ *Options) {
			s.OnDial = func(context.Context, int) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
		}, func(w *world) {
			_, got := w.Login(w.t.Context(), "alice", ticket("alice1"))
			require.ErrorIs(t, got, want, err)
		})
	}
}

// What a server may send, by mistake or in bad faith.

func TestFramesThatAreNoneEndTheConnectionAndNothingElse(t *testing.T) {
	big := make([]byte, wire.MaxFrame+1)
	for _, tt := range []struct {
		name string
		kind int
		data []byte
		want codes.Code
	}{
		{"garbage", websocket.BinaryMessage, []byte{0xc1, 2, 3}, codes.ParseFailed},
		{"nothing", websocket.BinaryMessage, nil, codes.ParseFailed},
		{"text", websocket.TextMessage, wire.Append(nil, &wire.Bye{}), codes.ParseFailed},
		{"too much", websocket.BinaryMessage, big, codes.FrameTooLarge},
		{"a frame cut short", websocket.BinaryMessage, wire.Append(nil, &wire.Kicked{})[:3], codes.ParseFailed},
	} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			go w.server.Last().SendRaw(tt.kind, tt.data)
			w.tells("disconnected " + tt.want.Name())
			time.Sleep(waitBase)
			w.tells(comesUp)
		})
	}
}

func TestFramesThatMeanNothingNowAreIgnored(t *testing.T) {
	for name, f := range map[string]wire.Frame{
		"an answer to nothing":        &wire.Accepted{Request: 99, Session: "another"},
		"an answer that came already": &wire.Accepted{Request: 1, Session: "another"},
		"a refusal of nothing":        &wire.Refused{Request: 99, Code: codes.TicketExpired},
		"a refusal after the yes":     &wire.Refused{Request: 1, Code: codes.TicketExpired},
		"a reply to nothing":          &wire.Reply{Request: 99, Code: codes.TicketExpired},
		"what a client sends":         &wire.Logout{Request: 1},
	} {
		simulate(t, nil, func(w *world) {
			w.signedIn()
			w.server.Last().Send(f)
			w.server.Last().SendRaw(websocket.BinaryMessage, []byte{0x92, 0xcc, 200, 1}) // [200, 1]: a type of another day
			w.tells()
			require.Equal(t, codes.StateConnected, w.Connection(), name)
			result, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
			require.NoError(t, err)
			require.Equal(t, "session-1", result.Session, name)
		})
	}
	simulate(t, func(s *timtest.Server, _ *Options) { // while the answer is awaited
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			c.Send(&wire.Accepted{Request: 99}, &wire.Refused{Request: 99, Code: codes.TicketExpired}, &wire.Reply{}, &wire.Ticket{})
			c.SendRaw(websocket.BinaryMessage, []byte{0x91, 0xcc, 200})
			return false
		}
	}, func(w *world) {
		w.logIn("alice", "alice1")
		w.tells(signsIn, "login alice OK")
	})
}

func TestARefusalWithoutANumberAnswersTheLogin(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) { // a server that is too busy to read
		s.OnFrame = func(c *timtest.Conn, _ wire.Frame) bool { c.Refuse(0, codes.AppForbidden, 0); return true }
	}, func(w *world) {
		_, err := w.Login(w.t.Context(), "alice", ticket("alice1"))
		require.ErrorIs(t, err, codes.AppForbidden)
	})
}

func TestNumbersOutOfAllProportionDoNoHarm(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(c *timtest.Conn, f wire.Frame) bool {
			if login, ok := f.(*wire.Login); ok {
				c.Send(&wire.Accepted{Request: login.Request, ServerTime: -1 << 63, TicketExpires: 1<<63 - 1, PingInterval: 1<<63 - 1, ReconnectWindow: -1 << 63})
			}
			return true
		}
	}, func(w *world) {
		w.logIn("alice", "alice1")
		w.tells(signsIn, "login alice OK")
		w.server.Last().Send(&wire.Ticket{Expires: -1 << 63}, &wire.Bye{RetryAfter: 1<<63 - 1, Action: -5, Code: -7})
		require.Contains(t, w.told(), "disconnected Code-7")
		require.Equal(t, codes.LoggedIn, w.Status())
	})
}

func TestTextsFromElsewhereAreMadeFit(t *testing.T) {
	require.Equal(t, "a\uFFFDb", clean("a\xff\xfeb"))
	long := clean(string(make([]byte, 511)) + "äöü")
	require.Len(t, long, 511, "no half characters")
	require.Equal(t, "ä", cut("äö", 3))
	require.Equal(t, "", cut("ä", 1))
}

func TestWinsocksNumbersHaveNames(t *testing.T) {
	for number, want := range map[uintptr]codes.Code{
		10061: codes.ConnectRefused,
		10049: codes.NetUnreachable, 10050: codes.NetUnreachable, 10051: codes.NetUnreachable, 10065: codes.NetUnreachable,
		10052: codes.ResetByPeer, 10053: codes.ResetByPeer, 10054: codes.ResetByPeer, 10058: codes.ResetByPeer,
		10060: codes.ConnectTimeout,
		0:     codes.OK, uintptr(syscall.ECONNREFUSED): codes.OK, 10035: codes.OK, 11001: codes.OK,
	} {
		require.Equal(t, want, wsaCode(number), "%d", number)
	}
}
