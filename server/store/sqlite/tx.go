package sqlite

import (
	"database/sql"
	"errors"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

// A tx is a store.Tx: the transaction that is open on the writer's connection.
type tx struct {
	*writer
	marked  map[format.ChunkKey]*format.Chunk
	numbers map[uint64]int64 // by app, how many accounts are numbered, where that changed
}

var _ store.Tx = (*tx)(nil)

// Arrive implements store.Tx.
func (t *tx) Arrive(logins []*store.Arrive) error {
	for _, l := range logins {
		r, err := t.Row(l.Key)
		if err != nil {
			return err
		}
		if !l.Meets(r.Account()) {
			continue
		}
		r, made, err := t.ensure(l.Key, r, l.At)
		if err != nil {
			return err
		}
		first, err := t.mark(l.Key.App, l.Day, r.Number, true)
		if err != nil {
			return err
		}
		l.Result = server.Arrival{Account: r.Account(), New: made, FirstToday: first}
	}
	return nil
}

// Import implements store.Tx.
func (t *tx) Import(app uint64, users []string, at time.Time) error {
	for _, user := range users {
		key := server.UserKey{App: app, User: user}
		r, err := t.Row(key)
		if err == nil {
			_, _, err = t.ensure(key, r, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
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
	done, err := t.settings.Exec(int64(app), s.Version, policy, limits, s.ChangedBy, s.ChangedAt.UnixMilli())
	if err != nil {
		return s, err
	}
	n, err := done.RowsAffected()
	if err != nil {
		return s, err
	}
	if n == 0 {
		return s, codes.InvalidOperation
	}
	s.Version++
	return s, nil
}

// ensure returns the account of a user, of whom r is known so far, and makes it if there is none.
func (t *tx) ensure(key server.UserKey, r *format.Row, at time.Time) (_ *format.Row, made bool, err error) {
	switch {
	case r == nil:
		r = &format.Row{Created: at.UnixMilli()}
		if r.Number, err = t.number(key.App); err == nil {
			_, err = t.insert.Exec(int64(key.App), key.User, r.Number, r.Created)
		}
		return r, true, err
	case r.Deleted:
		r.Created, r.Deleted = at.UnixMilli(), false
		_, err = t.revive.Exec(r.Created, int64(key.App), key.User)
		return r, true, err
	}
	return r, false, nil
}

// number returns the number of a new account.
func (t *tx) number(app uint64) (int64, error) {
	n, ok := t.numbers[app]
	if !ok {
		err := t.numbered.QueryRow(int64(app)).Scan(&n)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return 0, err
		}
	}
	t.numbers[app] = n + 1
	return n, nil
}

// Row implements format.Rows.
func (t *tx) Row(key server.UserKey) (*format.Row, error) {
	r := new(format.Row)
	err := t.account.QueryRow(int64(key.App), key.User).Scan(r.Columns()...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// Write implements format.Rows.
func (t *tx) Write(key server.UserKey, a server.Account, deleted bool) error {
	_, err := t.change.Exec(a.Banned, format.Millis(a.BannedUntil), format.Millis(a.NotBefore), deleted, int64(key.App), key.User)
	return err
}
