package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	timserver "github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/sqlite"
)

const crashHelp = `Kill the server while new users arrive, and look for each one whose login it had acknowledged.

--callers sign new users in, each a new account, as fast as they can. In every round the server is killed (SIGKILL) at some
moment after its share of --accounts was acknowledged. Then every user acknowledged so far is looked up in a copy of the store as
the crash left it. The next round's server finds the crash's own files. One lost account is one too many.

Every second user signs in on two connections at the same moment (Android and web, which may stay together): the answer to the
second counts as a promise too, even if the first one's was never read.

A killed process is not a power failure: what the kernel had not written to disk yet survives here.`

type crashOptions struct{ accounts, callers int }

func crashTest() test {
	var o crashOptions
	return test{
		name:    "crash",
		short:   "Whether acknowledged accounts survive kill -9",
		long:    crashHelp,
		example: "  timload crash --check\n  timload crash --accounts 5000 --rounds 3   a quick look",
		rounds:  12,
		goals:   []goal{atMost("lost", 0), atLeast("kills", 10), atLeast("acknowledged", 100_000)},
		flags: func(f *pflag.FlagSet) {
			f.IntVar(&o.accounts, "accounts", 120_000, "accounts to have acknowledged in all rounds together (10 to 10000000)")
			f.IntVar(&o.callers, "callers", 64, "callers at any time (1 to 1024)")
		},
		valid: func() error {
			return errors.Join(within("accounts", o.accounts, 10, 10_000_000), within("callers", o.callers, 1, 1024))
		},
		run: func(ctx context.Context, r *rig) error { return r.crash(ctx, o) },
	}
}

// A wreck is one round: what was promised and what was found.
type wreck struct {
	Event        string  `json:"event"` // "round"
	Round        int     `json:"round"`
	Acknowledged int     `json:"acknowledged"` // users, in this round
	Pairs        int     `json:"pairs"`        // of them, those that signed in twice at once
	HalfPairs    int     `json:"half_pairs"`   // of those, with one answer of two when the server died
	Rate         float64 `json:"accounts_per_s"`
	Reopen       float64 `json:"reopen_ms"` // from the start after the crash until it served
	LookedUp     int     `json:"looked_up"` // all users so far
	Lost         int     `json:"lost"`      // of them
	Load         string  `json:"load_average"`
}

func (r *rig) crash(ctx context.Context, o crashOptions) error {
	tim, err := r.timServer("tim", nil)
	if err != nil {
		return err
	}
	var promised []string
	lost, pairs := 0, 0
	share := max(1, (o.accounts+r.rounds-1)/r.rounds)
	for round := 1; round <= r.rounds; round++ {
		began := time.Now()
		if err := tim.start(ctx); err != nil {
			return err
		}
		w := wreck{Event: "round", Round: round, Reopen: milliseconds(time.Since(began))}
		if err := tim.crashAfter(ctx, &w, &promised, share, o.callers); err != nil {
			return err
		}
		missing, err := tim.missing(ctx, promised)
		if err != nil {
			return err
		}
		w.LookedUp, w.Lost, w.Load = len(promised), len(missing), loadAverage()
		lost, pairs = max(lost, len(missing)), pairs+w.Pairs
		if err := r.line(w); err != nil {
			return err
		}
		r.add("accounts", "accounts/s", w.Rate)
		r.add("reopen", "ms", w.Reopen)
		r.say("kill %d of %d: %d accounts acknowledged (%d by two at once), %d looked up in all, %d lost%s",
			round, r.rounds, w.Acknowledged, w.Pairs, w.LookedUp, w.Lost, someOf(missing))
	}
	r.add("kills", "", float64(r.rounds))
	r.add("acknowledged", "accounts", float64(len(promised)))
	r.add("acknowledged_pairs", "accounts", float64(pairs))
	r.add("lost", "accounts", float64(lost))
	return nil
}

func someOf(missing []string) string {
	if len(missing) == 0 {
		return ""
	}
	return fmt.Sprintf(": %q…", missing[:min(3, len(missing))])
}

// crashAfter has callers sign new users in, kills the server some moment after share of them were acknowledged, and appends
// those that were to promised.
func (p *product) crashAfter(ctx context.Context, w *wreck, promised *[]string, share, callers int) error {
	ctx, giveUp := context.WithTimeout(ctx, 5*time.Minute)
	defer giveUp()
	calling, stop := context.WithCancel(ctx)
	defer stop()
	book := &book{share: share, enough: make(chan struct{})}
	began := time.Now()
	var wg sync.WaitGroup
	for caller := range callers {
		wg.Go(func() {
			for i := 0; calling.Err() == nil; i++ {
				user := fmt.Sprintf("new_%03d_%04d_%08d", w.Round, caller, i)
				platforms := []codes.Platform{codes.PlatformAndroid}
				if i%2 == 1 {
					platforms = twoAtOnce[rand.IntN(2)]
				}
				answers, err := p.arrive(calling, user, platforms)
				book.enter(user, len(platforms), answers, err)
			}
		})
	}
	select {
	case <-book.enough:
		pause(ctx, rand.N(300*time.Millisecond)) // at any point of a commit
	case <-ctx.Done():
	case <-p.child.ended:
	}
	w.Rate = float64(book.count()) / time.Since(began).Seconds()
	p.kill()
	stop()
	wg.Wait() // answers that the server had sent are still read, and count

	w.Acknowledged, w.Pairs, w.HalfPairs = len(book.users), book.pairs, book.halves
	*promised = append(*promised, book.users...)
	if len(book.users) < share {
		return fmt.Errorf("only %d of %d accounts were acknowledged, the last failure: %w\nthe server said:\n%s",
			len(book.users), share, book.lastError, p.child.said)
	}
	return ctx.Err()
}

// twoAtOnce are platforms that the default policy lets stay together, in both orders.
var twoAtOnce = [2][]codes.Platform{
	{codes.PlatformAndroid, codes.PlatformWeb},
	{codes.PlatformWeb, codes.PlatformAndroid},
}

// arrive signs a new user in on each of the platforms at the same moment and hangs up. It returns how many of the logins the
// server acknowledged.
func (p *product) arrive(ctx context.Context, user string, platforms []codes.Platform) (answers int, err error) {
	links, messages := make([]*link, len(platforms)), make([][]byte, len(platforms))
	for i, platform := range platforms {
		login, err := loginOf(user, platform)
		if err != nil {
			return 0, err
		}
		login.Instance += platform.String()
		messages[i] = wire.Append(nil, login)
		links[i] = newLink()
		if err := links[i].open(ctx, p.dialer, p.request); err != nil {
			return 0, err
		}
		defer links[i].hangUp()
	}
	for i, l := range links {
		err = errors.Join(err, l.write(opBinary, messages[i]))
	}
	for _, l := range links {
		_, failed := l.answer()
		if failed == nil {
			answers++
		}
		err = errors.Join(err, failed)
	}
	return answers, err
}

// A book is who was acknowledged in one round.
type book struct {
	share  int
	enough chan struct{} // closed when there are share users

	mu            sync.Mutex
	users         []string
	pairs, halves int
	lastError     error
}

func (b *book) enter(user string, logins, answers int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.lastError = err
	}
	if answers == 0 {
		return
	}
	b.users = append(b.users, user)
	if logins == 2 {
		b.pairs++
		b.halves += logins - answers
	}
	if len(b.users) == b.share {
		close(b.enough)
	}
}

func (b *book) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.users)
}

// missing returns which of users have no account in the store. The server must be dead. The store's files are copied first: opening
// them repairs them, and that is for the server to do.
func (p *product) missing(ctx context.Context, users []string) (missing []string, err error) {
	copied := filepath.Join(filepath.Dir(p.data), "wreck")
	if err := os.RemoveAll(copied); err != nil {
		return nil, err
	}
	if err := os.CopyFS(copied, os.DirFS(p.data)); err != nil {
		return nil, err
	}
	accounts, err := sqlite.Open(ctx, filepath.Join(copied, storeFile), store.Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, accounts.Close()) }()
	for _, user := range users {
		_, err := accounts.Account(ctx, timserver.UserKey{App: appID, User: user})
		switch {
		case errors.Is(err, codes.AccountNotFound):
			missing = append(missing, user)
		case err != nil:
			return nil, err
		}
	}
	return missing, nil
}
