package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
)

const holdHelp = `Measure what an idle signed-in connection costs the server in memory.

--connections clients sign in and stay, answering pings. After --hold, the growth of the server's resident memory (VmRSS) since
before they came, divided by their number, is the figure: natural, without asking the server to collect garbage. Memory of
the kernel's sockets is not in it. The accounts exist before; 64 logins warm the server up before the first reading.

Three servers take turns, each started anew: "bare" is gorilla behind net/http with default buffers, "tim" and "tim_tls"
are the product without and with TLS. More connections than a process may have descriptors are cut, and it says so.`

type holdOptions struct {
	connections int
	hold        time.Duration
	bare, tls   bool
}

func holdTest() test {
	var o holdOptions
	return test{
		name:  "hold",
		short: "Memory of an idle signed-in connection, plain and under TLS",
		long:  holdHelp,
		example: "  timload hold                                       19,000 connections, five rounds\n" +
			"  timload hold --connections 2000 --rounds 1         a quick look\n" +
			"  timload hold --hold 40s --bare=false --tls=false   long enough for every connection to see a ping",
		rounds: 5,
		goals:  []goal{atMost("bytes_tim", 4096)},
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&o.connections, "connections", 19000, "connections to hold (1 to 100000)")
			f.DurationVar(&o.hold, "hold", 10*time.Second, "how long to hold them before reading (100ms to 5m)")
			f.BoolVar(&o.bare, "bare", true, "measure the bare baseline too")
			f.BoolVar(&o.tls, "tls", true, "measure the product under TLS too")
		},
		valid: func() error {
			return errors.Join(
				within("connections", o.connections, 1, 100_000),
				within("hold", o.hold, 100*time.Millisecond, 5*time.Minute))
		},
		run: func(ctx context.Context, r *rig) error { return r.hold(ctx, o) },
	}
}

// A held is what one server did in one round.
type held struct {
	Connections int     `json:"connections"`
	Lost        int64   `json:"lost"` // while they were held
	Seconds     float64 `json:"sign_in_s"`
	Before      int64   `json:"rss_before"`
	After       int64   `json:"rss_after"`
	Peak        int64   `json:"rss_peak"`
	Bytes       float64 `json:"bytes_per_connection"`
}

func (r *rig) hold(ctx context.Context, o holdOptions) error {
	n := r.cut(o.connections)
	targets, err := r.holdTargets(ctx, o, n)
	if err != nil {
		return err
	}
	for round := 1; round <= r.rounds; round++ {
		results := map[string]held{}
		for i := range targets {
			t := targets[(i+round)%len(targets)]
			h, err := t.holdMany(ctx, n, o.hold)
			if err != nil {
				return err
			}
			results[t.name] = h
			r.say("round %d of %d: %-8s %d connections, %.0f bytes each", round, r.rounds, t.name, h.Connections, h.Bytes)
		}
		for _, t := range targets {
			r.add("bytes_"+t.name, "bytes/connection", results[t.name].Bytes)
		}
		if bare, ok := results["bare"]; ok {
			r.add("bytes_vs_bare", "", ratio(results["tim"].Bytes, bare.Bytes))
		}
		err := r.line(map[string]any{"event": "round", "round": round, "servers": results, "load_average": loadAverage()})
		if err != nil {
			return err
		}
	}
	return nil
}

// holdTargets returns the servers, not running, and makes the accounts.
func (r *rig) holdTargets(ctx context.Context, o holdOptions, n int) ([]*target, error) {
	logins, err := manyLogins(n)
	if err != nil {
		return nil, err
	}
	tim, err := r.timServer("tim", nil)
	if err != nil {
		return nil, err
	}
	messages := asMessages(logins)
	targets := []*target{{server: tim.server, messages: messages, requests: inHandshakes(tim.request, logins), check: checkAccepted}}
	if o.tls {
		identity, err := newIdentity(r.dir)
		if err != nil {
			return nil, err
		}
		secure, err := r.timServer("tim_tls", identity)
		if err != nil {
			return nil, err
		}
		targets = append(targets, &target{
			server: secure.server, messages: messages, requests: inHandshakes(secure.request, logins), check: checkAccepted,
		})
	}
	for _, t := range targets {
		r.say("making %d accounts for %s", n, t.name)
		if err := t.start(ctx); err != nil {
			return nil, err
		}
		if err := t.signInAll(ctx, 64, n); err != nil {
			return nil, err
		}
		t.kill()
	}
	if o.bare {
		bare, err := r.bareServer()
		if err != nil {
			return nil, err
		}
		targets = append(targets, &target{server: bare, messages: messages, check: checkEcho})
	}
	return targets, nil
}

// holdMany runs the server, holds n connections, and reads what they cost.
func (t *target) holdMany(ctx context.Context, n int, d time.Duration) (held, error) {
	if err := t.start(ctx); err != nil {
		return held{}, err
	}
	defer t.kill()
	if err := t.signInAll(ctx, 1, min(n, 64)); err != nil {
		return held{}, err
	}
	if err := pause(ctx, 500*time.Millisecond); err != nil {
		return held{}, err
	}
	before, err := memoryOf(t.child.pid())
	if err != nil {
		return held{}, err
	}
	var crowd crowd
	defer crowd.disperse()
	began := time.Now()
	if err := crowd.gather(ctx, t, n); err != nil {
		return held{}, err
	}
	took := time.Since(began)
	if err := pause(ctx, d); err != nil {
		return held{}, err
	}
	after, err := memoryOf(t.child.pid())
	if err != nil {
		return held{}, err
	}
	if lost := crowd.lost.Load(); lost > 0 {
		return held{}, fmt.Errorf("%s: %d of %d connections were lost while idle, the last one: %w", t.name, lost, n, crowd.why)
	}
	return held{
		Connections: n,
		Seconds:     took.Seconds(),
		Before:      before.now,
		After:       after.now,
		Peak:        after.peak,
		Bytes:       float64(after.now-before.now) / float64(n),
	}, nil
}

// A crowd is connections that are signed in and idle.
type crowd struct {
	mu    sync.Mutex
	links []*link
	why   error // the last was lost

	readers    sync.WaitGroup
	dispersing atomic.Bool
	lost       atomic.Int64 // ended before disperse
}

// gather signs users 0 to n-1 in and keeps them.
func (c *crowd) gather(ctx context.Context, t *target, n int) error {
	return inParallel(ctx, 64, n, func(ctx context.Context, i int) error {
		l := newLink()
		if err := t.signIn(ctx, l, i); err != nil {
			return fmt.Errorf("%s: sign user %d in: %w", t.name, i, err)
		}
		if err := l.settle(); err != nil {
			return err
		}
		c.mu.Lock()
		c.links = append(c.links, l)
		c.mu.Unlock()
		c.readers.Go(func() {
			c.ended(l.drain())
		})
		return nil
	})
}

func (c *crowd) ended(why error) {
	if c.dispersing.Load() {
		return
	}
	c.lost.Add(1)
	c.mu.Lock()
	c.why = why
	c.mu.Unlock()
}

// disperse hangs up and waits until nobody is left.
func (c *crowd) disperse() {
	c.dispersing.Store(true)
	for _, l := range c.links {
		l.hangUp()
	}
	c.readers.Wait()
}
