package ws

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

var aLogin = &wire.Login{
	Request: 1, Version: 1, App: 1400000001, User: "alice", Ticket: strings.Repeat("t", 200), Platform: codes.PlatformAndroid,
	Instance: "8d1f0c5e7b2a4c19", Label: "Alice's Pixel", SDK: "tim-go/0.1.0",
}

// answering serves one handshake with everything that answer makes of it, in one write, and passes the request on.
func answering(t *testing.T, answer func(key string) string) (address string, asked <-chan *http.Request) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	requests, done := make(chan *http.Request, 1), make(chan struct{})
	go func() {
		defer close(done)
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		in := bufio.NewReader(nc)
		r, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		requests <- r
		_, _ = nc.Write([]byte(answer(r.Header.Get("Sec-WebSocket-Key"))))
		_, _ = in.ReadByte() // until the client is gone
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String(), requests
}

// agreed is the head of an answer that agrees to a WebSocket, with more fields in it.
func agreed(key, fields string) string {
	proof := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(proof[:]) + "\r\nSec-WebSocket-Protocol: tim.v1\r\n" + fields + "\r\n"
}

func message(f wire.Frame) string {
	data := wire.Append(nil, f)
	return string([]byte{0x82, byte(len(data))}) + string(data)
}

func TestTheFirstFrameRidesInTheHandshakeAndItsAnswerMayComeRightBehind(t *testing.T) {
	address, asked := answering(t, func(key string) string {
		return agreed(key, "tim-first: taken\r\n") + message(&wire.Accepted{Request: 1, Session: "s-1"}) + message(&wire.Ticket{Expires: 7})
	})
	c, err := Dial(t.Context(), DialOptions{URL: "ws://" + address + "/tim", First: aLogin})
	require.NoError(t, err)
	defer c.Drop()
	require.True(t, c.FirstTaken())

	r := <-asked
	require.Equal(t, "/tim", r.RequestURI, "addresses are logged, so the ticket is not there")
	require.Len(t, r.Header["Tim-First"], 1)
	data, err := base64.RawURLEncoding.DecodeString(r.Header["Tim-First"][0])
	require.NoError(t, err)
	require.Equal(t, wire.Append(nil, aLogin), data)

	f, err := c.Read()
	require.NoError(t, err)
	require.Equal(t, &wire.Accepted{Request: 1, Session: "s-1"}, f)
	f, err = c.Read()
	require.NoError(t, err)
	require.Equal(t, &wire.Ticket{Expires: 7}, f)
}

func TestTheFirstFrameIsTheClientsToWriteWhereItWasNotTaken(t *testing.T) {
	long := &wire.Login{Ticket: strings.Repeat("t", maxFirst)}
	for name, tt := range map[string]struct {
		first   wire.Frame
		says    string
		carried bool
	}{
		"by a server that does not know of it":    {aLogin, "", true},
		"by a server that says something else":    {aLogin, "Tim-First: later\r\n", true},
		"because it is too long":                  {long, "", false},
		"though the server says so of what is no": {long, "Tim-First: taken\r\n", false},
		"because there is none":                   {nil, "Tim-First: taken\r\n", false},
	} {
		address, asked := answering(t, func(key string) string { return agreed(key, tt.says) })
		c, err := Dial(t.Context(), DialOptions{URL: "ws://" + address, First: tt.first})
		require.NoError(t, err, name)
		require.False(t, c.FirstTaken(), name)
		require.Equal(t, tt.carried, len((<-asked).Header["Tim-First"]) == 1, name)
		require.NoError(t, c.Drop())
	}
}

func TestARefusedHandshakeSaysNothingOfTheTicket(t *testing.T) {
	address, asked := answering(t, func(string) string { return "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n" })
	_, err := Dial(t.Context(), DialOptions{URL: "ws://" + address, First: aLogin})
	value := (<-asked).Header.Get("Tim-First")
	require.NotEmpty(t, value)
	require.Error(t, err)
	require.NotContains(t, err.Error(), value)
	require.NotContains(t, err.Error(), aLogin.Ticket)
}
