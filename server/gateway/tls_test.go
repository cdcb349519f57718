package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/gateway"
)

// All TLS clients were once lost 10 s after their first ping.
func TestAnIdleTLSClientThatAnswersPingsStays(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a ping and 10 s")
	}
	t.Parallel()
	lender := httptest.NewTLSServer(nil) // for its certificate
	defer lender.Close()
	n := start(t, func(o *gateway.Options) {
		o.TLS = lender.TLS.Clone()
		o.PingInterval = 11 * time.Second
	})
	trust := lender.Client().Transport.(*http.Transport).TLSClientConfig
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, TLSClientConfig: trust}
	conn, _, err := d.Dial("wss://"+n.address+gateway.Path, nil)
	require.NoError(t, err)
	defer conn.Close()
	c := &client{conn, t}
	c.login("chatty")
	c.pump()
	require.Never(t, func() bool { return n.sessions.timesLost("chatty") > 0 }, 22*time.Second, 100*time.Millisecond)
}
