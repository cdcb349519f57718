package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// A herd is many clients that keep themselves signed in. Each is a goroutine, which spends its life reading.
type herd struct {
	server *server
	phones []*phone
	wg     sync.WaitGroup
	first  chan error // everybody's first answer, one each

	// Since reset:
	disaster  atomic.Int32 // how many there were
	attempts  atomic.Int64
	unreached atomic.Int64 // attempts that found no server
	cut       atomic.Int64 // attempts that ended half-way
	refused   atomic.Int64 // attempts that the server put off
	resumed   atomic.Int64
	loggedIn  atomic.Int64
	lost      atomic.Int64 // connections that ended, the first time and again

	mu    sync.Mutex
	back  []time.Time     // when each came back, first time only
	took  []time.Duration // and how long that attempt took
	over  error           // why somebody will not come back
	cutBy error           // what ended an attempt half-way, the last time
}

// A phone is one client. Its goroutine owns it.
type phone struct {
	user     string
	resume   []byte        // the resume ticket of the last answer; nil if only a login helps
	window   time.Duration // the reconnect window of the last answer
	failures int           // so far; no client lives long enough to forget them
	disaster int32         // the last that it came back from
	deaf     bool          // to the window and to retry_after
}

func newHerd(s *server, n int) *herd {
	h := &herd{server: s, phones: make([]*phone, n), first: make(chan error)}
	for i := range h.phones {
		h.phones[i] = &phone{user: userName(i)}
	}
	return h
}

// signIn starts all clients, 64 at a time, and returns when each is signed in, or the first error. They live until ctx ends.
func (h *herd) signIn(ctx context.Context) error {
	return inParallel(ctx, 64, len(h.phones), func(starting context.Context, i int) error {
		h.wg.Go(func() { h.live(ctx, h.phones[i]) })
		select {
		case err := <-h.first:
			return err
		case <-starting.Done():
			return starting.Err()
		}
	})
}

// live signs a client in and keeps it so until ctx ends.
func (h *herd) live(ctx context.Context, p *phone) {
	l, err := h.connect(ctx, p, false)
	select {
	case h.first <- err:
	case <-ctx.Done():
	}
	for err == nil {
		h.stay(ctx, l)
		h.lost.Add(1)
		l, err = h.comeBack(ctx, p)
	}
	if ctx.Err() == nil {
		h.mu.Lock()
		h.over = err
		h.mu.Unlock()
	}
}

// stay reads until the connection ends, or hangs up when ctx does.
func (h *herd) stay(ctx context.Context, l *link) {
	stop := context.AfterFunc(ctx, l.hangUp)
	defer stop()
	l.drain()
	l.hangUp()
}

// comeBack tries until the client is signed in again, or must not try any more.
func (h *herd) comeBack(ctx context.Context, p *phone) (*link, error) {
	delay := p.wait(0, true) // the loss itself is no try that failed
	for {
		if err := pause(ctx, delay); err != nil {
			return nil, err
		}
		began := time.Now()
		h.attempts.Add(1)
		resuming := p.resume != nil
		l, err := h.connect(ctx, p, true)
		if err == nil {
			h.returned(p, resuming, time.Since(began))
			return l, nil
		}
		if delay, err = h.afterFailure(p, err); err != nil {
			return nil, err
		}
	}
}

// connect makes one attempt: by the resume ticket if there is one, else by a login.
func (h *herd) connect(ctx context.Context, p *phone, again bool) (*link, error) {
	var frame wire.Frame = &wire.Resume{Request: 1, Version: wire.Version, Ticket: p.resume}
	if p.resume == nil {
		login, err := loginOf(p.user, codes.PlatformAndroid)
		if err != nil {
			return nil, err
		}
		login.Reconnect = again
		frame = login
	}
	l := newLink()
	if err := l.open(ctx, h.server.dialer, carrying(h.server.request, wire.Append(nil, frame))); err != nil {
		return nil, err
	}
	answer := l.answer
	if !l.taken {
		answer = func() (*wire.Accepted, error) { return l.ask(frame) }
	}
	accepted, err := answer()
	if err == nil {
		err = l.settle()
	}
	if err != nil {
		l.hangUp()
		return nil, err
	}
	p.resume = accepted.ResumeTicket
	p.window = time.Duration(accepted.ReconnectWindow) * time.Millisecond
	return l, nil
}

// returned notes that a client is back.
func (h *herd) returned(p *phone, resumed bool, took time.Duration) {
	if resumed {
		h.resumed.Add(1)
	} else {
		h.loggedIn.Add(1)
	}
	if d := h.disaster.Load(); p.disaster != d {
		p.disaster = d
		h.mu.Lock()
		defer h.mu.Unlock()
		h.back = append(h.back, time.Now())
		h.took = append(h.took, took)
	}
}

// reset says that a disaster comes, and counts from here.
func (h *herd) reset() {
	for _, n := range []*atomic.Int64{&h.attempts, &h.unreached, &h.cut, &h.refused, &h.resumed, &h.loggedIn, &h.lost} {
		n.Store(0)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.back, h.took, h.cutBy = nil, nil, nil
	h.disaster.Add(1)
}

// awaitAll returns when everybody is back or the timeout is over. An error means that somebody must not come back, or that
// ctx ended.
func (h *herd) awaitAll(ctx context.Context, timeout time.Duration) error {
	for deadline := time.Now().Add(timeout); time.Now().Before(deadline); {
		h.mu.Lock()
		back, over := len(h.back), h.over
		h.mu.Unlock()
		if over != nil || back == len(h.phones) {
			return over
		}
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// account says how everybody came back after the server was killed. Who is missing counts as back at the timeout.
func (h *herd) account(killed time.Time, timeout time.Duration) comeback {
	h.mu.Lock()
	defer h.mu.Unlock()
	after := make([]time.Duration, len(h.phones))
	for i := range after {
		after[i] = timeout
		if i < len(h.back) {
			after[i] = h.back[i].Sub(killed)
		}
	}
	return comeback{
		Attempts:  h.attempts.Load(),
		Unreached: h.unreached.Load(),
		Cut:       h.cut.Load(),
		CutBy:     errorText(h.cutBy),
		Refused:   h.refused.Load(),
		Resumed:   h.resumed.Load(),
		LoggedIn:  h.loggedIn.Load(),
		Missing:   len(h.phones) - len(h.back),
		LoginP50:  milliseconds(percentile(h.took, 0.50)),
		LoginP99:  milliseconds(percentile(h.took, 0.99)),
		BackP50:   percentile(after, 0.50).Seconds(),
		BackP99:   percentile(after, 0.99).Seconds(),
		BackLast:  percentile(after, 1).Seconds(),
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// windows returns the median and the longest reconnect window that clients were given. It is for when nobody signs in.
func (h *herd) windows() (median, longest time.Duration) {
	all := make([]time.Duration, len(h.phones))
	for i, p := range h.phones {
		all[i] = p.window
	}
	return percentile(all, 0.5), percentile(all, 1)
}
