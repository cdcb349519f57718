package gateway_test

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/gateway"
)

func (n *node) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	res, err := (&http.Client{Transport: tr}).Get("http://" + n.address + path)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(body)
}

func hello(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+string(body))
}

func TestOtherPathsAreOrdinaryHTTP(t *testing.T) {
	n := start(t, func(o *gateway.Options) { o.HTTP = http.HandlerFunc(hello) })
	tr := &http.Transport{}
	defer tr.CloseIdleConnections()
	client := &http.Client{Transport: tr}
	for _, body := range []string{"", "small", strings.Repeat("large", 10_000)} { // over one connection
		res, err := client.Post("http://"+n.address+"/v4/x", "text/plain", strings.NewReader(body))
		require.NoError(t, err)
		got, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		_ = res.Body.Close()
		require.Equal(t, "POST /v4/x "+body, string(got))
	}
	require.Equal(t, 1, n.Online(), "the connection was kept")
	for _, path := range []string{"/", "/timx", "/tim/x", "/tim-2"} {
		_, body := n.get(t, path)
		require.Equal(t, "GET "+path+" ", body)
	}
}

func TestThePathOfTheWebSocketSaysWhatItIs(t *testing.T) {
	n := start(t)
	for _, path := range []string{"/tim", "/tim?x=1"} {
		res, body := n.get(t, path)
		require.Equal(t, http.StatusUpgradeRequired, res.StatusCode)
		require.Contains(t, body, "WebSocket")
	}
	res, _ := n.get(t, "/nothing")
	require.Equal(t, http.StatusNotFound, res.StatusCode)
}

func TestBadRequestsAreRefusedWithASentence(t *testing.T) {
	n := start(t)
	for _, c := range []struct {
		name, request, want string
	}{
		{"a header without end", "GET /tim HTTP/1.1\r\nX: " + strings.Repeat("a", 9000), "431"},
		{"no HTTP at all", "GET /tim \r\n\r\n", "400"},
		{"frames before the answer", "GET /tim HTTP/1.1\r\nHost: x\r\n\r\nmore", "must wait"},
		{"no subprotocol", "GET /tim HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", "tim.v1"},
		{"line ends of another world", "GET /tim HTTP/1.1\nHost: x\n\n", "426"},
	} {
		t.Run(c.name, func(t *testing.T) {
			nc := rawDial(t, n.address)
			_, err := io.WriteString(nc, c.request)
			require.NoError(t, err)
			answer, err := io.ReadAll(bufio.NewReader(nc))
			require.NoError(t, err)
			require.Contains(t, string(answer), c.want)
		})
	}
	eventually(t, "all are gone", func() bool { return n.Online() == 0 })
}

func TestAPageMayConnectFromWhereItIsAllowed(t *testing.T) {
	n := start(t, func(o *gateway.Options) { o.Origins = []string{"https://app.example"} })
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	for origin, ok := range map[string]bool{
		"": true, "http://" + n.address: true, "https://app.example": true, "https://APP.example": true,
		"https://evil.example": false, "https://app.example.evil.example": false, "null": false,
	} {
		header := http.Header{}
		if origin != "" {
			header.Set("Origin", origin)
		}
		c, res, err := d.Dial("ws://"+n.address+gateway.Path, header)
		if ok {
			require.NoError(t, err, origin)
			_ = c.Close()
			continue
		}
		require.Error(t, err, origin)
		require.Equal(t, http.StatusForbidden, res.StatusCode, origin)
	}
}

func TestTLS(t *testing.T) {
	lender := httptest.NewTLSServer(nil) // for its certificate
	defer lender.Close()
	n := start(t, func(o *gateway.Options) {
		o.TLS = lender.TLS.Clone()
		o.HTTP = http.HandlerFunc(hello)
	})
	trust := lender.Client().Transport.(*http.Transport).TLSClientConfig

	t.Run("a client signs in, is kicked and told why", func(t *testing.T) {
		d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, TLSClientConfig: trust}
		conn, _, err := d.Dial("wss://"+n.address+gateway.Path, nil)
		require.NoError(t, err)
		defer conn.Close()
		c := &client{conn, t}
		c.login("alice")
		for i := range uint64(3) {
			c.send(&wire.Call{Request: i})
			require.Equal(t, i, expect[*wire.Reply](c).Request)
		}
		n.sessions.conn("alice").Kick(aKick)
		expectKick(t, c)
	})
	t.Run("HTTP works as well", func(t *testing.T) {
		tr := &http.Transport{TLSClientConfig: trust}
		defer tr.CloseIdleConnections()
		res, err := (&http.Client{Transport: tr}).Get("https://" + n.address + "/x")
		require.NoError(t, err)
		body, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		require.Equal(t, "GET /x ", string(body))
	})
	t.Run("a client without TLS is told so", func(t *testing.T) {
		res, body := n.get(t, "/tim")
		require.Equal(t, http.StatusBadRequest, res.StatusCode)
		require.Contains(t, body, "wss://")
	})
	t.Run("a client that does not trust the certificate leaves a line", func(t *testing.T) {
		_, err := tls.Dial("tcp", n.address, nil)
		require.Error(t, err)
		eventually(t, "the line", func() bool { return len(n.log.lines("TLS handshake failed")) > 0 })
	})
}

// FuzzHead throws bytes at a gateway and expects it to be there afterwards.
func FuzzHead(f *testing.F) {
	f.Add([]byte("GET /tim HTTP/1.1\r\n\r\n"))
	f.Add([]byte("GET /tim HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tim.v1\r\n\r\n"))
	f.Add([]byte("POST / HTTP/1.0\nContent-Length: -1\n\n"))
	f.Add([]byte("\r\n\r\n"))
	f.Add([]byte{0x16, 3, 1, 2, 0})
	f.Fuzz(func(t *testing.T, head []byte) {
		n := start(t)
		nc := rawDial(t, n.address)
		_, _ = nc.Write(head)
		_ = nc.(interface{ CloseWrite() error }).CloseWrite()
		_, _ = io.Copy(io.Discard, nc)
		n.dial(t).login("alice")
	})
}
