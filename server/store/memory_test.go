package store

import (
	"context"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// memory is a Database of plain maps. A test can set what happens in the middle of things.
type memory struct {
	writing sync.Mutex // held by Update, as several stores may share it
	mu      sync.Mutex // guards state
	state   *state

	finds, commits atomic.Int64
	found          func()       // after the read of a Find, before it returns
	commit         func() error // before the commit of an Update, which may fail
	committed      func()       // after the commit of an Update, before it returns
}

type state struct {
	accounts map[server.UserKey]row
	marks    map[dayKey]bool
	settings map[uint64][]server.Settings // newest first
	absences []Absence
}

type row struct {
	server.Account
	deleted bool
}

type dayKey struct {
	server.UserKey
	server.Day
}

func newMemory() *memory {
	return &memory{
		state:     &state{map[server.UserKey]row{}, map[dayKey]bool{}, map[uint64][]server.Settings{}, nil},
		found:     func() {},
		commit:    func() error { return nil },
		committed: func() {},
	}
}

func (m *memory) read() *state {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state // never changed, only replaced
}

func (m *memory) Find(_ context.Context, key server.UserKey, day server.Day) (server.Account, bool, error) {
	m.finds.Add(1)
	s := m.read()
	m.found()
	r, ok := s.accounts[key]
	if !ok || r.deleted {
		return s.account(key), false, codes.AccountNotFound
	}
	return r.Account, s.marks[dayKey{key, day}], nil
}

func (m *memory) Settings(_ context.Context, app uint64) (server.Settings, error) {
	m.finds.Add(1)
	if list := m.read().settings[app]; len(list) > 0 {
		return list[0], nil
	}
	return server.DefaultSettings(), nil
}

func (m *memory) History(_ context.Context, app uint64, limit int) ([]server.Settings, error) {
	list := m.read().settings[app]
	return list[:min(limit, len(list))], nil
}

func (m *memory) Actives(_ context.Context, app uint64, from, to server.Day) (server.Actives, error) {
	users := map[string]bool{}
	for k := range m.read().marks {
		if k.App == app && from <= k.Day && k.Day <= to {
			users[k.User] = true
		}
	}
	return server.Actives{From: from, To: to, Users: int64(len(users))}, nil
}

func (m *memory) Absences(_ context.Context, app uint64, users []string, after time.Time) (list []Absence, err error) {
	for _, a := range m.read().absences {
		if a.Key.App == app && slices.Contains(users, a.Key.User) && a.Since.After(after) {
			list = append(list, a)
		}
	}
	return list, nil
}

func (m *memory) Update(change func(Tx) error) error {
	err := m.update(change)
	m.committed()
	return err
}

func (m *memory) update(change func(Tx) error) error {
	m.writing.Lock()
	defer m.writing.Unlock()
	s := m.read()
	s = &state{maps.Clone(s.accounts), maps.Clone(s.marks), maps.Clone(s.settings), slices.Clone(s.absences)}
	if err := change(s); err != nil {
		return err
	}
	if err := m.commit(); err != nil {
		return err
	}
	m.commits.Add(1)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = s
	return nil
}

func (m *memory) Ping(context.Context) error { return nil }
func (m *memory) Close() error               { return nil }

func (s *state) Arrive(logins []*Arrive) error {
	for _, l := range logins {
		if !l.Meets(s.account(l.Key)) {
			continue
		}
		made := s.ensure(l.Key, l.At)
		k := dayKey{l.Key, l.Day}
		l.Result = server.Arrival{Account: s.accounts[l.Key].Account, New: made, FirstToday: !s.marks[k]}
		s.marks[k] = true
	}
	return nil
}

// account is what Find returns: of a deleted account only its NotBefore.
func (s *state) account(key server.UserKey) server.Account {
	r := s.accounts[key]
	if r.deleted {
		return server.Account{NotBefore: r.NotBefore}
	}
	return r.Account
}

func (s *state) Import(app uint64, users []string, at time.Time) error {
	for _, user := range users {
		s.ensure(server.UserKey{App: app, User: user}, at)
	}
	return nil
}

func (s *state) ensure(key server.UserKey, at time.Time) (made bool) {
	r, ok := s.accounts[key]
	if ok && !r.deleted {
		return false
	}
	s.accounts[key] = row{Account: server.Account{CreatedAt: at, NotBefore: r.NotBefore}}
	return true
}

func (s *state) Change(key server.UserKey, change func(*server.Account)) error {
	r, ok := s.accounts[key]
	if !ok || r.deleted {
		return codes.AccountNotFound
	}
	change(&r.Account)
	s.accounts[key] = r
	return nil
}

func (s *state) Delete(key server.UserKey, at time.Time) error {
	err := s.Change(key, func(a *server.Account) {
		if at.After(a.NotBefore) {
			a.NotBefore = at
		}
	})
	if err != nil {
		return err
	}
	r := s.accounts[key]
	r.deleted = true
	s.accounts[key] = r
	maps.DeleteFunc(s.marks, func(k dayKey, _ bool) bool { return k.UserKey == key })
	return nil
}

func (s *state) SetSettings(app uint64, set server.Settings) (server.Settings, error) {
	list := s.settings[app]
	if set.Version != int64(len(list)) {
		return set, codes.InvalidOperation
	}
	set.Version++
	s.settings[app] = slices.Concat([]server.Settings{set}, list)
	return set, nil
}

func (s *state) Absences(keys []server.UserKey) (list []Absence, err error) {
	for _, a := range s.absences {
		if slices.Contains(keys, a.Key) {
			list = append(list, a)
		}
	}
	return list, nil
}

func (s *state) SetAbsences(gone, set []Absence) error {
	for _, a := range slices.Concat(gone, set) {
		s.absences = slices.DeleteFunc(s.absences, func(b Absence) bool {
			return b.Key == a.Key && b.Platform == a.Platform && b.Instance == a.Instance
		})
	}
	s.absences = append(s.absences, set...)
	return nil
}

func (s *state) PruneAbsences(before time.Time) error {
	s.absences = slices.DeleteFunc(s.absences, func(a Absence) bool { return a.Since.Before(before) })
	return nil
}
