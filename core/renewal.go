package core

import (
	"context"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// A renewal is a ticket that the server was not yet given, or has not answered. It outlives the calls that wait for it: a
// ticket that is good is good later, too. The server tells by its request number which one it answers.
type renewal struct {
	ticket  string
	request uint64
}

const (
	askAt         = 0.8             // of the time that a ticket has left
	askAgainLeast = 5 * time.Second // after a failure, a tenth of the time that is left
	askAgainMost  = 5 * time.Minute
)

// keepRenewal makes ticket the session's next one. It replaces one that was not answered; whoever waits for that one waits
// for this.
func (e *engine) keepRenewal(ticket string) {
	s := e.session
	if s.renewal != nil && s.renewal.ticket == ticket {
		return
	}
	s.renewal = &renewal{ticket: ticket}
	if e.state == online {
		e.sendRenewal()
	}
}

func (e *engine) sendRenewal() {
	r := e.session.renewal
	e.requests++
	r.request = e.requests
	e.logf(codes.LogDebug, "renew ticket=%s", redact(r.ticket))
	e.send(&wire.Renew{Request: r.request, Ticket: r.ticket})
}

func (e *engine) finishRenewal(f *wire.Reply) {
	s, r := e.session, e.session.renewal
	if r == nil || f.Request != r.request {
		return
	}
	s.renewal = nil
	why := failure{code: f.Code, text: clean(f.Text)}
	if e.settleAll(renew, LoginResult{}, why); f.Code != codes.OK {
		e.logf(codes.LogWarn, "renew ticket=%s refused code=%d reason=%q", redact(r.ticket), f.Code, why.words())
		e.spentTickets.note(f.Code, r.ticket)
		if !e.alarms[alarmAsk].set() {
			e.askAgain()
		}
		return
	}
	e.logf(codes.LogInfo, "renewed ticket=%s", redact(r.ticket))
	if s.ticket = r.ticket; len(f.ResumeTicket) > 0 {
		s.resume = f.ResumeTicket
	}
	e.setTicketExpiry(unixMillis(f.TicketExpires))
}

// takeOther drops what the server just refused: the resume ticket, for the ticket; and a ticket that has ended, for the one
// that should have been its renewal.
func (e *engine) takeOther(code codes.Code) {
	s := e.session
	s.resume = nil
	if code == codes.TicketExpired {
		e.spentTickets.note(code, s.ticket)
		s.ticket, s.renewal = s.renewal.ticket, nil
	}
}

// setTicketExpiry notes when a ticket that is new to the session ends, by the server's clock, and when to ask for another.
// at is zero if the server does not say.
func (e *engine) setTicketExpiry(at time.Time) {
	s := e.session
	s.expires, s.warned = at, false
	e.dropAsking()
	if left := e.ticketLeft(); left > 0 {
		e.arm(alarmAsk, time.Duration(askAt*float64(left)))
	}
}

// ticketLeft is how long the running ticket lasts; not above 0 if it has ended or nobody knows.
func (e *engine) ticketLeft() time.Duration {
	return e.session.expires.Sub(e.client.time.Load().at(e.now))
}

// noteExpiry takes the server's word that the ticket ends soon.
func (e *engine) noteExpiry(f *wire.Ticket) {
	if f.Expires != 0 {
		e.session.expires = unixMillis(f.Expires)
	}
}

// asking is one call of the ticket provider.
type asking struct {
	session *session
	instead string // the ticket that should be replaced
	cancel  context.CancelFunc
	again   bool // another ticket should be asked for when it returns
}

// wanted reports whether the answer is of use to s.
func (a *asking) wanted(s *session) bool { return a.session == s && a.instead == s.ticket }

// A provision is what the ticket provider returned.
type provision struct {
	asking *asking
	ticket string
	err    error
}

// askTicket asks for a fresh ticket: the provider, or the application, once.
func (e *engine) askTicket() {
	s := e.session
	switch {
	case e.opts.TicketProvider == nil:
		if !s.warned {
			s.warned = true
			e.told = append(e.told, Event{Kind: codes.EventUserSigWillExpire, At: s.expires})
		}
	case s.renewal != nil: // there is one already
	case e.asking != nil: // never twice at once
		e.asking.again = !e.asking.wanted(s)
	default:
		e.callProvider()
	}
}

func (e *engine) callProvider() {
	ctx, cancel := context.WithCancel(e.ctx)
	a := &asking{session: e.session, instead: e.session.ticket, cancel: cancel}
	e.asking = a
	user := e.session.user
	e.logf(codes.LogDebug, "ask the ticket provider user=%s", user)
	e.spawn("ticket provider", func(t *task) {
		p := &provision{asking: a}
		t.host(func() { p.ticket, p.err = e.opts.TicketProvider(ctx, user) })
		e.post(&signal{kind: provided, answer: p})
	})
}

// takeProvided renews with the ticket that was provided, if it is still wanted.
func (e *engine) takeProvided(p *provision) {
	a := e.asking
	e.asking = nil
	a.cancel()
	s := e.session
	switch {
	case s == nil || !a.wanted(s):
		e.logf(codes.LogInfo, "the ticket provider answered too late")
		if a.again && s != nil {
			e.askTicket()
		}
	case p.err != nil:
		e.logf(codes.LogWarn, "the ticket provider failed: %v", p.err)
		e.askAgain()
	case checkTicket(p.ticket) != nil || p.ticket == s.ticket || e.spentTickets.has(p.ticket):
		e.logf(codes.LogWarn, "the ticket provider gave no fresh ticket: %s", redact(p.ticket))
		e.askAgain()
	default:
		e.keepRenewal(p.ticket)
	}
}

// askAgain asks the provider once more after a tenth of the time that the ticket has left.
func (e *engine) askAgain() {
	if e.opts.TicketProvider == nil {
		return
	}
	e.arm(alarmAsk, min(max(e.ticketLeft()/10, askAgainLeast), askAgainMost))
}

// dropAsking tells the provider that its answer is of no use any more. It is not asked again before it has returned.
func (e *engine) dropAsking() {
	e.disarm(alarmAsk)
	if e.asking != nil {
		e.asking.cancel()
	}
}
