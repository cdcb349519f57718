package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/pflag"
)

const rateHelp = `Measure how many logins a second a server takes, and what each costs it.

A login here is all of it: connect, upgrade to a WebSocket with the login frame in the handshake, of an account that exists
and with a ticket that must be verified, get the answer, close with RST. --workers of them run at any time, each starting the
next as soon as one ends (a closed loop), so the rate is as high as this machine allows, generator included. --frames measures
tim a second time, as "tim_frames": with clients that send the login after the handshake, as the baselines' clients do.

The same generator does the same to the baselines, in turn, round by round: "bare" is gorilla behind net/http that echoes the
frame and knows no login; "centrifuge" is the centrifuge library with a JWT. All servers run for the whole test; only one is
under load at a time. Rates of different runs cannot be compared on a shared machine: the ratios of one round can.`

type rateOptions struct {
	workers, users int
	duration       time.Duration
	centrifuge     bool
	frames         bool
}

func rateTest() test {
	var o rateOptions
	return test{
		name:  "rate",
		short: "Logins per second and CPU per login, against a bare WebSocket server",
		long:  rateHelp,
		example: "  timload rate                      five rounds of three seconds for each server\n" +
			"  timload rate --rounds 9 --check   fail if a goal is missed",
		rounds: 5,
		goals:  []goal{atLeast("rate_vs_bare", 0.95), atMost("cpu_vs_bare", 1.05), atLeast("rate_vs_centrifuge", 1.15)},
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&o.workers, "workers", 64, "logins in flight (1 to 1024)")
			f.IntVar(&o.users, "users", 20000, "accounts, made before the first round (1 to 100000)")
			f.DurationVar(&o.duration, "duration", 3*time.Second, "measured time of a server in a round (100ms to 1m)")
			f.BoolVar(&o.frames, "frames", false, "measure logins that come after the handshake too")
			f.BoolVar(&o.centrifuge, "centrifuge", true, "measure the centrifuge library too")
		},
		valid: func() error {
			return errors.Join(
				within("workers", o.workers, 1, 1024),
				within("users", o.users, 1, 100_000),
				within("duration", o.duration, 100*time.Millisecond, time.Minute))
		},
		run: func(ctx context.Context, r *rig) error { return r.rate(ctx, o) },
	}
}

// A load is what one server did in one round.
type load struct {
	Rate      float64 `json:"logins_per_s"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
	ServerCPU float64 `json:"server_cpu_us"`      // per login
	ClientCPU float64 `json:"client_cpu_us"`      // per login
	Others    float64 `json:"others_cpu_percent"` // of the machine, used by neither meanwhile
	Failed    int64   `json:"failed"`
}

func (r *rig) rate(ctx context.Context, o rateOptions) error {
	targets, err := r.rateTargets(ctx, o)
	if err != nil {
		return err
	}
	for _, t := range targets {
		// Makes the accounts of the product, and shows every server every user once.
		if err := t.signInAll(ctx, o.workers, o.users); err != nil {
			return err
		}
	}
	for round := 1; round <= r.rounds; round++ {
		loads := map[string]load{}
		for i := range targets {
			t := targets[(i+round)%len(targets)] // nobody is always first
			l, err := t.measure(ctx, o)
			if err != nil {
				return err
			}
			loads[t.name] = l
			r.say("round %d of %d: %-10s %6.0f logins/s, p50 %5.2f ms, p99 %6.2f ms, %4.0f µs of server CPU each; others had %.0f %% of the machine",
				round, r.rounds, t.name, l.Rate, l.P50, l.P99, l.ServerCPU, l.Others)
		}
		if err := r.rateRound(round, loads); err != nil {
			return err
		}
	}
	return nil
}

// rateRound reports one round: the figures of each server, and how the product stands to each baseline.
func (r *rig) rateRound(round int, loads map[string]load) error {
	ratios := map[string]float64{} // of JSON, which has no NaN
	compare := func(name string, a, b float64) {
		r.add(name, "", ratio(a, b))
		if b != 0 {
			ratios[name] = a / b
		}
	}
	for _, name := range []string{"tim", "tim_frames", "bare", "centrifuge"} {
		l, measured := loads[name]
		if !measured {
			continue
		}
		r.add("rate_"+name, "logins/s", l.Rate)
		r.add("p50_"+name, "ms", l.P50)
		r.add("p99_"+name, "ms", l.P99)
		r.add("cpu_"+name, "µs/login", l.ServerCPU)
		r.add("others_beside_"+name, "% of CPU", l.Others)
		if name != "tim" {
			compare("rate_vs_"+name, loads["tim"].Rate, l.Rate)
			compare("cpu_vs_"+name, loads["tim"].ServerCPU, l.ServerCPU)
		}
	}
	if late, measured := loads["tim_frames"]; measured {
		compare("frames_rate_vs_bare", late.Rate, loads["bare"].Rate)
		compare("frames_cpu_vs_bare", late.ServerCPU, loads["bare"].ServerCPU)
	}
	return r.line(map[string]any{"event": "round", "round": round, "servers": loads, "ratios": ratios, "load_average": loadAverage()})
}

// rateTargets starts every server and gives it its users.
func (r *rig) rateTargets(ctx context.Context, o rateOptions) ([]*target, error) {
	logins, err := manyLogins(o.users)
	if err != nil {
		return nil, err
	}
	bare, err := r.bareServer()
	if err != nil {
		return nil, err
	}
	tim, err := r.timServer("tim", nil)
	if err != nil {
		return nil, err
	}
	messages := asMessages(logins)
	targets := []*target{
		{server: bare, messages: messages, check: checkEcho},
		{server: tim.server, messages: messages, requests: inHandshakes(tim.request, logins), check: checkAccepted},
	}
	if o.centrifuge {
		centrifuge, err := r.centrifugeServer(ctx)
		if err != nil {
			return nil, err
		}
		targets = append(targets, &target{server: centrifuge, messages: manyConnects(o.users), check: checkConnected})
	}
	for _, t := range targets {
		if err := t.start(ctx); err != nil {
			return nil, err
		}
	}
	if o.frames {
		again := *tim.server // the same process
		again.name = "tim_frames"
		targets = append(targets, &target{server: &again, messages: messages, check: checkAccepted})
	}
	return targets, nil
}

// warmUp is how long a closed loop runs before it is measured.
const warmUp = 500 * time.Millisecond

// measure runs the closed loop for the duration and reports what happened in it. If no login was begun and done in it, it goes on until
// one was: a figure of a machine that had no time is late, not missing.
func (t *target) measure(ctx context.Context, o rateOptions) (load, error) {
	crew := newCrew()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	for range o.workers {
		crew.wg.Go(func() { crew.work(ctx, t) })
	}
	if err := pause(ctx, warmUp); err != nil {
		return load{}, err
	}
	before, err := t.used()
	if err != nil {
		return load{}, err
	}
	crew.measuring.Store(true)
	if err := pause(ctx, o.duration); err != nil {
		return load{}, err
	}
	select {
	case <-crew.whole:
	case <-ctx.Done():
		return load{}, ctx.Err()
	}
	crew.measuring.Store(false)
	after, err := t.used()
	if err != nil {
		return load{}, err
	}
	stop()
	crew.wg.Wait()

	done := len(crew.took)
	if failed := crew.failed.Load(); done == 0 || failed*100 > int64(done) {
		return load{}, fmt.Errorf("%s: %d of %d logins failed, the last error: %w", t.name, failed, int64(done)+failed, crew.lastError)
	}
	took, used := after.since(before)
	return load{
		Rate:      float64(done) / took.Seconds(),
		P50:       milliseconds(percentile(crew.took, 0.50)),
		P99:       milliseconds(percentile(crew.took, 0.99)),
		ServerCPU: float64(used.server.Microseconds()) / float64(done),
		ClientCPU: float64(used.client.Microseconds()) / float64(done),
		Others:    max(0, 100*used.others.Seconds()/took.Seconds()/float64(runtime.NumCPU())),
		Failed:    crew.failed.Load(),
	}, nil
}

// A crew is the workers of one closed loop.
type crew struct {
	wg        sync.WaitGroup
	measuring atomic.Bool
	failed    atomic.Int64 // while measuring

	whole chan struct{} // closed when the first login that began while measuring has ended, well or badly
	once  sync.Once     // closes whole

	mu        sync.Mutex
	took      []time.Duration
	lastError error
}

func newCrew() *crew { return &crew{whole: make(chan struct{})} }

// work logs one user after the other in and out, until ctx ends.
func (c *crew) work(ctx context.Context, t *target) {
	l := newLink()
	var took []time.Duration
	var lastError error
	for ctx.Err() == nil {
		began, inside := time.Now(), c.measuring.Load()
		err := t.signIn(ctx, l, t.nextUser())
		switch {
		case err == nil:
			if c.measuring.Load() {
				took = append(took, time.Since(began))
			}
			l.hangUp()
		case ctx.Err() == nil:
			lastError = err
			if c.measuring.Load() {
				c.failed.Add(1)
			}
			pause(ctx, time.Millisecond) // ends early only with the loop
		}
		if inside {
			c.once.Do(func() { close(c.whole) })
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.took = append(c.took, took...)
	if lastError != nil {
		c.lastError = lastError
	}
}
