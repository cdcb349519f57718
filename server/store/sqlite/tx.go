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
		r, made, err := t.ensure(l.Key, l.At)
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
		if _, _, err := t.ensure(server.UserKey{App: app, User: user}, at); err != nil {
			return err
		}
	}
	return nil
}

// Change implements store.Tx.
func (t *tx) Change(key server.UserKey, change func(*server.Account)) error {
	r, err := t.present(key)
	if err != nil {
		return err
	}
	a := r.Account()
	if change(&a); a == r.Account() {
		return nil
	}
	return t.write(key, a, false)
}

// Delete implements store.Tx.
func (t *tx) Delete(key server.UserKey, at time.Time) error {
	r, err := t.present(key)
	if err != nil {
		return err
	}
	if err := t.unmark(key.App, r.Number); err != nil {
		return err
	}
	stone := server.Account{NotBefore: r.Account().NotBefore}
	if at.After(stone.NotBefore) {
		stone.NotBefore = at
	}
	return t.write(key, stone, true)
}

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

// ensure returns the account of a user and makes it if there is none.
func (t *tx) ensure(key server.UserKey, at time.Time) (r format.Row, made bool, err error) {
	r, err = t.row(key)
	switch {
	case err == nil && !r.Deleted:
		return r, false, nil
	case err == nil:
		r.Created, r.Deleted = at.UnixMilli(), false
		_, err = t.revive.Exec(r.Created, int64(key.App), key.User)
		return r, true, err
	case !errors.Is(err, sql.ErrNoRows):
		return r, false, err
	}
	r.Created = at.UnixMilli()
	if r.Number, err = t.number(key.App); err != nil {
		return r, false, err
	}
	_, err = t.insert.Exec(int64(key.App), key.User, r.Number, r.Created)
	return r, true, err
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

// present returns the row of an account; the error is codes.AccountNotFound if there is none.
func (t *tx) present(key server.UserKey) (format.Row, error) {
	r, err := t.row(key)
	if errors.Is(err, sql.ErrNoRows) || err == nil && r.Deleted {
		return r, codes.AccountNotFound
	}
	return r, err
}

func (t *tx) row(key server.UserKey) (r format.Row, err error) {
	err = t.account.QueryRow(int64(key.App), key.User).Scan(r.Columns()...)
	return r, err
}

func (t *tx) write(key server.UserKey, a server.Account, deleted bool) error {
	_, err := t.change.Exec(a.Banned, format.Millis(a.BannedUntil), format.Millis(a.NotBefore), deleted, int64(key.App), key.User)
	return err
}
