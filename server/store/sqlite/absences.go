package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

const (
	absencesSQL = `SELECT user, platform, instance, login_seq, since_ms FROM absences
		WHERE app = ? AND user IN (SELECT value FROM json_each(?)) AND since_ms > ?`
	absencesOfSQL = `SELECT user, platform, instance, login_seq, since_ms FROM absences WHERE app = ? AND user = ?`
	pruneSQL      = `DELETE FROM absences WHERE (app, user, platform, instance) IN
		(SELECT app, user, platform, instance FROM absences WHERE since_ms < ? ORDER BY since_ms LIMIT 1000)`
)

// Absences implements store.Database.
func (d *database) Absences(ctx context.Context, app uint64, users []string, after time.Time) ([]store.Absence, error) {
	names, err := json.Marshal(users)
	if err != nil {
		return nil, err
	}
	rows, err := d.reading.QueryContext(ctx, absencesSQL, int64(app), string(names), after.UnixMilli())
	if err != nil {
		return nil, err
	}
	return scanAbsences(nil, app, rows)
}

func scanAbsences(list []store.Absence, app uint64, rows *sql.Rows) ([]store.Absence, error) {
	defer rows.Close()
	for rows.Next() {
		a := format.Absence{App: int64(app)}
		if err := rows.Scan(&a.User, &a.Platform, &a.Instance, &a.LoginSeq, &a.Since); err != nil {
			return nil, err
		}
		list = a.AppendTo(list)
	}
	return list, rows.Err()
}

// Absences implements store.Tx.
func (t *tx) Absences(keys []server.UserKey) (list []store.Absence, err error) {
	for _, key := range keys {
		rows, err := t.absences.Query(int64(key.App), key.User)
		if err != nil {
			return nil, err
		}
		if list, err = scanAbsences(list, key.App, rows); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// SetAbsences implements store.Tx.
func (t *tx) SetAbsences(gone, set []store.Absence) error {
	for _, one := range gone {
		a := format.NewAbsence(one)
		if _, err := t.returned.Exec(a.App, a.User, a.Platform, a.Instance); err != nil {
			return err
		}
	}
	for _, one := range set {
		a := format.NewAbsence(one)
		if _, err := t.absent.Exec(a.App, a.User, a.Platform, a.Instance, a.LoginSeq, a.Since); err != nil {
			return err
		}
	}
	return nil
}

// PruneAbsences implements store.Tx.
func (t *tx) PruneAbsences(before time.Time) error {
	_, err := t.prune.Exec(before.UnixMilli())
	return err
}
