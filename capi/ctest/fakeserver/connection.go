package main

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

const (
	day       = 24 * time.Hour
	clockLead = time.Hour
)

func now() time.Time { return time.Now().Add(clockLead) }

// A connection carries one session at a time. The script of its ticket runs in a goroutine of its own.
type connection struct {
	server *server
	conn   *ws.ServerConn
	resume string
}

func (c *connection) handle(frame wire.Frame) {
	switch f := frame.(type) {
	case *wire.Login:
		c.login(f)
	case *wire.Resume:
		c.resumed(f)
	case *wire.Renew:
		c.renew(f)
	case *wire.Logout:
		c.server.end(c.resume)
		c.send(&wire.Reply{Request: f.Request})
	}
}

func (c *connection) login(f *wire.Login) {
	words := strings.Fields(f.Ticket)
	if len(words) == 0 {
		return
	}
	verb, args := split(words[0])
	if verb != "ok" { // whose answer leaves together with the one to the handshake
		_ = c.conn.Flush()
	}
	switch verb {
	case "ok":
		c.accept(f.Request, f.User, day)
	case "slow":
		time.Sleep(args.millis(0))
		c.accept(f.Request, f.User, day)
	case "expires":
		c.accept(f.Request, f.User, args.millis(0))
	case "chaos":
		c.chaos(f.Request, c.server.beginChaos())
		return
	case "refuse":
		code := codes.Code(args.number(0))
		c.send(&wire.Refused{Request: f.Request, Code: code, Text: code.Text()})
		return
	default:
		c.act(verb, args)
		return
	}
	if len(words) > 1 {
		go c.script(words[1:])
	}
}

func (c *connection) accept(request uint64, user string, valid time.Duration) {
	resume, number := c.server.begin(user)
	c.resume = resume
	c.send(c.accepted(request, number, valid))
}

func (c *connection) accepted(request, number uint64, valid time.Duration) *wire.Accepted {
	return &wire.Accepted{
		Request:       request,
		Session:       "session-" + strconv.FormatUint(number, 10),
		LoginSeq:      number,
		ServerTime:    now().UnixMilli(),
		TicketExpires: now().Add(valid).UnixMilli(),
		PingInterval:  25_000,
		ResumeTicket:  []byte(c.resume),
	}
}

func (c *connection) resumed(f *wire.Resume) {
	c.resume = string(f.Ticket)
	if c.server.isChaos(c.resume) {
		c.chaos(f.Request, c.resume)
		return
	}
	if !c.server.running(c.resume) {
		c.send(&wire.Refused{Request: f.Request, Code: codes.KickedOffline, Reason: codes.KickRESTAPI, At: now().UnixMilli()})
		return
	}
	c.send(c.accepted(f.Request, 1, day))
}

func (c *connection) renew(f *wire.Renew) {
	verb, args := split(f.Ticket)
	reply := &wire.Reply{Request: f.Request, TicketExpires: now().Add(day).UnixMilli(), ResumeTicket: []byte(c.resume)}
	switch verb {
	case "ok":
	case "expires":
		reply.TicketExpires = now().Add(args.millis(0)).UnixMilli()
	case "refuse":
		reply = &wire.Reply{Request: f.Request, Code: codes.Code(args.number(0))}
	default:
		return
	}
	c.send(reply)
}

// script does what the words after the first tell.
func (c *connection) script(words []string) {
	for _, word := range words {
		c.act(split(word))
	}
}

func (c *connection) act(verb string, args arguments) {
	switch verb {
	case "after":
		time.Sleep(args.millis(0))
	case "kick":
		c.server.end(c.resume)
		c.send(&wire.Kicked{
			Reason: codes.KickReason(args.number(0)), Code: codes.KickedOffline,
			ByPlatform: codes.Platform(args.number(1)), ByLabel: args.bytes(2), At: now().UnixMilli(),
		})
	case "expire":
		c.server.end(c.resume)
		c.send(&wire.Ticket{Expires: now().UnixMilli(), Expired: true})
	case "bye":
		c.send(&wire.Bye{
			Code: codes.Code(args.number(0)), Action: codes.ByeAction(args.number(1)), RetryAfter: int64(args.number(2)),
		})
		c.conn.Close()
	case "garbage":
		_, _ = c.conn.NetConn().Write([]byte{0x82, 3, 0xc1, 0xff, 0x00}) // a binary message
	case "cut":
		c.conn.Close()
	}
}

func (c *connection) send(f wire.Frame) { _ = c.conn.Write(f) }

// arguments are what stands behind the = of a word. What is missing is empty.
type arguments []string

func split(word string) (string, arguments) {
	verb, rest, _ := strings.Cut(word, "=")
	return verb, strings.Split(rest, ",")
}

func (a arguments) text(i int) string {
	if i < len(a) {
		return a[i]
	}
	return ""
}

// bytes returns any bytes that are written as %ff.
func (a arguments) bytes(i int) string {
	s, err := url.PathUnescape(a.text(i))
	if err != nil {
		return a.text(i)
	}
	return s
}

func (a arguments) number(i int) int {
	n, _ := strconv.Atoi(a.text(i))
	return n
}

func (a arguments) millis(i int) time.Duration { return time.Duration(a.number(i)) * time.Millisecond }
