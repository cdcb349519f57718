// Package format is what the tables of all SQL engines have in common: how an account, its marks and an app's settings look
// in them.
package format

import (
	"database/sql"
	"time"

	"github.com/opentim/tim/server"
)

// A Row is a row of accounts, without its key. Times are Unix milliseconds; the zero time is NULL.
type Row struct {
	Number                 int64
	Created                int64
	Banned                 bool
	BannedUntil, NotBefore sql.NullInt64
	Deleted                bool
}

// RowColumns are the columns of a Row.
const RowColumns = "number, created_ms, banned, banned_until_ms, not_before_ms, deleted"

// Columns returns where the RowColumns go.
func (r *Row) Columns() []any {
	return []any{&r.Number, &r.Created, &r.Banned, &r.BannedUntil, &r.NotBefore, &r.Deleted}
}

// Account returns what a Row says: of a deleted account only its NotBefore, and of a Row that is nil, nothing.
func (r *Row) Account() server.Account {
	switch {
	case r == nil:
		return server.Account{}
	case r.Deleted:
		return server.Account{NotBefore: fromMillis(r.NotBefore)}
	}
	return server.Account{
		CreatedAt:   time.UnixMilli(r.Created).UTC(),
		Banned:      r.Banned,
		BannedUntil: fromMillis(r.BannedUntil),
		NotBefore:   fromMillis(r.NotBefore),
	}
}

func fromMillis(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

// Millis returns a time as a Row has it.
func Millis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}
