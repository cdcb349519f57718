package gateway_test

import (
	"net"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/gateway"
)

// A thousand idle connections need no goroutine each, and all wake up.
func TestIdleConnectionsPark(t *testing.T) {
	n := start(t)
	before := runtime.NumGoroutine()
	const many = 1000
	clients := make([]*client, many)
	for i := range clients {
		clients[i] = n.dial(t)
		clients[i].login("user")
	}
	eventually(t, "the goroutines leave", func() bool { return runtime.NumGoroutine() <= before+80 })
	for _, c := range clients {
		c.send(&wire.Call{Request: 5})
	}
	for _, c := range clients {
		require.Equal(t, uint64(5), expect[*wire.Reply](c).Request)
	}
	eventually(t, "the goroutines leave again", func() bool { return runtime.NumGoroutine() <= before+80 })
}

// With buffers of a few kilobytes on both sides, who does not read is soon noticed.
func TestASlowClientIsDroppedAndDelaysNobody(t *testing.T) {
	small := func(option int) func(_, _ string, raw syscall.RawConn) error {
		return func(_, _ string, raw syscall.RawConn) error {
			return raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, 4096) })
		}
	}
	lc := net.ListenConfig{Control: small(unix.SO_SNDBUF)}
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	n := startOn(t, l, func(o *gateway.Options) { o.WriteTimeout = 300 * time.Millisecond })

	d := websocket.Dialer{
		Subprotocols: []string{wire.Subprotocol}, NetDialContext: (&net.Dialer{Control: small(unix.SO_RCVBUF)}).DialContext,
	}
	conn, _, err := d.Dial("ws://"+n.address+gateway.Path, nil)
	require.NoError(t, err)
	defer conn.Close()
	slow := &client{conn, t}
	slow.login("slow")
	bystander := n.dial(t)
	bystander.login("bob")

	sc := n.sessions.conn("slow")
	for i, began := uint64(0), time.Now(); n.sessions.timesLost("slow") == 0; i++ {
		require.Less(t, time.Since(began), patience, "a client that never reads was written to for ever")
		for range 10 {
			sc.TicketExpiring(time.UnixMilli(1)) // returns at once, however slow the client
		}
		bystander.send(&wire.Call{Request: i})
		require.Equal(t, i, expect[*wire.Reply](bystander).Request)
	}
	sc.Kick(aKick) // comes too late, and harms nobody
	eventually(t, "only the bystander is left", func() bool { return n.Online() == 1 })
}
