package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

const kickHelp = `Measure how fast a kick is.

An Android phone signs in and waits; an iPhone of the same user connects and sends its login. Only one of them may stay, so the
server kicks the first. The figure is the time from writing the second's login to reading the first's kick, ticket and policy
included: --pairs times on an idle server, then as often beside --workers that log other users in and out as fast as they can.
Under such load the clients' own waiting for a CPU is in the figure.`

type kickOptions struct{ pairs, workers, users int }

func kickTest() test {
	var o kickOptions
	return test{
		name:    "kick",
		short:   "Time from a login to the kick of the device that must leave for it",
		long:    kickHelp,
		example: "  timload kick\n  timload kick --pairs 200 --rounds 1   a quick look",
		rounds:  5,
		goals:   []goal{atMost("p99_idle", 5), atMost("p99_busy", 25)},
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&o.pairs, "pairs", 1000, "kicks of a round, idle and busy each (1 to 10000)")
			f.IntVar(&o.workers, "workers", 64, "logins in flight beside the busy kicks (1 to 1024)")
			f.IntVar(&o.users, "users", 5000, "accounts of those logins (1 to 100000)")
		},
		valid: func() error {
			return errors.Join(
				within("pairs", o.pairs, 1, 10_000),
				within("workers", o.workers, 1, 1024),
				within("users", o.users, 1, 100_000))
		},
		run: func(ctx context.Context, r *rig) error { return r.kick(ctx, o) },
	}
}

// A kicks is what one part of a round saw.
type kicks struct {
	Kicks  int     `json:"kicks"`
	P50    float64 `json:"p50_ms"`
	P99    float64 `json:"p99_ms"`
	Max    float64 `json:"max_ms"`
	Login  float64 `json:"login_p50_ms"` // the newcomer's own answer
	Beside float64 `json:"logins_beside_per_s"`
}

func (r *rig) kick(ctx context.Context, o kickOptions) error {
	logins, err := manyLogins(o.users)
	if err != nil {
		return err
	}
	tim, err := r.timServer("tim", nil)
	if err != nil {
		return err
	}
	if err := tim.start(ctx); err != nil {
		return err
	}
	t := &target{server: tim.server, messages: asMessages(logins), check: checkAccepted}
	if err := t.signInAll(ctx, o.workers, o.users); err != nil {
		return err
	}
	for round := 1; round <= r.rounds; round++ {
		parts := map[string]kicks{}
		for _, part := range []struct {
			name    string
			workers int
		}{{"idle", 0}, {"busy", o.workers}} {
			k, err := kicksBeside(ctx, t, o.pairs, part.workers)
			if err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
			parts[part.name] = k
			r.add("p50_"+part.name, "ms", k.P50)
			r.add("p99_"+part.name, "ms", k.P99)
			r.say("round %d of %d: %s: %d kicks, p50 %.2f ms, p99 %.2f ms, beside %.0f logins/s",
				round, r.rounds, part.name, k.Kicks, k.P50, k.P99, k.Beside)
		}
		r.add("beside_busy", "logins/s", parts["busy"].Beside)
		if err := r.line(map[string]any{"event": "round", "round": round, "parts": parts, "load_average": loadAverage()}); err != nil {
			return err
		}
	}
	return nil
}

// kicksBeside has pairs devices kicked while workers log other users in and out.
func kicksBeside(ctx context.Context, t *target, pairs, workers int) (kicks, error) {
	ctx, stop := context.WithTimeout(ctx, 2*time.Minute)
	defer stop()
	crew := newCrew()
	defer crew.wg.Wait()
	defer stop()
	crew.measuring.Store(true)
	for range workers {
		crew.wg.Go(func() { crew.work(ctx, t) })
	}
	var told, answered []time.Duration
	began := time.Now()
	for i := range pairs {
		kicked, accepted, err := kickOnce(ctx, t.server, fmt.Sprintf("kick_%010d", i))
		if err != nil {
			return kicks{}, fmt.Errorf("kick %d: %w", i, err)
		}
		told, answered = append(told, kicked), append(answered, accepted)
	}
	if workers > 0 {
		select { // a few kicks may be quicker than the first login beside them
		case <-crew.whole:
		case <-ctx.Done():
		}
	}
	took := time.Since(began)
	stop()
	crew.wg.Wait()
	if workers > 0 && len(crew.took) == 0 {
		return kicks{}, fmt.Errorf("no login worked beside the kicks: %w", crew.lastError)
	}
	return kicks{
		Kicks:  len(told),
		P50:    milliseconds(percentile(told, 0.50)),
		P99:    milliseconds(percentile(told, 0.99)),
		Max:    milliseconds(percentile(told, 1)),
		Login:  milliseconds(percentile(answered, 0.50)),
		Beside: float64(len(crew.took)) / took.Seconds(),
	}, nil
}

// kickOnce signs user in on two devices and returns how long after writing the second's login the first read its kick,
// and the second its answer.
func kickOnce(ctx context.Context, s *server, user string) (kicked, accepted time.Duration, err error) {
	android, err := loginOf(user, codes.PlatformAndroid)
	if err != nil {
		return 0, 0, err
	}
	iphone, err := loginOf(user, codes.PlatformIOS)
	if err != nil {
		return 0, 0, err
	}
	iphone.Instance += "-2"
	first, second := newLink(), newLink()
	if err := first.open(ctx, s.dialer, s.request); err != nil {
		return 0, 0, err
	}
	defer first.hangUp()
	if _, err := first.ask(android); err != nil {
		return 0, 0, err
	}
	if err := second.open(ctx, s.dialer, s.request); err != nil {
		return 0, 0, err
	}
	defer second.hangUp()

	type news struct {
		at  time.Time
		err error
	}
	heard := make(chan news, 1)
	go func() {
		err := first.awaitKick(codes.KickMultipleDevice)
		heard <- news{time.Now(), err}
	}()
	began := time.Now()
	if _, err := second.ask(iphone); err != nil {
		return 0, 0, err
	}
	accepted = time.Since(began)
	n := <-heard
	return n.at.Sub(began), accepted, n.err
}

// ask sends a login or a resume and returns its answer.
func (l *link) ask(frame wire.Frame) (*wire.Accepted, error) {
	if err := l.write(opBinary, wire.Append(nil, frame)); err != nil {
		return nil, err
	}
	return l.answer()
}

// answer reads the answer to a login or a resume.
func (l *link) answer() (*wire.Accepted, error) {
	op, answer, err := l.read()
	if err != nil {
		return nil, err
	}
	return acceptedIn(op, answer)
}

// awaitKick reads until the session is kicked, for the given reason.
func (l *link) awaitKick(reason codes.KickReason) error {
	for {
		_, message, err := l.read()
		if err != nil {
			return fmt.Errorf("no kick: %w", err)
		}
		frame, err := wire.Decode(message)
		if err != nil {
			return err
		}
		if k, ok := frame.(*wire.Kicked); ok {
			if k.Reason != reason {
				return fmt.Errorf("kicked for reason %v instead of %v", k.Reason, reason)
			}
			return nil
		}
	}
}
