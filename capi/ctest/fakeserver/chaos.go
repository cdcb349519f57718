package main

import (
	"math/rand/v2"
	"net"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// What a server, and the network before it, may do to a connection at any moment.

func one[T any](from ...T) T { return from[rand.N(len(from))] }

var anyCode = []codes.Code{
	codes.OK, codes.KickedOffline, codes.TicketExpired, codes.UserSigExpired, codes.TicketUnreadable, codes.TicketRevoked,
	codes.AccountBanned, codes.Overloaded, codes.ServerInternal, codes.AppForbidden, 12345,
}

// chaos answers a login or a resume somehow, and then says one thing after the other until the connection ends.
func (c *connection) chaos(request uint64, resume string) {
	if c.resume = resume; rand.N(4) == 0 {
		time.Sleep(rand.N(5 * time.Millisecond))
	}
	switch rand.N(10) {
	case 0:
		_ = c.conn.Flush() // no answer
	case 1:
		c.send(&wire.Refused{Request: request, Code: one(anyCode...), RetryAfter: rand.Int64N(10)})
	case 2:
		c.conn.Close()
	case 3:
		c.provoke(request)
		fallthrough
	default:
		c.send(c.accepted(request, 1, one(30*time.Millisecond, day)))
	}
	go func() {
		for c.provoke(request+rand.Uint64N(3)) == nil {
			time.Sleep(rand.N(30 * time.Millisecond))
		}
	}()
}

// provoke says something, or nothing.
func (c *connection) provoke(request uint64) error {
	code := one(anyCode...)
	switch rand.N(16) {
	case 0:
		return c.conn.Write(&wire.Kicked{Reason: one(codes.KickMultipleDevice, codes.KickReplaced), Code: code, ByLabel: "\xff"})
	case 1:
		return c.conn.Write(&wire.Ticket{Expired: rand.N(3) == 0, Expires: now().UnixMilli()})
	case 2:
		action := one(codes.ByeResume, codes.ByeRelogin, codes.ByeStop, 77)
		return c.conn.Write(&wire.Bye{Code: code, Action: action, RetryAfter: rand.Int64N(5)})
	case 3:
		defer c.conn.Close()
		return c.conn.WriteClose(one(1000, 1001, 1011, 3000, 3499, 3500, 3510, 3999, 4000), "because")
	case 4:
		return c.conn.Write(&wire.Refused{Request: one(request, 0), Code: code, RetryAfter: rand.Int64N(5)})
	case 5:
		return c.conn.Write(&wire.Reply{Request: request, Code: code})
	case 6:
		return c.conn.Write(c.accepted(request, 1, day))
	case 7:
		return c.conn.Ping(now())
	case 8: // half a frame, a frame that is none, what nobody may send; and then perhaps the rest
		_, err := c.conn.NetConn().Write(one([]byte{0x82, 0x7e, 0x01}, []byte{0x82, 3, 0xc1, 0xff, 0}, []byte{0xff, 0}, []byte{0x88, 1, 3}))
		return err
	case 9:
		if tcp, ok := c.conn.NetConn().(patient).Conn.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0) // the end is a reset
		}
		return c.conn.Close()
	}
	return nil
}
