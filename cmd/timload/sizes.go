package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

const sizesHelp = `Measure whether a login costs more where there are more accounts.

Each size has a timd of its own, with a SQLite store that has so many accounts; only one is under load at a time, the sizes take
turns within each round. The load is that of rate: connect, log in within the handshake with a ticket that must be verified,
get the answer, close with RST, --workers at a time in a closed loop.

Who logs in is drawn from all accounts, each as likely as the next. So the accounts of the smallest store are soon all in
timd's memory, and nearly every login in the largest has to read the file. In life some users come more often than others, which
makes a large store look better than here. All accounts have been active today: no login writes. That is what nearly all logins
are; the first of a day is another figure. The files are in the kernel's cache, if they fit.

Clients are those of desktops, of which nothing is noted when they are gone, and a lost session is released after a second, not
after two minutes: otherwise the larger stores would have a million sessions more than the smallest, where the same users soon
come again. What sessions cost is another figure; the release of each is in this one.

"quiet_…" is the ratio of the rates again, but of CPU time, the server's and the generator's: what it would be if nobody else used
the machine. It is the steadier one where somebody does.

A run writes its stores first: 10 million accounts are half a gigabyte and take half a minute. They are removed after it, unless
--stores names a folder to keep them in; the next run with it begins at once.`

type sizesOptions struct {
	accounts []int
	workers  int
	duration time.Duration
	stores   string
}

func sizesTest() test {
	var o sizesOptions
	return test{
		name:  "sizes",
		short: "Logins per second with 10 thousand to 10 million accounts",
		long:  sizesHelp,
		example: "  timload sizes                                five rounds of three seconds for each of 10k, 1M and 10M\n" +
			"  timload sizes --stores ~/stores --rounds 9   keep the stores, or use those that are there",
		rounds: 5,
		goals:  []goal{atLeast("rate_1M_vs_10k", 0.85), atLeast("rate_10M_vs_10k", 0.85)},
		flags: func(f *pflag.FlagSet) {
			f.IntSliceVar(&o.accounts, "accounts", []int{10_000, 1_000_000, 10_000_000}, "the sizes, the one to compare with first (1 to 100000000)")
			f.IntVar(&o.workers, "workers", 64, "logins in flight (1 to 1024)")
			f.DurationVar(&o.duration, "duration", 3*time.Second, "measured time of a size in a round (100ms to 1m)")
			f.StringVar(&o.stores, "stores", "", "a `folder` that keeps the stores for the next run")
		},
		valid: func() error {
			errs := []error{within("workers", o.workers, 1, 1024), within("duration", o.duration, 100*time.Millisecond, time.Minute)}
			for _, n := range o.accounts {
				errs = append(errs, within("accounts", n, 1, 100_000_000))
			}
			return errors.Join(errs...)
		},
		run: func(ctx context.Context, r *rig) error { return r.sizes(ctx, o) },
	}
}

// A sized is a timd and how many accounts it has.
type sized struct {
	*target
	accounts int
}

// A sizedLoad is what one size did in one round.
type sizedLoad struct {
	load
	RSS int64 `json:"rss"` // of timd, after it
}

func (r *rig) sizes(ctx context.Context, o sizesOptions) error {
	all, err := r.sizedServers(ctx, o)
	if err != nil {
		return err
	}
	for round := 0; round <= r.rounds; round++ { // round 0 warms up
		loads := map[string]sizedLoad{}
		for i := range all {
			s := all[(i+round)%len(all)]
			l, err := s.measure(ctx, o)
			if err != nil {
				return err
			}
			loads[s.name] = l
			if round > 0 {
				r.say("round %d of %d: %5s accounts %6.0f logins/s, p50 %5.2f ms, p99 %6.2f ms, %4.0f µs of server CPU each, RSS %d MB; others had %.0f %% of the machine",
					round, r.rounds, s.name, l.Rate, l.P50, l.P99, l.ServerCPU, l.RSS>>20, l.Others)
			}
		}
		if round == 0 {
			continue
		}
		if err := r.sizesRound(round, all, loads); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) sizesRound(round int, all []sized, loads map[string]sizedLoad) error {
	first := loads[all[0].name]
	for i, s := range all {
		l := loads[s.name]
		r.add("rate_"+s.name, "logins/s", l.Rate)
		r.add("cpu_"+s.name, "µs/login", l.ServerCPU)
		r.add("p99_"+s.name, "ms", l.P99)
		r.add("rss_"+s.name, "MB", float64(l.RSS)/(1<<20))
		if i > 0 {
			r.add("rate_"+s.name+"_vs_"+all[0].name, "", ratio(l.Rate, first.Rate))
			r.add("cpu_"+s.name+"_vs_"+all[0].name, "", ratio(l.ServerCPU, first.ServerCPU))
			r.add("quiet_"+s.name+"_vs_"+all[0].name, "", ratio(first.ServerCPU+first.ClientCPU, l.ServerCPU+l.ClientCPU))
		}
	}
	return r.line(map[string]any{"event": "round", "round": round, "sizes": loads, "load_average": loadAverage()})
}

// sizedServers makes the stores and starts a timd on each.
func (r *rig) sizedServers(ctx context.Context, o sizesOptions) ([]sized, error) {
	parent := filepath.Join(r.dir, "stores")
	if o.stores != "" {
		var err error
		if parent, err = filepath.Abs(o.stores); err != nil {
			return nil, err
		}
	}
	var all []sized
	for _, n := range o.accounts {
		began := time.Now()
		dir, err := sizedStore(ctx, parent, n)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(filepath.Join(dir, storeFile))
		if err != nil {
			return nil, err
		}
		r.say("a store of %s accounts: %d MB, ready after %.1f s", sizeName(n), info.Size()>>20, time.Since(began).Seconds())
		tim, err := r.timServerIn(dir, sizeName(n), nil, "grace: 1s\n")
		if err != nil {
			return nil, err
		}
		if err := tim.start(ctx); err != nil {
			return nil, err
		}
		all = append(all, sized{&target{server: tim.server, check: checkAccepted}, n})
	}
	return all, nil
}

// mostLogins is how many logins a second a round has users for. Beyond it they come again.
const mostLogins = 20_000

// measure draws who will log in, then runs the closed loop.
func (s *sized) measure(ctx context.Context, o sizesOptions) (sizedLoad, error) {
	frames, err := drawnLogins(ctx, s.accounts, int(mostLogins*(o.duration+warmUp).Seconds()))
	if err != nil {
		return sizedLoad{}, err
	}
	s.messages, s.requests = asMessages(frames), inHandshakes(s.request, frames)
	runtime.GC() // not while it measures
	l, err := s.target.measure(ctx, rateOptions{workers: o.workers, duration: o.duration})
	if err != nil {
		return sizedLoad{}, err
	}
	m, err := memoryOf(s.child.pid())
	return sizedLoad{load: l, RSS: m.now}, err
}

// drawnLogins returns the frames that sign in n of the users 0 to accounts-1, drawn anew. Who is drawn twice has one ticket: signing
// takes longer than logging in.
func drawnLogins(ctx context.Context, accounts, n int) ([][]byte, error) {
	places := map[int][]int{} // of each user among the frames
	for i := range n {
		user := rand.N(accounts)
		places[user] = append(places[user], i)
	}
	users := slices.Collect(maps.Keys(places))
	frames := make([][]byte, n)
	err := inParallel(ctx, runtime.NumCPU(), len(users), func(_ context.Context, i int) error {
		login, err := loginOf(userName(users[i]), codes.PlatformWindows)
		if err != nil {
			return fmt.Errorf("a login: %w", err)
		}
		frame := wire.Append(nil, login)
		for _, place := range places[users[i]] {
			frames[place] = frame
		}
		return nil
	})
	return frames, err
}
