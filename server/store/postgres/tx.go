package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

// A tx is a store.Tx. It holds the lock, so what it reads stays as it is. Marks, the counts of accounts and the list of
// changes are written at its end.
type tx struct {
	pgx.Tx
	ctx     context.Context
	marked  map[format.ChunkKey]*format.Chunk
	numbers map[uint64]int64 // by app, how many accounts are numbered, where that changed
	changed []store.Changed
}

var _ store.Tx = (*tx)(nil)

const (
	changeSQL = `UPDATE accounts SET banned = $1, banned_until_ms = $2, not_before_ms = $3, deleted = $4
		WHERE app = $5 AND user_id = $6`
	setSettingsSQL = `INSERT INTO settings (app, version, policy, limits, changed_by, changed_ms)
		SELECT $1, $2 + 1, $3, $4, $5, $6
		WHERE $2 = (SELECT coalesce(max(version), 0) FROM settings WHERE app = $1)`
)

// Arrive implements store.Tx.
func (t *tx) Arrive(logins []*store.Arrive) error {
	keys := make([]server.UserKey, len(logins))
	for i, l := range logins {
		keys[i] = l.Key
	}
	rows, err := t.rows(keys)
	if err != nil {
		return err
	}
	var all []wanted
	var let []*store.Arrive
	for _, l := range logins {
		if l.Meets(rows[l.Key].Account()) {
			let = append(let, l)
			all = append(all, wanted{l.Key, l.At})
		}
	}
	made, err := t.ensure(all, rows)
	if err != nil {
		return err
	}
	return t.arrive(let, rows, made)
}

// arrive marks the days of logins whose accounts are there.
func (t *tx) arrive(logins []*store.Arrive, rows map[server.UserKey]*format.Row, made map[server.UserKey]bool) error {
	places := make([]format.ChunkKey, len(logins))
	for i, l := range logins {
		n, _, _ := format.Place(rows[l.Key].Number)
		places[i] = format.ChunkKey{App: l.Key.App, Day: l.Day, Chunk: n}
	}
	if err := t.load(places); err != nil {
		return err
	}
	for i, l := range logins {
		r := rows[l.Key]
		l.Result = server.Arrival{
			Account:    r.Account(),
			New:        made[l.Key],
			FirstToday: t.marked[places[i]].Mark(r.Number, true),
		}
		delete(made, l.Key) // it is new once
	}
	return nil
}

// Import implements store.Tx.
func (t *tx) Import(app uint64, users []string, at time.Time) error {
	keys := make([]server.UserKey, len(users))
	all := make([]wanted, len(users))
	for i, user := range users {
		keys[i] = server.UserKey{App: app, User: user}
		all[i] = wanted{keys[i], at}
	}
	rows, err := t.rows(keys)
	if err == nil {
		_, err = t.ensure(all, rows)
	}
	return err
}

// Change implements store.Tx.
func (t *tx) Change(key server.UserKey, change func(*server.Account)) error {
	return format.Change(t, key, change)
}

// Delete implements store.Tx.
func (t *tx) Delete(key server.UserKey, at time.Time) error { return format.Delete(t, key, at) }

// SetSettings implements store.Tx.
func (t *tx) SetSettings(app uint64, s server.Settings) (server.Settings, error) {
	policy, limits, err := format.EncodeSettings(s)
	if err != nil {
		return s, err
	}
	done, err := t.Exec(t.ctx, setSettingsSQL, int64(app), s.Version, policy, limits, s.ChangedBy, s.ChangedAt.UnixMilli())
	if err != nil {
		return s, err
	}
	if done.RowsAffected() == 0 {
		return s, codes.InvalidOperation
	}
	s.Version++
	t.changed = append(t.changed, store.Changed{App: app})
	return s, nil
}

// Row implements format.Rows.
func (t *tx) Row(key server.UserKey) (*format.Row, error) {
	rows, err := t.rows([]server.UserKey{key})
	return rows[key], err
}

// Write implements format.Rows.
func (t *tx) Write(key server.UserKey, a server.Account, deleted bool) error {
	t.changed = append(t.changed, store.Changed{App: key.App, User: key.User})
	_, err := t.Exec(t.ctx, changeSQL, a.Banned, format.Millis(a.BannedUntil), format.Millis(a.NotBefore), deleted,
		int64(key.App), key.User)
	return err
}
