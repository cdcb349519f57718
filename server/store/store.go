// Package store is the half of a server.Store that all engines share: the cache of accounts, the group commit and the queue
// before it. An engine adds a Database.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// Options of a Store. The zero value works.
type Options struct {
	// CacheAccounts is how many accounts are kept in memory, at about 120 bytes each. Zero means 1,048,576.
	CacheAccounts int
	// Queue is how many writes may wait for a commit. Further callers wait for room until their ctx ends; then they get
	// codes.Overloaded. Zero means 4096.
	Queue int
	// Batch is how many accounts one commit changes at most. Zero means 512.
	Batch int
}

// importSlice is how many accounts of an import share a commit, so that logins come through between them.
const importSlice = 128

// A Store is a server.Store over a Database.
//
// Errors: an answer is a codes.Code as server.Store says; codes.Overloaded means that the queue was full until ctx ended;
// codes.ServerInternal that the database failed. After an error of ctx, or codes.ServerInternal, a change may be durable or
// not.
type Store struct {
	db       Database
	cache    *cache
	settings settingsCache
	writer   *writer
	follower *follower // nil if the database belongs to this process alone
	closing  sync.Once
	closed   error
}

var _ server.Store = (*Store)(nil)

// New returns a Store that owns db and closes it.
func New(db Database, o Options) *Store {
	s := &Store{
		db:     db,
		cache:  newCache(cmp.Or(o.CacheAccounts, 1<<20)),
		writer: startWriter(db, cmp.Or(o.Queue, 4096), cmp.Or(o.Batch, 512)),
	}
	if shared, ok := db.(Shared); ok {
		s.follower = follow(s, shared)
	}
	return s
}

// known returns what may be used of the cache's entry of a user.
func (s *Store) known(key server.UserKey) (entry, fence, bool) {
	e, f, known := s.cache.get(key)
	if known && !s.follower.fresh() {
		return entry{day: noDay}, f, false
	}
	return e, f, known
}

// Arrive implements server.Store. The second login of an account or a mark that is still being written finds neither in the
// cache nor in the database, because both show only what is durable. So it becomes a write of its own, and that is answered
// after the first one's commit.
func (s *Store) Arrive(ctx context.Context, key server.UserKey, day server.Day, may func(server.Account) bool) (server.Arrival, error) {
	e, f, known := s.known(key)
	if known && (e.day == day || !allowed(may, e.account)) {
		return server.Arrival{Account: e.account}, nil
	}
	if e.day == noDay {
		a, marked, err := s.db.Find(ctx, key, day)
		if err != nil && !errors.Is(err, codes.AccountNotFound) {
			return server.Arrival{}, failed("arrive", err)
		}
		if marked {
			s.cache.put(key, entry{a, day}, f)
		}
		if marked || !allowed(may, a) {
			return server.Arrival{Account: a}, nil
		}
	}
	login := &Arrive{Key: key, Day: day, At: millis(time.Now()), May: may}
	err := s.writer.do(ctx, &write{
		login:  login,
		weight: 1,
		after: func() {
			if !login.Refused {
				s.cache.put(key, entry{login.Result.Account, day}, f)
			}
		},
	})
	if err != nil {
		return server.Arrival{}, failed("arrive", err)
	}
	return login.Result, nil
}

// Account implements server.Store.
func (s *Store) Account(ctx context.Context, key server.UserKey) (server.Account, error) {
	e, f, known := s.known(key)
	if known {
		return e.account, nil
	}
	a, _, err := s.db.Find(ctx, key, noDay)
	if err != nil {
		return a, failed("account", err)
	}
	s.cache.put(key, entry{a, noDay}, f)
	return a, nil
}

// Import implements server.Store. It commits 128 accounts at a time; after an error some may be made.
func (s *Store) Import(ctx context.Context, app uint64, users []string) error {
	at := millis(time.Now())
	users = slices.Clone(users) // a commit may outlive this call
	for len(users) > 0 {
		slice := users[:min(len(users), importSlice)]
		users = users[len(slice):]
		err := s.writer.do(ctx, &write{
			weight: len(slice),
			change: func(tx Tx) error { return tx.Import(app, slice, at) },
		})
		if err != nil {
			return failed("import", err)
		}
	}
	return nil
}

// Delete implements server.Store. A ban ends with its account.
func (s *Store) Delete(ctx context.Context, key server.UserKey, at time.Time) error {
	at = millis(at)
	return s.ending(ctx, "delete", key, func(tx Tx) error { return tx.Delete(key, at) })
}

// Ban implements server.Store.
func (s *Store) Ban(ctx context.Context, key server.UserKey, until time.Time) error {
	until = millis(until)
	return s.ending(ctx, "ban", key, func(tx Tx) error {
		return tx.Change(key, func(a *server.Account) { a.Banned, a.BannedUntil = true, until })
	})
}

// Unban implements server.Store. The error is codes.AccountNotFound if there is no account.
func (s *Store) Unban(ctx context.Context, key server.UserKey) error {
	return s.change(ctx, "unban", key, func(tx Tx) error {
		return tx.Change(key, func(a *server.Account) { a.Banned, a.BannedUntil = false, time.Time{} })
	})
}

// Revoke implements server.Store.
func (s *Store) Revoke(ctx context.Context, key server.UserKey, at time.Time) error {
	at = millis(at)
	return s.ending(ctx, "revoke", key, func(tx Tx) error {
		return tx.Change(key, func(a *server.Account) {
			if at.After(a.NotBefore) {
				a.NotBefore = at
			}
		})
	})
}

// ending is change for what ends the absences of an account, too.
func (s *Store) ending(ctx context.Context, doing string, key server.UserKey, change func(Tx) error) error {
	return s.change(ctx, doing, key, func(tx Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		return updateAbsences(tx, []server.UserKey{key}, noAbsences)
	})
}

// change makes a change of one account durable and drops what the cache knew of it, also if it fails: perhaps only the answer
// was lost.
func (s *Store) change(ctx context.Context, doing string, key server.UserKey, change func(Tx) error) error {
	err := s.writer.do(ctx, &write{weight: 1, change: change, after: func() { s.cache.drop(key) }})
	if err != nil {
		return failed(doing, err)
	}
	return nil
}

// Actives implements server.Store.
func (s *Store) Actives(ctx context.Context, app uint64, from, to server.Day) (server.Actives, error) {
	a, err := s.db.Actives(ctx, app, from, to)
	if err != nil {
		return server.Actives{}, failed("actives", err)
	}
	return a, nil
}

// Forget implements server.Store.
func (s *Store) Forget(app uint64, user string) {
	if user == "" {
		s.settings.drop(app)
		return
	}
	s.cache.drop(server.UserKey{App: app, User: user})
}

// Ping implements server.Store. It reads; a store that can only not write, because the disk is full, still answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.db.Ping(ctx); err != nil {
		return failed("ping", err)
	}
	return nil
}

// Close implements server.Store: it commits the writes that wait. Later calls return what the first returned.
func (s *Store) Close() error {
	s.closing.Do(func() {
		s.follower.stop()
		s.writer.stop()
		s.closed = s.db.Close()
	})
	return s.closed
}

// failed says what was being done. What is neither an answer nor the end of a ctx is codes.ServerInternal.
func failed(doing string, err error) error {
	var code codes.Code
	if errors.As(err, &code) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("store: %s: %w", doing, err)
	}
	return fmt.Errorf("store: %s: %w: %w", doing, codes.ServerInternal, err)
}
