package gateway_test

import (
	"context"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/gateway"
)

var aKick = server.Kick{
	Reason: codes.KickMultipleDevice, Code: codes.KickedOffline, ByPlatform: codes.PlatformIOS, ByLabel: "new phone",
	At: time.UnixMilli(1234567890123),
}

func expectKick(t *testing.T, c *client) {
	t.Helper()
	require.Equal(t, &wire.Kicked{
		Reason: codes.KickMultipleDevice, Code: codes.KickedOffline, ByPlatform: codes.PlatformIOS, ByLabel: "new phone", At: 1234567890123,
	}, expect[*wire.Kicked](c))
	c.expectClose(codes.KickedOffline.CloseCode())
}

func TestAKickedClientIsToldWhyAndClosed(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	c.login("alice")
	n.sessions.conn("alice").Kick(aKick)
	expectKick(t, c)
	eventually(t, "the connection ends", func() bool { return n.Online() == 0 })
	require.Zero(t, n.sessions.timesLost("alice"), "Sessions knows: it kicked")
}

func TestAKickThatComesWithTheLoginFollowsItsAnswer(t *testing.T) {
	n := start(t)
	n.sessions.onLogin = func(c server.Conn, _ server.LoginRequest) (server.Grant, error) {
		c.Kick(aKick)
		return server.Grant{}, nil
	}
	c := n.dial(t)
	c.login("alice")
	expectKick(t, c)
}

func TestAKickedClientThatDoesNotHangUpIsCutOff(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	c.login("alice")
	n.sessions.conn("alice").Kick(aKick)
	// c reads nothing and so never answers the close frame.
	eventually(t, "the connection ends", func() bool { return n.Online() == 0 })
}

func TestTicketNewsReachTheClient(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	c.login("alice")
	n.sessions.conn("alice").TicketExpiring(time.UnixMilli(1000))
	require.Equal(t, &wire.Ticket{Expires: 1000}, expect[*wire.Ticket](c))
	n.sessions.conn("alice").TicketExpired(time.UnixMilli(1000))
	require.Equal(t, &wire.Ticket{Expires: 1000, Expired: true}, expect[*wire.Ticket](c))
	c.expectClose(codes.TicketExpired.CloseCode())
}

func TestAMovedSessionLeavesItsOldConnectionWithoutAWord(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	c.login("alice")
	n.sessions.conn("alice").Moved()
	_, err := c.next()
	require.Error(t, err)
	require.False(t, websocket.IsCloseError(err, websocket.CloseNormalClosure))
	require.Zero(t, n.sessions.timesLost("alice"))
}

// The end of a session and a frame of its client come from different sides, and meet.
func TestAClientThatAsksWhileItsSessionEnds(t *testing.T) {
	n := start(t)
	for how, end := range map[string]func(server.Conn){
		"kick":    func(c server.Conn) { c.Kick(aKick) },
		"expired": func(c server.Conn) { c.TicketExpired(time.UnixMilli(1000)) },
		"moved":   func(c server.Conn) { c.Moved() },
	} {
		t.Run(how, func(t *testing.T) {
			for i := range 200 {
				user := how + strconv.Itoa(i)
				c := n.dial(t)
				c.login(user)
				c.pump()
				ended := make(chan struct{})
				go func() {
					end(n.sessions.conn(user))
					close(ended)
				}()
				for range 8 {
					_ = c.WriteMessage(websocket.BinaryMessage, wire.Append(nil, &wire.Renew{Request: 2, Ticket: "t"}))
				}
				_ = c.WriteMessage(websocket.BinaryMessage, wire.Append(nil, &wire.Logout{Request: 3}))
				<-ended
			}
			eventually(t, "the connections end", func() bool { return n.Online() == 0 })
		})
	}
	require.Zero(t, n.sessions.nobody.Load(), "Sessions was asked for the session of nobody")
}

func TestAClientThatHangsUpIsLostOnce(t *testing.T) {
	for name, hangUp := range map[string]func(*client){
		"by closing":  func(c *client) { _ = c.Close() },
		"by a reset":  func(c *client) { _ = c.NetConn().(*net.TCPConn).SetLinger(0); _ = c.Close() },
		"by a letter": func(c *client) { _ = c.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "")) },
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t)
			c := n.dial(t)
			c.login("alice")
			hangUp(c)
			eventually(t, "the session is lost", func() bool { return n.sessions.timesLost("alice") == 1 })
			eventually(t, "the connection is gone", func() bool { return n.Online() == 0 })
		})
	}
}

func TestAClientThatHangsUpDuringItsLoginIsLost(t *testing.T) {
	n := start(t)
	arrived, gone := make(chan struct{}), make(chan struct{})
	n.sessions.onLogin = func(server.Conn, server.LoginRequest) (server.Grant, error) {
		close(arrived)
		<-gone
		return server.Grant{}, nil
	}
	c := n.dial(t)
	c.send(loginOf("alice"))
	<-arrived
	_ = c.NetConn().(*net.TCPConn).SetLinger(0)
	_ = c.Close()
	close(gone)
	eventually(t, "the session is lost", func() bool { return n.sessions.timesLost("alice") == 1 })
}

func TestASilentClientIsLostAfterAPing(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a ping and 10 s")
	}
	t.Parallel()
	n := start(t, func(o *gateway.Options) { o.PingInterval = 11 * time.Second })
	silent, chatty := n.dial(t), n.dial(t)
	silent.login("silent") // and never reads again: half open, as after a pulled cable
	chatty.login("chatty")
	chatty.pump()
	require.Eventually(t, func() bool { return n.sessions.timesLost("silent") == 1 }, 21*time.Second+patience, 50*time.Millisecond)
	require.Zero(t, n.sessions.timesLost("chatty"))
}

// Connections come, talk, are kicked and vanish in every order; descriptors are used again all the time. Nobody ever gets
// what was meant for another, and nothing is left.
func TestChurn(t *testing.T) {
	n := start(t)
	const workers, rounds = 16, 60
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			user := "user-" + string(rune('a'+w))
			for round := range rounds {
				if !n.churn(t, user, round) {
					return
				}
			}
		})
	}
	all.Wait()
	eventually(t, "every connection is gone", func() bool { return n.Online() == 0 })
	require.Empty(t, n.log.lines("level=WARN"))
	require.Empty(t, n.log.lines("level=ERROR"))
}

func (n *node) churn(t *testing.T, user string, round int) bool {
	d := websocket.Dialer{Subprotocols: []string{wire.Subprotocol}, HandshakeTimeout: patience}
	conn, _, err := d.Dial("ws://"+n.address+gateway.Path, nil)
	if err != nil {
		t.Errorf("dial: %v", err)
		return false
	}
	defer conn.Close()
	c := &client{conn, t}
	_ = conn.WriteMessage(websocket.BinaryMessage, wire.Append(nil, loginOf(user)))
	f, err := c.next()
	if a, ok := f.(*wire.Accepted); !ok || a.Session != "session of "+user {
		t.Errorf("login of %s: %T %+v %v", user, f, f, err)
		return false
	}
	for i := range rand.N(4) {
		request := uint64(round*10 + i)
		_ = conn.WriteMessage(websocket.BinaryMessage, wire.Append(nil, &wire.Call{Request: request}))
		f, err := c.next()
		if r, ok := f.(*wire.Reply); !ok || r.Request != request {
			t.Errorf("call of %s: %T %+v %v", user, f, f, err)
			return false
		}
	}
	switch sc := n.sessions.conn(user); rand.N(4) {
	case 0:
		go sc.Kick(aKick)
	case 1:
		go sc.Moved()
	case 2:
		_ = conn.NetConn().(*net.TCPConn).SetLinger(0)
	}
	return true
}

func TestDrainSendsEverybodyAwayInBatches(t *testing.T) {
	n := start(t)
	const many = 50
	clients := make([]*client, many)
	for i := range clients {
		clients[i] = n.dial(t)
		clients[i].login("user")
	}
	waiting := n.dial(t)

	drained := make(chan error, 1)
	go func() {
		drained <- n.Drain(t.Context(), gateway.Drain{Over: 2 * time.Second})
	}()
	began := time.Now()
	var first, last time.Duration
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, c := range append(clients, waiting) {
		all.Go(func() {
			f, err := c.next()
			bye, ok := f.(*wire.Bye)
			if !ok || bye.Code != codes.ServiceNotReady || bye.Action != codes.ByeResume || bye.RetryAfter < 1000 || bye.RetryAfter > 5000 {
				t.Errorf("got %T %+v %v", f, f, err)
			}
			if _, err := c.next(); !websocket.IsCloseError(err, codes.ServiceNotReady.CloseCode()) {
				t.Errorf("got %v", err)
			}
			_ = c.Close()
			mu.Lock()
			defer mu.Unlock()
			at := time.Since(began)
			if first == 0 || at < first {
				first = at
			}
			last = max(last, at)
		})
	}
	all.Wait()
	require.NoError(t, <-drained)
	require.Greater(t, last-first, 250*time.Millisecond, "not all at once")

	res, body := n.get(t, gateway.Path)
	require.Equal(t, 503, res.StatusCode)
	require.Contains(t, body, "stopping")
	require.NotEmpty(t, res.Header.Get("Retry-After"))
}

func TestDrainGivesUpOnClientsThatStay(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	c.login("alice")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.ErrorIs(t, n.Drain(ctx, gateway.Drain{Over: time.Hour}), context.DeadlineExceeded)
}

func TestADrainDuringALoginFollowsItsAnswer(t *testing.T) {
	n := start(t)
	arrived, drained := make(chan struct{}), make(chan struct{})
	n.sessions.onLogin = func(server.Conn, server.LoginRequest) (server.Grant, error) {
		close(arrived)
		<-drained
		return server.Grant{}, nil
	}
	c := n.dial(t)
	c.send(loginOf("alice"))
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	require.Error(t, n.Drain(ctx, gateway.Drain{}))
	close(drained)
	expect[*wire.Accepted](c)
	expect[*wire.Bye](c)
	c.expectClose(codes.ServiceNotReady.CloseCode())
}

func TestAdmissionIsBoundedAndSpread(t *testing.T) {
	n := start(t, func(o *gateway.Options) { o.Admissions = 5 })
	var waits []int64
	for range 12 {
		c := n.dial(t)
		c.send(loginOf("user"))
		switch f, err := c.next(); f := f.(type) {
		case *wire.Accepted:
		case *wire.Refused:
			require.Equal(t, codes.Overloaded, f.Code)
			waits = append(waits, f.RetryAfter)
		default:
			require.NoError(t, err)
			t.Fatalf("got %T", f)
		}
	}
	require.NotEmpty(t, waits)
	for i, w := range waits {
		require.Greater(t, w, int64(500))
		if i > 0 {
			require.Greater(t, w, waits[i-1], "each its own turn")
		}
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	n := start(t, func(o *gateway.Options) { o.MaxConnections = 2 })
	n.dial(t).login("a")
	b := n.dial(t)
	b.login("b")
	_, _, err := (&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}).Dial("ws://"+n.address+gateway.Path, nil)
	require.Error(t, err)
	require.NotEmpty(t, n.log.lines("too many connections"))
	_ = b.Close()
	eventually(t, "there is room again", func() bool { return n.Online() == 1 })
	n.dial(t).login("c")
}

func TestCloseDropsEverybody(t *testing.T) {
	n := start(t)
	c := n.dial(t)
	c.login("alice")
	half := rawDial(t, n.address)
	_, err := half.Write([]byte("GET "))
	require.NoError(t, err)
	require.NoError(t, n.Close(t.Context()))
	_, err = c.next()
	require.Error(t, err)
	require.Equal(t, 1, n.sessions.timesLost("alice"))
	require.NoError(t, n.Close(t.Context()), "closing twice is no error")
}
