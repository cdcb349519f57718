package webhook

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"
)

const (
	window    = 1024 // rows of a receiver in memory
	loadRetry = time.Second

	refusalStrikes = 10 // what a refusal counts; another failure counts 1 at most
)

// A receiver sends the rows of one app. Its loop owns everything but what is atomic; requests run in goroutines of their own
// and report back.
type receiver struct {
	w   *Webhook
	app uint64
	to  Receiver

	news    chan struct{} // cap 1: there are new rows
	results chan result
	due     chan *lane   // its pause is over
	gone    atomic.Int64 // rows up to this one had to go
	full    atomic.Bool  // they still had to lately

	lanes   map[string]*lane
	ready   []*lane
	loaded  int64  // the newest row that is in memory, or was
	rows    int    // in memory
	more    bool   // there may be rows on disk that are not loaded
	running int    // requests
	taken   uint64 // changes
	down    bool   // the last request went wrong
}

// A lane holds the rows of a user. At any time it is ready, sending, or pausing.
type lane struct {
	user    string
	rows    []row
	tries   int    // of the first row
	strikes int    // against it: see strike
	taken   uint64 // by the receiver, when it was last tried
}

// A result is how a request went.
type result struct {
	lane    *lane
	err     error
	refused bool // the receiver has read it and does not want it
}

func newReceiver(w *Webhook, app uint64, to Receiver) *receiver {
	return &receiver{
		w: w, app: app, to: to, lanes: make(map[string]*lane), more: true,
		news: make(chan struct{}, 1), results: make(chan result), due: make(chan *lane),
	}
}

// wake says that there are new rows.
func (r *receiver) wake() {
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// overflowed notes that the oldest rows had to go.
func (r *receiver) overflowed(o overflow) {
	r.gone.Store(o.last)
	if !r.full.Swap(true) {
		r.w.log.Error("webhook: the queue is full; the oldest changes are dropped until the receiver takes some", "app", r.app)
	}
	r.w.dropped.Add(uint64(o.rows))
}

func (r *receiver) run(ctx context.Context) {
	for ctx.Err() == nil {
		retry := r.load(ctx)
		r.start(ctx)
		select {
		case <-ctx.Done():
		case <-r.news:
			r.more = true
		case o := <-r.results:
			r.done(ctx, o)
		case l := <-r.due:
			r.ready = append(r.ready, l)
		case <-retry:
		}
	}
	for ; r.running > 0; r.running-- {
		if o := <-r.results; o.err == nil {
			r.finish(o.lane.rows[0].seq, &r.w.delivered)
		}
	}
}

// load reads rows from disk until the window is full. The channel says when to try again if the disk did not answer.
func (r *receiver) load(ctx context.Context) <-chan time.Time {
	room := window - r.rows
	if !r.more || room < window/2 {
		return nil
	}
	rows, err := r.w.queue.after(ctx, r.app, r.loaded, room)
	if err != nil {
		if ctx.Err() == nil {
			r.w.log.Error("webhook: the queue cannot be read; trying again", "error", err)
		}
		return time.After(loadRetry)
	}
	r.more = len(rows) == room
	for _, one := range rows {
		l := r.lanes[one.user]
		if l == nil {
			l = &lane{user: one.user}
			r.lanes[one.user] = l
			r.ready = append(r.ready, l)
		}
		l.rows = append(l.rows, one)
		r.loaded = one.seq
	}
	r.rows += len(rows)
	return nil
}

// start sends the first rows of lanes that are ready.
func (r *receiver) start(ctx context.Context) {
	for r.running < r.w.o.Workers && len(r.ready) > 0 {
		l := r.ready[0]
		r.ready[0] = nil
		r.ready = r.ready[1:]
		for len(l.rows) > 0 && l.rows[0].seq <= r.gone.Load() {
			r.next(l)
		}
		if len(l.rows) == 0 {
			delete(r.lanes, l.user)
			continue
		}
		r.running++
		m := l.rows[0].message
		go func() {
			refused, err := r.w.send(ctx, r.app, r.to, m)
			r.results <- result{l, err, refused}
		}()
	}
}

// done finishes the first row of a lane, or has it tried again later.
func (r *receiver) done(ctx context.Context, o result) {
	r.running--
	l := o.lane
	if o.err == nil {
		if r.down {
			r.w.log.Info("webhook: the receiver takes changes again", "app", r.app)
		}
		r.down = false
		r.taken++
		r.full.Store(false)
		r.finish(l.rows[0].seq, &r.w.delivered)
		r.next(l)
		r.ready = append(r.ready, l)
		return
	}
	if ctx.Err() != nil {
		return
	}
	if !r.down {
		r.w.log.Warn("webhook: a request went wrong; it is tried again", "app", r.app, "error", o.err)
	}
	r.down = true
	r.w.failed.Add(1)
	r.strike(l, o.refused)
	if l.strikes >= r.w.o.Refusals*refusalStrikes {
		r.w.log.Error("webhook: a change was refused too often and is dropped", "app", r.app, "user", l.user, "error", o.err)
		r.finish(l.rows[0].seq, &r.w.dropped)
		r.next(l)
		r.ready = append(r.ready, l)
		return
	}
	time.AfterFunc(r.pause(l.tries), func() {
		select {
		case r.due <- l:
		case <-ctx.Done():
		}
	})
}

// strike counts against the first row of a lane that it was refused, and, less, that it went wrong though the receiver took
// others since it was last tried: a change that breaks the receiver must not stand in everybody's way. That nothing gets
// through is held against nobody.
func (r *receiver) strike(l *lane, refused bool) {
	switch {
	case refused:
		l.strikes += refusalStrikes
	case l.tries > 0 && r.taken > l.taken:
		l.strikes++
	}
	l.tries++
	l.taken = r.taken
}

// pause returns a random part of a time that doubles with each try.
func (r *receiver) pause(tries int) time.Duration {
	most := r.w.o.RetryMax
	if shift := tries - 1; shift < 20 {
		most = min(most, r.w.o.RetryMin<<shift)
	}
	return rand.N(most + 1)
}

func (r *receiver) finish(seq int64, count *atomic.Uint64) {
	count.Add(1)
	r.w.buffer.finish(seq)
}

// next leaves the first row of a lane behind.
func (r *receiver) next(l *lane) {
	l.rows[0] = row{}
	l.rows = l.rows[1:]
	l.tries, l.strikes = 0, 0
	r.rows--
}
