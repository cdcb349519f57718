package sqlite

import (
	"database/sql"
	"time"

	"github.com/opentim/tim/server"
)

// A row is a row of accounts, without its key.
type row struct {
	number                 int64
	created                int64
	banned                 bool
	bannedUntil, notBefore sql.NullInt64
	deleted                bool
}

// columns returns where the columns go, in the order of the SELECTs.
func (r *row) columns() []any {
	return []any{&r.number, &r.created, &r.banned, &r.bannedUntil, &r.notBefore, &r.deleted}
}

func (r *row) account() server.Account {
	return server.Account{
		CreatedAt:   time.UnixMilli(r.created).UTC(),
		Banned:      r.banned,
		BannedUntil: fromMillis(r.bannedUntil),
		NotBefore:   fromMillis(r.notBefore),
	}
}

// The zero time is NULL.

func fromMillis(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}

func toMillis(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}
