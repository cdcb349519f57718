package ws_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

// What spec/protocol.md shows of a first frame in the handshake is what both ends say.
func TestTheHandshakeInTheDocumentIsWhatTheCodeSays(t *testing.T) {
	data, err := os.ReadFile("../../spec/protocol.md")
	require.NoError(t, err)
	block := regexp.MustCompile("(?s)```http\n(.*?)```").FindSubmatch(data)
	require.NotNil(t, block, "the document shows a handshake")
	request, answer, _ := strings.Cut(strings.ReplaceAll(string(block[1]), "\n", "\r\n"), "\r\n\r\n")

	ticket, err := hex.DecodeString("019bd63ce11299c45b072ef1")
	require.NoError(t, err)
	resume := &wire.Resume{Request: 1, Version: 1, Ticket: ticket}

	address, conns, _ := serve(t, ws.Upgrader{})
	nc, err := net.Dial("tcp", address)
	require.NoError(t, err)
	defer nc.Close()
	_, err = io.WriteString(nc, request+"\r\n\r\n")
	require.NoError(t, err)
	server := <-conns
	require.True(t, server.Early())
	f, err := server.Read(true)
	require.NoError(t, err)
	require.Equal(t, resume, f)
	require.NoError(t, server.Flush())
	got := make([]byte, len(answer)+2)
	_, err = io.ReadFull(nc, got)
	require.NoError(t, err)
	require.Equal(t, answer+"\r\n", string(got))

	address, conns, _ = serve(t, ws.Upgrader{})
	dialed := make(chan *ws.Conn, 1)
	go func() {
		c, err := ws.Dial(t.Context(), ws.DialOptions{URL: "ws://" + address + "/tim", First: resume})
		if err == nil {
			dialed <- c
		}
		close(dialed)
	}()
	server = <-conns
	f, err = server.Read(true)
	require.NoError(t, err)
	require.Equal(t, resume, f)
	require.NoError(t, server.Write(&wire.Refused{Request: 1}))
	c := <-dialed
	require.NotNil(t, c)
	defer c.Drop()
	require.True(t, c.FirstTaken())
	_ = c.SetReadDeadline(time.Now().Add(time.Minute))
	f, err = c.Read()
	require.NoError(t, err)
	require.Equal(t, &wire.Refused{Request: 1}, f)
}

// An answer that is held back goes out with the first write, whatever it is, or with Flush; then writes are their own again.
func TestWhatIsHeldBackGoesOutOnce(t *testing.T) {
	for name, write := range map[string]func(*ws.ServerConn) error{
		"with a frame":       func(c *ws.ServerConn) error { return c.Write(&wire.Ticket{Expires: 1}) },
		"with a long frame":  func(c *ws.ServerConn) error { return c.Write(&wire.Reply{Body: make([]byte, 30_000)}) },
		"with a close frame": func(c *ws.ServerConn) error { return c.WriteClose(3501, "no") },
		"alone":              (*ws.ServerConn).Flush,
	} {
		address, conns, _ := serve(t, ws.Upgrader{})
		nc, err := net.Dial("tcp", address)
		require.NoError(t, err)
		defer nc.Close()
		_, err = io.WriteString(nc, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
			"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tim.v1\r\nTim-First: kQ8\r\n\r\n")
		require.NoError(t, err)
		server := <-conns
		require.NoError(t, write(server), name)
		require.NoError(t, server.Flush(), name)
		_ = server.Ping(time.UnixMilli(0)) // fails after a close frame
		require.NoError(t, server.Close())
		all, err := io.ReadAll(nc)
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(all, []byte("HTTP/1.1 101 ")), name)
		require.Equal(t, 1, bytes.Count(all, []byte("HTTP/1.1")), name)
	}
}
