package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"
)

const stormHelp = `Kill the server under everybody and see how they come back.

--connections clients are signed in. The server is killed (SIGKILL) and started again at once on the same address. Every client
comes back as tim's engine does: it waits a random part of the window W that the server gave it with its login, doubles it
after a failure but not after a refused connection, heeds retry_after, and resumes with its resume ticket.

The figures: when 99 % were back, in seconds after the kill and in windows; how long an attempt that succeeded took from dialling
to the answer; how many attempts there were; the peak memory of the new server against the old one's before the kill.
W is the longest window that any client was given.`

type stormOptions struct {
	connections int
	deaf        bool
	timeout     time.Duration
}

func stormTest() test {
	var o stormOptions
	return test{
		name:    "storm",
		short:   "Everybody coming back after the server was killed",
		long:    stormHelp,
		example: "  timload storm\n  timload storm --connections 2000 --rounds 1   a quick look",
		rounds:  5,
		goals:   []goal{atMost("back_p99_windows", 1.5), atMost("login_p99", 500), atMost("peak_vs_steady", 1.2)},
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&o.connections, "connections", 19000, "clients (1 to 100000)")
			f.BoolVar(&o.deaf, "deaf", false, "clients ignore the window and retry_after, and try every 200 ms: what it would be like without them")
			f.DurationVar(&o.timeout, "timeout", 2*time.Minute, "when a round gives up waiting for the last client (1s to 10m)")
		},
		valid: func() error {
			return errors.Join(
				within("connections", o.connections, 1, 100_000),
				within("timeout", o.timeout, time.Second, 10*time.Minute))
		},
		run: func(ctx context.Context, r *rig) error { return r.storm(ctx, o) },
	}
}

// A comeback is one round: everybody's way back.
type comeback struct {
	Event       string  `json:"event"` // "round"
	Round       int     `json:"round"`
	Connections int     `json:"connections"`
	Window      float64 `json:"window_s"`     // the longest that any client was given
	WindowP50   float64 `json:"window_p50_s"` // the median
	Down        float64 `json:"down_s"`       // from the kill until the server answered a request
	BackP50     float64 `json:"back_p50_s"`   // after the kill
	BackP99     float64 `json:"back_p99_s"`   //
	BackLast    float64 `json:"back_last_s"`  //
	Windows     float64 `json:"back_p99_windows"`
	LoginP50    float64 `json:"login_p50_ms"`
	LoginP99    float64 `json:"login_p99_ms"`
	Attempts    int64   `json:"attempts"`
	Unreached   int64   `json:"unreached"` // attempts that found no server
	Cut         int64   `json:"cut"`       // attempts that ended half-way
	CutBy       string  `json:"cut_by"`    // the last of them
	Refused     int64   `json:"refused"`   // attempts that the server put off
	Resumed     int64   `json:"resumed"`
	LoggedIn    int64   `json:"logged_in"` // came back by a login, because the server could not use the resume ticket
	Missing     int     `json:"missing"`   // not back within the timeout
	Steady      int64   `json:"rss_steady"`
	Peak        int64   `json:"rss_peak"`
	Load        string  `json:"load_average"`
}

func (r *rig) storm(ctx context.Context, o stormOptions) error {
	n := r.cut(o.connections)
	tim, err := r.timServer("tim", nil)
	if err != nil {
		return err
	}
	for round := 1; round <= r.rounds; round++ {
		if err := tim.start(ctx); err != nil {
			return err
		}
		c, err := r.stormRound(ctx, tim, n, o)
		tim.kill()
		if err != nil {
			return err
		}
		c.Event, c.Round, c.Connections, c.Load = "round", round, n, loadAverage()
		r.addComeback(c)
		if err := r.line(c); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) addComeback(c comeback) {
	r.add("window", "s", c.Window)
	r.add("back_p99", "s", c.BackP99)
	r.add("back_p99_windows", "W", c.Windows)
	r.add("back_last", "s", c.BackLast)
	r.add("login_p50", "ms", c.LoginP50)
	r.add("login_p99", "ms", c.LoginP99)
	r.add("attempts_per_client", "", ratio(float64(c.Attempts), float64(c.Connections)))
	r.add("rss_steady", "MB", float64(c.Steady>>20))
	r.add("peak_vs_steady", "", ratio(float64(c.Peak), float64(c.Steady)))
	r.say("round %d of %d: W %.1f s; 99 %% back after %.1f s = %.2f W, the last after %.1f s; login p99 %.0f ms; %d attempts; %d missing",
		c.Round, r.rounds, c.Window, c.BackP99, c.Windows, c.BackLast, c.LoginP99, c.Attempts, c.Missing)
}

// stormRound signs everybody in, kills the server, starts it again and waits until all are back.
func (r *rig) stormRound(ctx context.Context, tim *product, n int, o stormOptions) (comeback, error) {
	ctx, end := context.WithCancel(ctx)
	herd := newHerd(tim.server, n)
	for _, p := range herd.phones {
		p.deaf = o.deaf
	}
	defer herd.wg.Wait()
	defer end() // clients hang up when ctx ends
	if err := herd.signIn(ctx); err != nil {
		return comeback{}, err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return comeback{}, err
	}
	steady, err := memoryOf(tim.child.pid())
	if err != nil {
		return comeback{}, err
	}
	if lost := herd.lost.Load(); lost > 0 {
		return comeback{}, fmt.Errorf("%d connections were lost before the server was killed", lost)
	}
	median, window := herd.windows()
	if window == 0 {
		return comeback{}, errors.New("the server gave nobody a reconnect window")
	}
	herd.reset()
	killed := time.Now()
	tim.kill()
	if err := tim.start(ctx); err != nil {
		return comeback{}, err
	}
	down := time.Since(killed)
	if err := herd.awaitAll(ctx, o.timeout); err != nil {
		return comeback{}, err
	}
	peak, err := memoryOf(tim.child.pid())
	if err != nil {
		return comeback{}, err
	}
	c := herd.account(killed, o.timeout)
	c.Down = down.Seconds()
	c.WindowP50, c.Window = median.Seconds(), window.Seconds()
	c.Windows = c.BackP99 / c.Window
	c.Steady, c.Peak = steady.now, peak.peak
	return c, nil
}
