package store

import (
	"context"
	"slices"
	"time"

	"github.com/opentim/tim/server"
)

// Absences implements server.Store.
func (s *Store) Absences(ctx context.Context, app uint64, users []string) (map[string][]server.Absence, error) {
	if len(users) == 0 {
		return nil, nil
	}
	list, err := s.db.Absences(ctx, app, users, time.Now().Add(-server.AbsenceLife))
	if err != nil {
		return nil, failed("absences", err)
	}
	byUser := make(map[string][]server.Absence)
	for key, of := range byKey(list) {
		byUser[key.User] = of
	}
	return byUser, nil
}

// byKey returns the absences of each key, oldest login first.
func byKey(list []Absence) map[server.UserKey][]server.Absence {
	all := make(map[server.UserKey][]server.Absence)
	for _, a := range list {
		all[a.Key] = append(all[a.Key], a.Absence)
	}
	for _, of := range all {
		server.SortAbsences(of)
	}
	return all
}

// UpdateAbsences implements server.Store.
func (s *Store) UpdateAbsences(
	ctx context.Context, keys []server.UserKey, change func(server.UserKey, []server.Absence) []server.Absence,
) error {
	if len(keys) == 0 {
		return nil
	}
	keys = slices.Clone(keys) // a commit may outlive this call
	err := s.writer.do(ctx, &write{weight: len(keys), change: func(tx Tx) error { return updateAbsences(tx, keys, change) }})
	if err != nil {
		return failed("absences", err)
	}
	return nil
}

// noAbsences is what ends all of them.
func noAbsences(server.UserKey, []server.Absence) []server.Absence { return nil }

func updateAbsences(tx Tx, keys []server.UserKey, change func(server.UserKey, []server.Absence) []server.Absence) error {
	list, err := tx.Absences(keys)
	if err != nil {
		return err
	}
	have := byKey(list)
	var gone, set []Absence
	for _, key := range keys {
		before := have[key]
		delete(have, key) // a key that is there twice has nothing left
		after := change(key, slices.Clone(before))
		for _, a := range before {
			if !slices.ContainsFunc(after, func(b server.Absence) bool { return b.Platform == a.Platform && b.Instance == a.Instance }) {
				gone = append(gone, Absence{key, a})
			}
		}
		for _, a := range after {
			a.Since = millis(a.Since)
			if !slices.Contains(before, a) {
				set = append(set, Absence{key, a})
			}
		}
	}
	if len(gone) == 0 && len(set) == 0 {
		return nil
	}
	if err := tx.SetAbsences(gone, set); err != nil {
		return err
	}
	return tx.PruneAbsences(time.Now().Add(-server.AbsenceLife))
}
