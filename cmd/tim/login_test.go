package main

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// kicking serves one client over TCP and kicks it as soon as it is logged in. It returns where.
func kicking(t *testing.T, k *wire.Kicked) (endpoint string) {
	t.Helper()
	s := &timtest.Server{OnFrame: func(c *timtest.Conn, f wire.Frame) bool {
		login, ok := f.(*wire.Login)
		if ok {
			c.Accept(login.Request)
			c.Send(k)
		}
		return ok
	}, NoFirst: func(int) bool { return true }}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		if conn, err := listener.Accept(); err == nil {
			s.Serve(1, conn)
		}
	}()
	return "ws://" + listener.Addr().String()
}

func TestALoginThatIsKickedSaysWhyOnce(t *testing.T) {
	inFolderWithKey(t)
	for _, tt := range []struct {
		kick *wire.Kicked
		says string
	}{
		{
			&wire.Kicked{Reason: codes.KickRESTAPI, Code: codes.KickedOffline, At: time.Now().UnixMilli()},
			"by an administrator. Older tickets may be refused now.",
		},
		{
			&wire.Kicked{Reason: codes.KickMultipleDevice, Code: codes.KickedOffline, ByPlatform: codes.PlatformIOS, ByLabel: "phone", At: time.Now().UnixMilli()},
			`"phone" (ios) signed in, and this platform may not be online beside it. Run the same command to log in again.`,
		},
	} {
		out, err := tim(t, "", "login", "alice", "--app", "5", "--key-file", "key", "--endpoint", kicking(t, tt.kick))
		require.ErrorIs(t, err, codes.KickedOffline)
		require.ErrorAs(t, err, new(said), "it was told in words already")
		require.Equal(t, 1, exitCode(err))
		require.Equal(t, 1, strings.Count(out, "alice was kicked"), out)
		require.Contains(t, out, tt.says)
	}
}
