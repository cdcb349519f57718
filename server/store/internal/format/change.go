package format

import (
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// Rows are what a transaction of an engine reads and writes of single accounts.
type Rows interface {
	// Row returns an account's row, or nil if there is none.
	Row(key server.UserKey) (*Row, error)
	// Write replaces what can change of a row.
	Write(key server.UserKey, a server.Account, deleted bool) error
	// Unmark clears an account's marks on every day.
	Unmark(app uint64, number int64) error
}

// Change is store.Tx's.
func Change(t Rows, key server.UserKey, change func(*server.Account)) error {
	r, err := present(t, key)
	if err != nil {
		return err
	}
	a := r.Account()
	if change(&a); a == r.Account() {
		return nil
	}
	return t.Write(key, a, false)
}

// Delete is store.Tx's.
func Delete(t Rows, key server.UserKey, at time.Time) error {
	r, err := present(t, key)
	if err != nil {
		return err
	}
	if err := t.Unmark(key.App, r.Number); err != nil {
		return err
	}
	stone := server.Account{NotBefore: r.Account().NotBefore}
	if at.After(stone.NotBefore) {
		stone.NotBefore = at
	}
	return t.Write(key, stone, true)
}

// present returns the row of an account; the error is codes.AccountNotFound if there is none, or it was deleted.
func present(t Rows, key server.UserKey) (*Row, error) {
	r, err := t.Row(key)
	if err == nil && (r == nil || r.Deleted) {
		err = codes.AccountNotFound
	}
	return r, err
}
