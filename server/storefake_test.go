package server_test

import (
	"context"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A fakeStore keeps everything in maps. A story can make it fail, and have something happen within it.
type fakeStore struct {
	mu       sync.Mutex
	accounts map[server.UserKey]server.Account
	deleted  map[server.UserKey]time.Time
	settings map[uint64]server.Settings
	marks    map[server.UserKey]map[server.Day]bool
	absences map[server.UserKey][]server.Absence
	reads    int    // of accounts
	arrivals int    // that wanted to be recorded
	err      error  // what Arrive and Account fail with
	arrived  func() // after an arrival is recorded, before Arrive returns; once
}

func newFakeStore() *fakeStore {
	return &fakeStore{
		accounts: map[server.UserKey]server.Account{}, deleted: map[server.UserKey]time.Time{},
		settings: map[uint64]server.Settings{}, marks: map[server.UserKey]map[server.Day]bool{},
		absences: map[server.UserKey][]server.Absence{},
	}
}

var _ server.Store = (*fakeStore)(nil)

func (f *fakeStore) Arrive(_ context.Context, k server.UserKey, day server.Day, may func(server.Account) bool) (server.Arrival, error) {
	f.mu.Lock()
	if f.err != nil {
		defer f.mu.Unlock()
		return server.Arrival{}, f.err
	}
	f.arrivals++
	a, known := f.accounts[k]
	if !known {
		a.NotBefore = f.deleted[k]
	}
	if !may(a) {
		defer f.mu.Unlock()
		return server.Arrival{Account: a}, nil
	}
	if !known {
		a.CreatedAt = time.Now()
		f.accounts[k] = a
		f.marks[k] = map[server.Day]bool{}
	}
	first := !f.marks[k][day]
	f.marks[k][day] = true
	arrived := f.arrived
	f.arrived = nil
	f.mu.Unlock()
	if arrived != nil {
		arrived()
	}
	return server.Arrival{Account: a, New: !known, FirstToday: first}, nil
}

func (f *fakeStore) Account(_ context.Context, k server.UserKey) (server.Account, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.err != nil {
		return server.Account{}, f.err
	}
	a, known := f.accounts[k]
	if !known {
		return server.Account{NotBefore: f.deleted[k]}, codes.AccountNotFound
	}
	return a, nil
}

func (f *fakeStore) change(k server.UserKey, change func(*server.Account)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	a, known := f.accounts[k]
	if !known {
		return codes.AccountNotFound
	}
	change(&a)
	f.accounts[k] = a
	return nil
}

func (f *fakeStore) Delete(_ context.Context, k server.UserKey, at time.Time) error {
	err := f.change(k, func(*server.Account) {})
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.accounts, k)
	f.deleted[k] = at
	return err
}

func (f *fakeStore) Ban(_ context.Context, k server.UserKey, until time.Time) error {
	return f.change(k, func(a *server.Account) { a.Banned, a.BannedUntil = true, until })
}

func (f *fakeStore) Unban(_ context.Context, k server.UserKey) error {
	return f.change(k, func(a *server.Account) { a.Banned, a.BannedUntil = false, time.Time{} })
}

func (f *fakeStore) Revoke(_ context.Context, k server.UserKey, at time.Time) error {
	return f.change(k, func(a *server.Account) {
		if at.After(a.NotBefore) {
			a.NotBefore = at
		}
	})
}

func (f *fakeStore) Settings(_ context.Context, app uint64) (server.Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s, ok := f.settings[app]; ok {
		return s, nil
	}
	return server.DefaultSettings(), nil
}

func (f *fakeStore) SetSettings(_ context.Context, app uint64, s server.Settings) (server.Settings, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.Version != f.settings[app].Version {
		return server.Settings{}, codes.InvalidOperation
	}
	s.Version++
	f.settings[app] = s
	return s, nil
}

func (f *fakeStore) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeStore) readsOf(story func()) int {
	f.mu.Lock()
	before := f.reads
	f.mu.Unlock()
	story()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads - before
}

func (f *fakeStore) Absences(_ context.Context, app uint64, users []string) (map[string][]server.Absence, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := map[string][]server.Absence{}
	for _, u := range users {
		all[u] = f.absences[server.UserKey{App: app, User: u}]
	}
	return all, f.err
}

func (f *fakeStore) UpdateAbsences(_ context.Context, keys []server.UserKey, change func(server.UserKey, []server.Absence) []server.Absence) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return f.err
	}
	for _, k := range keys {
		f.absences[k] = change(k, f.absences[k])
	}
	return nil
}

func (f *fakeStore) Import(context.Context, uint64, []string) error { panic("not used") }
func (f *fakeStore) History(context.Context, uint64, int) ([]server.Settings, error) {
	panic("not used")
}
func (f *fakeStore) Actives(context.Context, uint64, server.Day, server.Day) (server.Actives, error) {
	panic("not used")
}
func (f *fakeStore) Forget(uint64, string)      {}
func (f *fakeStore) Ping(context.Context) error { return nil }
func (f *fakeStore) Close() error               { return nil }
