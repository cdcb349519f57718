package core

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

func pick[T any](how int, from ...T) T { return from[how%len(from)] }

// ---- the host -------------------------------------------------------------------------------------------------------

func (d *duet) appLogsIn(how int) bool {
	user := pick(how, "alice", "bob")
	k := &modelCall{kind: login, user: user, ticket: fmt.Sprint(user, how/2%3)}
	d.say(fmt.Sprintf("app does      login %s %s", user, k.ticket))
	d.call(k, how, func() { d.w.logIn(user, k.ticket) }, func(ctx context.Context) (bool, error) {
		r, err := d.w.Login(ctx, user, ticket(k.ticket))
		return r.Repeat, err
	})
	d.logIn(k)
	return true
}

func (d *duet) appLogsOut(how int) bool {
	d.say("app does      logout")
	k := &modelCall{kind: logout}
	d.call(k, how, d.w.logOut, func(ctx context.Context) (bool, error) { return false, d.w.Logout(ctx) })
	d.logOut(k)
	return true
}

func (d *duet) appRenews(how int) bool {
	k := &modelCall{kind: renew, ticket: fmt.Sprint(pick(how, "alice", "bob"), how/2%3)}
	d.say("app does      renew " + k.ticket)
	d.call(k, how, func() { d.w.renews(k.ticket) }, func(ctx context.Context) (bool, error) {
		return false, d.w.Renew(ctx, ticket(k.ticket))
	})
	d.renews(k)
	return true
}

// call makes a call with a callback, or, one time in four, in a goroutine that waits and may give up.
func (d *duet) call(k *modelCall, how int, start func(), wait func(context.Context) (repeat bool, err error)) {
	if how/8%4 != 0 {
		start()
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	k.cancel = cancel
	answer := modelCall{kind: k.kind, user: k.user}
	d.callers.Go(func() {
		defer cancel()
		repeat, err := wait(ctx)
		answer.repeat, answer.code = repeat, codeOf(err)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.returned = append(d.returned, answer.words())
	})
}

func (d *duet) callerGivesUp(int) bool {
	for _, k := range d.calls {
		if k.cancel != nil {
			d.say("# the caller of " + string(k.kind) + " gives up")
			k.cancel()
			d.giveUp(k)
			return true
		}
	}
	return false
}

func (d *duet) appWakes(int) bool {
	d.say("app does      wake")
	d.w.Wake()
	d.wake()
	return true
}

func (d *duet) appGoesToBackground(how int) bool {
	d.background = how%2 == 0
	d.say("app does      background " + pick(how, "yes", "no"))
	d.w.SetBackground(d.background)
	if !d.background {
		d.wake()
	}
	return true
}

func (d *duet) providerAnswers(how int) bool {
	if d.asking == nil {
		return false
	}
	name := pick(how, "alice0", "alice1", "alice2", "bob0", "bob1", "bob2", "")
	d.say("app does      provide " + name)
	d.asked <- name
	d.provided(name)
	return true
}

// ---- time -----------------------------------------------------------------------------------------------------------

func (d *duet) timePasses(how int) bool {
	long := pick(how, 10*time.Millisecond, 300*time.Millisecond, time.Second, 3*time.Second, 12*time.Second, 40*time.Second, 70*time.Second)
	d.say(fmt.Sprintf("nobody stirs  %s", long))
	d.pass(long)
	return true
}

// clockJumps sets the wall clock, and then does something harmless for the client to notice.
func (d *duet) clockJumps(how int) bool {
	by := pick(how, 3*time.Second, -3*time.Second, 20*time.Second, time.Hour, -time.Hour)
	d.say(fmt.Sprintf("# this machine's clock jumps by %s", by))
	d.w.shift(by)
	d.w.SetBackground(true)
	d.look()
	d.due(d.dialedMore())
	d.background = true
	return true
}

// ---- the network ----------------------------------------------------------------------------------------------------

func (d *duet) held() *heldDial {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.state == dialing && d.dialing != nil && d.dialing.ctx.Err() == nil {
		return d.dialing
	}
	return nil
}

func (d *duet) letConnect(int) bool {
	h := d.held()
	if h == nil {
		return false
	}
	d.say("server accepts")
	h.answer <- nil
	d.connected(h.n)
	return true
}

func (d *duet) letFail(how int) bool {
	h := d.held()
	if h == nil {
		return false
	}
	d.say(pick(how, "server refuses", "# the network is unreachable", "server resets"))
	h.answer <- pick(how, syscall.ECONNREFUSED, syscall.ENETUNREACH, syscall.ECONNRESET)
	d.lost(pick(how, codes.ConnectRefused, codes.NetUnreachable, codes.ConnectReset), 0)
	return true
}

// over is the server's end of the present connection, once the client has introduced itself; nil if there is none that speaks.
func (d *duet) over(states ...state) *timtest.Conn {
	if d.frozen || !slices.Contains(states, d.state) {
		return nil
	}
	return d.conn(d.link)
}

func (d *duet) conn(n int) *timtest.Conn {
	for _, c := range d.w.server.Conns() {
		if c.N == n {
			return c
		}
	}
	return nil
}

func (d *duet) serverDrops(int) bool {
	if d.state != authenticating && d.state != online {
		return false
	}
	d.say("server drops")
	d.conn(d.link).Drop()
	d.lost(codes.Disconnected, 0)
	return true
}

func (d *duet) serverFreezes(int) bool {
	c := d.over(authenticating, online)
	if c == nil {
		return false
	}
	d.say("server freezes")
	c.Freeze()
	d.frozen = true
	return true
}

// ---- the server -----------------------------------------------------------------------------------------------------

func (d *duet) serverAccepts(how int) bool {
	c := d.over(authenticating)
	if c == nil {
		return false
	}
	window, ping := pick(how, 0, 0, 2*time.Second, time.Minute), pick(how/4, 25*time.Second, 5*time.Second)
	expires, resume := d.expiry(how/8), pick(how/2, fmt.Sprint("resume", d.met[authenticating]), "r", "")
	d.say(fmt.Sprintf("server says   accepted window=%s", window))
	f := &wire.Accepted{
		Request: d.first[c.N], Session: "s", LoginSeq: 1, ServerTime: time.Now().UnixMilli(), TicketExpires: d.onWire(expires),
		PingInterval: ping.Milliseconds(), ReconnectWindow: window.Milliseconds(), ResumeTicket: []byte(resume),
	}
	c.Send(f)
	d.accepted(window, ping, expires, resume)
	return true
}

// expiry chooses when a ticket ends, in whole milliseconds since the beginning; 0 is for servers that do not say.
func (d *duet) expiry(how int) time.Duration {
	life := pick(how, 24*time.Hour, 0, time.Minute, 10*time.Second, -time.Second)
	if life == 0 {
		return 0
	}
	return max((d.now.mono + life).Truncate(time.Millisecond), time.Millisecond)
}

func (d *duet) onWire(expires time.Duration) int64 {
	if expires == 0 {
		return 0
	}
	return d.opened.Add(expires).UnixMilli()
}

func (d *duet) serverRefuses(how int) bool {
	c := d.over(authenticating)
	if c == nil {
		return false
	}
	code := pick(how, codes.TicketKeyMismatch, codes.Overloaded, codes.TicketExpired, codes.TicketUnreadable, codes.KickedOffline,
		codes.TicketRevoked, codes.UserSigExpired)
	retryAfter := pick(how/8, 0, 100*time.Millisecond, 20*time.Second, 700*time.Millisecond)
	d.say(fmt.Sprintf("server says   refused code=%s retry_after=%s", code.Name(), retryAfter))
	c.Send(&wire.Refused{Request: d.first[c.N], Code: code, RetryAfter: retryAfter.Milliseconds(), Reason: codes.KickMultipleDevice})
	d.refused(code, retryAfter, Kick{Reason: codes.KickMultipleDevice})
	return true
}

func (d *duet) serverKicks(how int) bool {
	c := d.over(authenticating, online)
	if c == nil {
		return false
	}
	reason := pick(how, codes.KickMultipleAccount, codes.KickMultipleDevice, codes.KickRESTAPI)
	d.say("server says   kicked reason=" + reason.String())
	c.Send(&wire.Kicked{Reason: reason, ByPlatform: codes.PlatformIOS, ByLabel: "phone"})
	d.end(codes.KickedOffline, &Kick{Reason: reason, ByPlatform: codes.PlatformIOS, ByLabel: "phone"})
	return true
}

func (d *duet) serverEndsTicket(int) bool {
	c := d.over(authenticating, online)
	if c == nil {
		return false
	}
	d.say("server says   ticket expired=true")
	c.Send(&wire.Ticket{Expired: true})
	d.end(codes.TicketExpired, &Kick{})
	return true
}

func (d *duet) serverWarns(how int) bool {
	c := d.over(online)
	if c == nil {
		return false
	}
	expires := d.expiry(how)
	d.say("server says   ticket")
	c.Send(&wire.Ticket{Expires: d.onWire(expires)})
	d.life()
	d.expiring(expires)
	return true
}

func (d *duet) serverSaysBye(how int) bool {
	c := d.over(authenticating, online)
	if c == nil {
		return false
	}
	action := pick(how, codes.ByeResume, codes.ByeRelogin, codes.ByeStop)
	code, retryAfter := pick(how/4, codes.ServiceNotReady, codes.Overloaded), pick(how/8, 0, 5*time.Second)
	d.say(fmt.Sprintf("server says   bye action=%s retry_after=%s", action, retryAfter))
	c.Send(&wire.Bye{Code: code, Action: action, RetryAfter: retryAfter.Milliseconds()})
	d.bye(action, code, retryAfter)
	return true
}

func (d *duet) serverCloses(how int) bool {
	c := d.over(authenticating, online)
	if c == nil {
		return false
	}
	status := pick(how, 3001, 3003, 3501, 3510, 3512)
	d.say(fmt.Sprintf("server closes %d", status))
	c.Close(status, "")
	d.closed(status)
	return true
}

func (d *duet) serverPings(int) bool {
	c := d.over(online)
	if c == nil {
		return false
	}
	d.say("server pings")
	c.Ping()
	d.life()
	d.setClock()
	return true
}

func (d *duet) serverReplies(how int) bool {
	c := d.over(online)
	if c == nil || d.renewal == "" {
		return false
	}
	code := pick(how, codes.OK, codes.TicketKeyMismatch, codes.OK, codes.TicketExpired)
	expires, resume := d.expiry(how/4), pick(how/2, "", "renewed")
	d.say("server says   reply code=" + code.Name())
	c.Send(&wire.Reply{Request: d.lastRenewal, Code: code, TicketExpires: d.onWire(expires), ResumeTicket: []byte(resume)})
	d.life()
	d.replied(code, expires, resume)
	return true
}

func (d *duet) serverSaysNonsense(how int) bool {
	c := d.over(authenticating, online)
	if c == nil {
		return false
	}
	d.say("# the server answers what nobody asked")
	c.Send(pick[wire.Frame](how, &wire.Accepted{Request: 1 << 40}, &wire.Refused{Request: 1 << 40}, &wire.Reply{Request: 1 << 40}, &wire.Login{}))
	d.life()
	return true
}

// goodbye returns the oldest logout that the server was told of over a connection, and that connection.
func (d *duet) goodbye() (*modelParting, *timtest.Conn) {
	for _, p := range d.partings {
		if p.link != 0 {
			return p, d.conn(p.link)
		}
	}
	return nil, nil
}

func (d *duet) serverTakesGoodbye(int) bool {
	p, c := d.goodbye()
	if p == nil || p.mute {
		return false
	}
	d.say("server says   reply")
	c.Send(&wire.Reply{Request: d.goodbyes[c.N]})
	d.parted(p)
	return true
}

func (d *duet) serverCutsGoodbye(int) bool {
	p, c := d.goodbye()
	if p == nil {
		return false
	}
	d.say("server drops")
	c.Drop()
	d.partByResume(p)
	return true
}
