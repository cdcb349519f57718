package store

import (
	"context"
	"sync/atomic"
	"time"
)

// A Shared is a Database that other nodes change, too. Copies of what they change are dropped when they announce it, by
// Forget; an announcement can get lost, so New follows the changes as well.
type Shared interface {
	Database
	// Changes returns what was changed since a Point, and the Point of now. all means that it cannot be told, and anything may
	// have changed; so it is for the zero Point. Making an account and marking a day are no changes.
	Changes(ctx context.Context, since Point) (changed []Changed, now Point, all bool, err error)
}

// A Point is a place in a database's list of changes.
type Point struct {
	Epoch string // of the server that made the list: another one may have lost its end
	Seq   int64
}

// Changed is an account that was changed, or, with an empty User, an app's settings.
type Changed struct {
	App  uint64
	User string
}

const (
	// followEvery is how long a copy is stale that nobody announced, as long as the database answers.
	followEvery = time.Second
	// staleAfter is how long one may be stale at all: after this time without an answer the copies are not used.
	staleAfter = 30 * time.Second
)

// A follower drops the copies that a Shared database says are stale.
type follower struct {
	store  *Store
	db     Shared
	cancel context.CancelFunc
	ended  chan struct{}
	base   time.Time
	until  atomic.Int64 // the time after base, in nanoseconds, until which the copies may be used
}

func follow(s *Store, db Shared) *follower {
	ctx, cancel := context.WithCancel(context.Background())
	f := &follower{store: s, db: db, cancel: cancel, ended: make(chan struct{}), base: time.Now()}
	go f.run(ctx)
	return f
}

// fresh reports whether copies may be used. A nil follower says that they always may.
func (f *follower) fresh() bool {
	return f == nil || int64(time.Since(f.base)) < f.until.Load()
}

func (f *follower) stop() {
	if f != nil {
		f.cancel()
		<-f.ended
	}
}

func (f *follower) run(ctx context.Context) {
	defer close(f.ended)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	var at Point
	for {
		if now, err := f.step(ctx, at); err == nil { // otherwise, what was said to be fresh runs out
			at = now
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (f *follower) step(ctx context.Context, since Point) (Point, error) {
	began := time.Since(f.base)
	ctx, cancel := context.WithTimeout(ctx, staleAfter/2)
	defer cancel()
	changed, now, all, err := f.db.Changes(ctx, since)
	if err != nil {
		return since, err
	}
	if all {
		f.store.cache.clear()
		f.store.settings.clear()
	}
	for _, c := range changed {
		f.store.Forget(c.App, c.User)
	}
	f.until.Store(int64(began + staleAfter))
	return now, nil
}
