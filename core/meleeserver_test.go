package core

import (
	"context"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gorilla/websocket"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

// A villain is a server that does everything a server may do, and a network may do to it, at any moment.
type villain struct {
	timtest.Server
	open atomic.Int64  // connections that clients have not closed
	over chan struct{} // closed when it should stop
	all  sync.WaitGroup
}

func newVillain() *villain {
	v := &villain{over: make(chan struct{})}
	v.OnDial, v.OnConn, v.OnFrame = v.onDial, v.onConn, v.onFrame
	v.NoFirst = func(int) bool { return rand.N(3) == 0 }
	v.PingInterval = 10 * time.Millisecond
	return v
}

func (v *villain) close() {
	close(v.over)
	v.Close()
	v.all.Wait()
}

// aMoment is mostly none, sometimes a few milliseconds.
func aMoment() { time.Sleep(max(0, rand.N(20*time.Millisecond)-12*time.Millisecond)) }

func (v *villain) onDial(ctx context.Context, _ int) error {
	switch aMoment(); rand.N(12) {
	case 0:
		return one(syscall.ECONNREFUSED, syscall.ENETUNREACH, syscall.ECONNRESET)
	case 1:
		<-ctx.Done() // too late, and a connection all the same
	}
	return nil
}

func (v *villain) onConn(n int, nc net.Conn) {
	switch rand.N(20) {
	case 0:
		_ = nc.Close()
	case 1:
		_, _ = nc.Write([]byte("HTTP/1.1 101 Switching Pro"))
		aMoment()
		_ = nc.Close()
	case 2:
		_, _ = nc.Write([]byte("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"))
		aMoment()
		_ = nc.Close()
	default:
		v.all.Go(func() { v.torment(nc) })
		v.Serve(n, nc)
	}
}

// torment breaks a connection below its frames.
func (v *villain) torment(nc net.Conn) {
	select {
	case <-v.over:
	case <-time.After(rand.N(400 * time.Millisecond)):
	}
	if rand.N(2) == 0 { // half a frame, a frame that is none, one that nobody may send
		_, _ = nc.Write(one([]byte{0x82, 0x7e, 0x01}, []byte{0x82, 3, 0xc1, 0xff, 0x00}, []byte{0xff, 0x00}, []byte{0x88, 0x01, 0x03}))
		aMoment()
	}
	_ = nc.Close()
}

func one[T any](from ...T) T { return from[rand.N(len(from))] }

var anyCode = []codes.Code{
	codes.OK, codes.KickedOffline, codes.TicketExpired, codes.UserSigExpired, codes.TicketUnreadable, codes.TicketRevoked,
	codes.AccountBanned, codes.Overloaded, codes.ServerInternal, codes.AppForbidden, codes.ParseFailed, 12345,
}

// onFrame answers as it should, or not.
func (v *villain) onFrame(c *timtest.Conn, f wire.Frame) bool {
	request := requestOf(f)
	switch aMoment(); rand.N(10) {
	case 0:
		return true // no answer
	case 1:
		c.Refuse(request, one(anyCode...), one(0, time.Millisecond))
		return true
	case 2:
		v.say(c, request) // and then the answer
	case 3:
		c.Drop()
		return true
	case 4:
		c.Accept(request)
	}
	switch f.(type) {
	case *wire.Login, *wire.Resume:
		v.all.Go(func() { v.harass(c, request) })
		c.Accept(request, func(a *wire.Accepted) {
			a.TicketExpires = time.Now().Add(one(30*time.Millisecond, time.Hour)).UnixMilli()
			if rand.N(4) == 0 {
				a.ResumeTicket = nil
			}
		})
		return true
	}
	return false
}

func requestOf(f wire.Frame) uint64 {
	switch f := f.(type) {
	case *wire.Login:
		return f.Request
	case *wire.Resume:
		return f.Request
	case *wire.Renew:
		return f.Request
	case *wire.Logout:
		return f.Request
	}
	return 0
}

// harass says one thing after the other until the connection ends.
func (v *villain) harass(c *timtest.Conn, request uint64) {
	for c.Closed() == nil {
		select {
		case <-v.over:
			return
		case <-time.After(rand.N(30 * time.Millisecond)):
			v.say(c, request+rand.Uint64N(3))
		}
	}
}

func (v *villain) say(c *timtest.Conn, request uint64) {
	code := one(anyCode...)
	switch rand.N(14) {
	case 0:
		c.Send(&wire.Kicked{Reason: one(codes.KickMultipleDevice, codes.KickReplaced, codes.KickRESTAPI), Code: code, ByLabel: "\xff"})
	case 1:
		c.Send(&wire.Ticket{Expired: rand.N(3) == 0, Expires: time.Now().UnixMilli()})
	case 2:
		c.Send(&wire.Bye{Code: code, Action: one(codes.ByeResume, codes.ByeRelogin, codes.ByeStop, 77), RetryAfter: rand.N[int64](5)})
	case 3:
		c.Close(one(1000, 1001, 1011, 3000, 3499, 3500, 3510, 3999, 4000), "because")
	case 4:
		c.Refuse(one(request, 0), code, rand.N(5*time.Millisecond))
	case 5:
		c.Send(&wire.Reply{Request: request, Code: code})
	case 6:
		c.Accept(request)
	case 7:
		c.SendRaw(one(websocket.TextMessage, websocket.BinaryMessage), one([]byte{0xc1}, []byte{0x91, 0x7f}, []byte{0x92, 0xcc, 0xc8, 0x01}, nil))
	case 8:
		c.PingWith(one(nil, []byte("12345678"), []byte("?")))
	case 9:
		c.Freeze()
	case 10:
		c.Drop()
	}
}
