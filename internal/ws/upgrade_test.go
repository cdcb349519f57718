package ws_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

// serve accepts one connection, upgrades it, and hands over its server's end or the error.
func serve(t *testing.T, u ws.Upgrader) (address string, conns <-chan *ws.ServerConn, errs <-chan error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	if u.WriteTimeout == 0 {
		u.WriteTimeout = time.Minute
	}
	ready, failed := make(chan *ws.ServerConn, 1), make(chan error, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = nc.Close() })
		req, err := http.ReadRequest(bufio.NewReader(nc))
		if err != nil {
			failed <- err
			return
		}
		c, err := u.Upgrade(nc, req)
		if err != nil {
			failed <- err
			_ = nc.Close()
			return
		}
		ready <- c
	}()
	return l.Addr().String(), ready, failed
}

func dial(t *testing.T, address string) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}
	c, _, err := d.Dial("ws://"+address+"/", nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func pair(t *testing.T) (client *websocket.Conn, server *ws.ServerConn) {
	t.Helper()
	address, conns, _ := serve(t, ws.Upgrader{})
	client = dial(t, address)
	return client, <-conns
}

func TestUpgradeRefusesWithASentence(t *testing.T) {
	handshake := "GET / HTTP/1.1\r\nHost: tim.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, c := range []struct {
		name, request string
		status        int
		says          string
	}{
		{"a plain request", "GET / HTTP/1.1\r\nHost: a\r\n", 426, "WebSocket only"},
		{"no subprotocol", handshake, 400, "must offer tim.v1"},
		{"another subprotocol", handshake + "Sec-WebSocket-Protocol: chat, tim.v9\r\n", 400, "must offer tim.v1"},
		{"another WebSocket version", strings.Replace(handshake, "13", "8", 1) + "Sec-WebSocket-Protocol: tim.v1\r\n", 400, "unsupported version"},
		{"a bad key", strings.Replace(handshake, "dGhl", "", 1) + "Sec-WebSocket-Protocol: tim.v1\r\n", 400, "Sec-WebSocket-Key"},
		{"a page of another host", handshake + "Sec-WebSocket-Protocol: tim.v1\r\nOrigin: https://evil.example\r\n", 403, "origin"},
	} {
		t.Run(c.name, func(t *testing.T) {
			address, _, errs := serve(t, ws.Upgrader{})
			nc, err := net.Dial("tcp", address)
			require.NoError(t, err)
			defer nc.Close()
			_, err = io.WriteString(nc, c.request+"\r\n")
			require.NoError(t, err)

			res, err := http.ReadResponse(bufio.NewReader(nc), nil)
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.Equal(t, c.status, res.StatusCode)
			require.Contains(t, string(body), c.says)
			require.ErrorContains(t, <-errs, c.says)
		})
	}
}

func TestUpgradeTakesAPageThatIsAllowed(t *testing.T) {
	address, conns, _ := serve(t, ws.Upgrader{CheckOrigin: func(r *http.Request) bool {
		return r.Header.Get("Origin") == "https://app.example"
	}})
	d := websocket.Dialer{Subprotocols: []string{"other", wire.Subprotocol}}
	c, res, err := d.Dial("ws://"+address+"/", http.Header{"Origin": {"https://app.example"}})
	require.NoError(t, err)
	defer c.Close()
	require.Equal(t, wire.Subprotocol, res.Header.Get("Sec-Websocket-Protocol"))
	require.NotNil(t, <-conns)
}

func TestFramesOfEverySizeCross(t *testing.T) {
	client, server := pair(t)
	for _, size := range []int{0, 1, 500, 2000, 5000, wire.MaxFrame - 100} {
		sent := &wire.Call{Request: 7, Method: "m", Body: make([]byte, size)}
		require.NoError(t, client.WriteMessage(websocket.BinaryMessage, wire.Append(nil, sent)))
		got, err := server.Read(false)
		require.NoError(t, err)
		require.Len(t, got.(*wire.Call).Body, size)

		require.NoError(t, server.Write(&wire.Reply{Request: 7, Body: make([]byte, size)}))
		_, data, err := client.ReadMessage()
		require.NoError(t, err)
		back, err := wire.Decode(data)
		require.NoError(t, err)
		require.Len(t, back.(*wire.Reply).Body, size)
	}
}

func TestReadNamesWhatIsNoFrame(t *testing.T) {
	for _, c := range []struct {
		name string
		kind int
		data []byte
		want codes.Code
	}{
		{"a text message", websocket.TextMessage, []byte("hello"), codes.ParseFailed},
		{"garbage", websocket.BinaryMessage, []byte{0xc1, 0, 0}, codes.ParseFailed},
		{"an empty message", websocket.BinaryMessage, nil, codes.ParseFailed},
		{"one byte too many", websocket.BinaryMessage, make([]byte, wire.MaxFrame+1), codes.FrameTooLarge},
		{"a megabyte", websocket.BinaryMessage, make([]byte, 1<<20), codes.FrameTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			client, server := pair(t)
			go client.WriteMessage(c.kind, c.data) // may be cut off
			_, err := server.Read(false)
			require.ErrorIs(t, err, c.want)
		})
	}
	t.Run("an unmasked frame", func(t *testing.T) {
		client, server := pair(t)
		_, err := client.NetConn().Write([]byte{0x82, 0x01, 0x00})
		require.NoError(t, err)
		_, err = server.Read(false)
		require.ErrorIs(t, err, codes.ParseFailed)
	})
	t.Run("a connection that is gone is none of these", func(t *testing.T) {
		client, server := pair(t)
		_ = client.Close()
		_, err := server.Read(false)
		require.Error(t, err)
		require.NotErrorIs(t, err, codes.ParseFailed)
	})
}

func TestReadReturnsAfterAPongSoThatTheConnectionCanBeParked(t *testing.T) {
	client, server := pair(t)
	client.SetPingHandler(func(clock string) error {
		require.Len(t, clock, 8)
		require.WithinDuration(t, time.Now(), time.UnixMilli(int64(binary.BigEndian.Uint64([]byte(clock)))), time.Minute)
		return client.WriteControl(websocket.PongMessage, []byte(clock), time.Now().Add(time.Minute))
	})
	read := make(chan error, 1)
	go func() {
		_, _, err := client.ReadMessage()
		read <- err
	}()
	for range 3 {
		require.NoError(t, server.Ping(time.Now()))
		f, err := server.Read(true)
		require.NoError(t, err)
		require.Nil(t, f)
		require.True(t, server.Park())
		server.Wake()
	}

	frame := wire.Append(nil, &wire.Logout{Request: 1})
	require.NoError(t, client.WriteMessage(websocket.BinaryMessage, frame))
	f, err := server.Read(true)
	require.NoError(t, err)
	require.Equal(t, &wire.Logout{Request: 1}, f, "the stream is still in step")
	require.NoError(t, server.WriteClose(1000, strings.Repeat("x", 200)))
	require.True(t, websocket.IsCloseError(<-read, 1000))
}

func TestReadAnswersPingsAlsoInsideAMessage(t *testing.T) {
	client, server := pair(t)
	pongs := make(chan string, 2)
	client.SetPongHandler(func(s string) error { pongs <- s; return nil })
	go client.ReadMessage()

	require.NoError(t, client.WriteControl(websocket.PingMessage, []byte("before"), time.Now().Add(time.Minute)))
	f, err := server.Read(true)
	require.NoError(t, err)
	require.Nil(t, f)
	require.Equal(t, "before", <-pongs)

	w, err := client.NextWriter(websocket.BinaryMessage)
	require.NoError(t, err)
	frame := wire.Append(nil, &wire.Call{Body: make([]byte, 10_000)})
	_, err = w.Write(frame[:9_000]) // more than gorilla's buffer: a fragment leaves
	require.NoError(t, err)
	require.NoError(t, client.WriteControl(websocket.PingMessage, []byte("inside"), time.Now().Add(time.Minute)))
	_, err = w.Write(frame[9_000:])
	require.NoError(t, err)
	require.NoError(t, w.Close())
	f, err = server.Read(true)
	require.NoError(t, err)
	require.Len(t, f.(*wire.Call).Body, 10_000)
	require.Equal(t, "inside", <-pongs)
}

func TestParkKeepsWhatHasArrived(t *testing.T) {
	client, server := pair(t)
	frame := wire.Append(nil, &wire.Logout{Request: 1})
	frame = append([]byte{0x82, 0x80 | byte(len(frame)), 0, 0, 0, 0}, frame...) // final, binary; masked with zeros
	_, err := client.NetConn().Write(append(frame, frame...))
	require.NoError(t, err)

	_, err = server.Read(true)
	require.NoError(t, err)
	require.False(t, server.Park(), "the second frame is in the buffer")
	_, err = server.Read(true)
	require.NoError(t, err)
	require.True(t, server.Park())
}

func TestWriteGivesUpOnAClientThatDoesNotRead(t *testing.T) {
	address, conns, _ := serve(t, ws.Upgrader{WriteTimeout: 500 * time.Millisecond})
	_ = dial(t, address)
	server := <-conns
	require.NoError(t, server.NetConn().(*net.TCPConn).SetWriteBuffer(4096))
	big := &wire.Reply{Body: make([]byte, 60_000)}
	deadline := time.Now().Add(2 * time.Minute)
	for {
		if err := server.Write(big); err != nil {
			var network net.Error
			require.ErrorAs(t, err, &network)
			require.True(t, network.Timeout())
			break
		}
		require.True(t, time.Now().Before(deadline), "a client that never reads was written to for ever")
	}
	require.Error(t, server.Ping(time.Now()), "after a failed write nothing more can be written")
}

func TestManyGoroutinesMayWrite(t *testing.T) {
	client, server := pair(t)
	const writers, each = 8, 50
	for range writers {
		go func() {
			for range each {
				_ = server.Write(&wire.Ticket{Expires: 1})
				_ = server.Ping(time.Now())
			}
		}()
	}
	client.SetPingHandler(func(string) error { return nil })
	for range writers * each {
		_, data, err := client.ReadMessage()
		require.NoError(t, err)
		f, err := wire.Decode(data)
		require.NoError(t, err)
		require.Equal(t, &wire.Ticket{Expires: 1}, f)
	}
}
