package gateway

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

const goodHead = "GET /tim HTTP/1.1\r\nHost: tim.example\r\nUser-Agent: x: y\r\nupgrade:websocket\r\nConnection: keep-alive\r\n" +
	"CONNECTION: Upgrade\r\nSec-WebSocket-Key: \tabc= \r\nX-Forwarded-For: 1.2.3.4, 5.6.7.8\r\nContent-Length: 0\r\n\r\n"

func TestARequestIsReadAsNetHTTPReadsIt(t *testing.T) {
	r, err := parseRequest([]byte(goodHead))
	require.NoError(t, err)
	require.Equal(t, "tim.example", r.Host)
	require.Equal(t, http.Header{
		"Host": {"tim.example"}, "Upgrade": {"websocket"}, "Connection": {"keep-alive", "Upgrade"}, "Sec-Websocket-Key": {"abc="},
		"X-Forwarded-For": {"1.2.3.4, 5.6.7.8"},
	}, r.Header)
	r.free()
	require.Empty(t, r.Header)
}

// What a connection keeps of its request would change with the bytes that the request was read from.
func TestNothingOfARequestOutlivesIt(t *testing.T) {
	head := []byte(goodHead[:len(goodHead)-2] + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: tim.v1\r\n" +
		"Tim-First: kQ8\r\nX-Forwarded-For: fe80::1%eth0\r\n\r\n")
	head = bytes.Replace(head, []byte("abc="), []byte("dGhlIHNhbXBsZSBub25jZQ=="), 1)
	r, err := parseRequest(head)
	require.NoError(t, err)
	here, there := net.Pipe()
	defer here.Close()
	defer there.Close()
	proxy := netip.MustParseAddr("10.0.0.1")
	remote := clientAddr(proxy, r.Header, []netip.Prefix{netip.PrefixFrom(proxy, 32)})
	c, err := (&ws.Upgrader{WriteTimeout: time.Second}).Upgrade(here, &r.Request)
	require.NoError(t, err)
	r.free()
	for i := range head {
		head[i] = '!'
	}
	require.Equal(t, "fe80::1%eth0", remote.String())
	f, err := c.Read(true)
	require.NoError(t, err)
	require.Equal(t, &wire.Unknown{Type: 15}, f)
	go func() { _ = c.Flush() }()
	answer, err := http.ReadResponse(bufio.NewReader(there), nil)
	require.NoError(t, err)
	require.Equal(t, "tim.v1", answer.Header.Get("Sec-Websocket-Protocol"))
	require.Equal(t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", answer.Header.Get("Sec-Websocket-Accept"))
}

func TestHeadsThatAreRefused(t *testing.T) {
	for name, head := range map[string]string{
		"no line":               "\r\n",
		"another method":        "POST /tim HTTP/1.1\r\nHost: x\r\n\r\n",
		"another version":       "GET /tim HTTP/1.0\r\nHost: x\r\n\r\n",
		"no version":            "GET /tim\r\nHost: x\r\n\r\n",
		"no host":               "GET /tim HTTP/1.1\r\n\r\n",
		"two hosts":             "GET /tim HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
		"a folded line":         "GET /tim HTTP/1.1\r\nHost: x\r\n more\r\n\r\n",
		"a space before :":      "GET /tim HTTP/1.1\r\nHost : x\r\n\r\n",
		"a line without :":      "GET /tim HTTP/1.1\r\nHost: x\r\nnonsense\r\n\r\n",
		"a lonely CR":           "GET /tim HTTP/1.1\r\nHost: x\ry\r\n\r\n",
		"a control character":   "GET /tim HTTP/1.1\r\nHost: x\x00\r\n\r\n",
		"a body":                "GET /tim HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n",
		"a body of some length": "GET /tim HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		_, err := parseRequest([]byte(head))
		require.Error(t, err, name)
	}
}

// FuzzRequest checks that what we understand of a head is what net/http does.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(goodHead))
	f.Add([]byte("GET /tim HTTP/1.1\nHost: x\nOrigin: https://a\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := bufio.NewReaderSize(bytes.NewReader(data), maxHead)
		size, err := readHead(r)
		if err != nil || !forPath(r) {
			return
		}
		ours, err := parseRequest(data[:size])
		if err != nil {
			return
		}
		defer ours.free()
		theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(data[:size])))
		if err != nil {
			t.Fatalf("we accept what net/http refuses: %v", err)
		}
		require.Equal(t, theirs.Method, ours.Method)
		require.Equal(t, theirs.Host, ours.Host)
		for _, field := range handshakeFields[1:] {
			require.Equal(t, theirs.Header[field], ours.Header[field], field)
		}
	})
}
