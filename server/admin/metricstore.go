package admin

import (
	"context"
	"errors"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// Store returns s with its writes timed and its failures counted.
func (m *Metrics) Store(s server.Store) server.Store { return measuredStore{s, m} }

type measuredStore struct {
	server.Store
	m *Metrics
}

// wrote notes a write that began then. An answer such as that an account is not there is no failure.
func (s measuredStore) wrote(operation string, began time.Time, err error) {
	if s.failed(operation, err) {
		return
	}
	s.m.commits.WithLabelValues(operation).Observe(time.Since(began).Seconds())
}

func (s measuredStore) failed(operation string, err error) bool {
	bad := err != nil && !errors.Is(err, codes.AccountNotFound) && !errors.Is(err, codes.InvalidOperation)
	if bad {
		s.m.storeErrors.WithLabelValues(operation).Inc()
	}
	return bad
}

func (s measuredStore) Arrive(ctx context.Context, key server.UserKey, day server.Day, may func(server.Account) bool) (server.Arrival, error) {
	began := time.Now()
	arrival, err := s.Store.Arrive(ctx, key, day, may)
	if arrival.New || arrival.FirstToday || err != nil { // others wrote nothing
		s.wrote("arrive", began, err)
	}
	return arrival, err
}

func (s measuredStore) Account(ctx context.Context, key server.UserKey) (server.Account, error) {
	account, err := s.Store.Account(ctx, key)
	s.failed("account", err)
	return account, err
}

func (s measuredStore) Import(ctx context.Context, app uint64, users []string) error {
	began := time.Now()
	err := s.Store.Import(ctx, app, users)
	s.wrote("import", began, err)
	return err
}

func (s measuredStore) Delete(ctx context.Context, key server.UserKey, at time.Time) error {
	began := time.Now()
	err := s.Store.Delete(ctx, key, at)
	s.wrote("delete", began, err)
	return err
}

func (s measuredStore) Ban(ctx context.Context, key server.UserKey, until time.Time) error {
	began := time.Now()
	err := s.Store.Ban(ctx, key, until)
	s.wrote("ban", began, err)
	return err
}

func (s measuredStore) Unban(ctx context.Context, key server.UserKey) error {
	began := time.Now()
	err := s.Store.Unban(ctx, key)
	s.wrote("unban", began, err)
	return err
}

func (s measuredStore) Revoke(ctx context.Context, key server.UserKey, at time.Time) error {
	began := time.Now()
	err := s.Store.Revoke(ctx, key, at)
	s.wrote("revoke", began, err)
	return err
}

func (s measuredStore) Absences(ctx context.Context, app uint64, users []string) (map[string][]server.Absence, error) {
	all, err := s.Store.Absences(ctx, app, users)
	s.failed("absences", err)
	return all, err
}

func (s measuredStore) UpdateAbsences(
	ctx context.Context, keys []server.UserKey, change func(server.UserKey, []server.Absence) []server.Absence,
) error {
	began := time.Now()
	err := s.Store.UpdateAbsences(ctx, keys, change)
	s.wrote("update_absences", began, err)
	return err
}

func (s measuredStore) SetSettings(ctx context.Context, app uint64, to server.Settings) (server.Settings, error) {
	began := time.Now()
	stored, err := s.Store.SetSettings(ctx, app, to)
	s.wrote("set_settings", began, err)
	return stored, err
}
