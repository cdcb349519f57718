package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

const (
	absencesSQL = `SELECT app, user_id, platform, instance, login_seq, since_ms FROM absences
		WHERE app = $1 AND user_id = ANY ($2) AND since_ms > $3`
	absencesOfSQL = `SELECT app, user_id, platform, instance, login_seq, since_ms
		FROM unnest($1::bigint[], $2::text[]) AS wanted (app, user_id) JOIN absences USING (app, user_id)`
	returnedSQL = `DELETE FROM absences USING unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[]) AS gone (app, user_id, platform, instance)
		WHERE (absences.app, absences.user_id, absences.platform, absences.instance) = (gone.app, gone.user_id, gone.platform, gone.instance)`
	absentSQL = `INSERT INTO absences (app, user_id, platform, instance, login_seq, since_ms)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::bigint[])
		ON CONFLICT (app, user_id, platform, instance) DO UPDATE SET login_seq = excluded.login_seq, since_ms = excluded.since_ms`
	pruneAbsencesSQL = `DELETE FROM absences WHERE (app, user_id, platform, instance) IN
		(SELECT app, user_id, platform, instance FROM absences WHERE since_ms < $1 ORDER BY since_ms LIMIT 1000)`
)

// Absences implements store.Database.
func (d *database) Absences(ctx context.Context, app uint64, users []string, after time.Time) (list []store.Absence, err error) {
	err = d.read(ctx, func(ctx context.Context) error {
		rows, err := d.reading.Query(ctx, absencesSQL, int64(app), users, after.UnixMilli())
		if err == nil {
			list, err = collectAbsences(rows)
		}
		return err
	})
	return list, err
}

func collectAbsences(rows pgx.Rows) (list []store.Absence, err error) {
	var a format.Absence
	_, err = pgx.ForEachRow(rows, []any{&a.App, &a.User, &a.Platform, &a.Instance, &a.LoginSeq, &a.Since}, func() error {
		list = a.AppendTo(list)
		return nil
	})
	return list, err
}

// Absences implements store.Tx.
func (t *tx) Absences(keys []server.UserKey) ([]store.Absence, error) {
	var c columns
	for _, key := range keys {
		c.apps, c.users = append(c.apps, int64(key.App)), append(c.users, key.User)
	}
	rows, err := t.Query(t.ctx, absencesOfSQL, c.apps, c.users)
	if err != nil {
		return nil, err
	}
	return collectAbsences(rows)
}

// SetAbsences implements store.Tx.
func (t *tx) SetAbsences(gone, set []store.Absence) error {
	var b pgx.Batch
	if c := absenceColumns(gone); len(gone) > 0 {
		b.Queue(returnedSQL, c.apps, c.users, c.platforms, c.instances)
	}
	if c := absenceColumns(set); len(set) > 0 {
		b.Queue(absentSQL, c.apps, c.users, c.platforms, c.instances, c.numbers, c.created)
	}
	return t.send(&b)
}

// columnsOfAbsences are how absences are sent: numbers are their LoginSeqs, created is when they began.
type columnsOfAbsences struct {
	columns
	platforms []string
	instances [][]byte
}

func absenceColumns(list []store.Absence) (c columnsOfAbsences) {
	for _, one := range list {
		a := format.NewAbsence(one)
		c.apps, c.users = append(c.apps, a.App), append(c.users, a.User)
		c.platforms, c.instances = append(c.platforms, a.Platform), append(c.instances, a.Instance)
		c.numbers, c.created = append(c.numbers, a.LoginSeq), append(c.created, a.Since)
	}
	return c
}

// PruneAbsences implements store.Tx.
func (t *tx) PruneAbsences(before time.Time) error {
	_, err := t.Exec(t.ctx, pruneAbsencesSQL, before.UnixMilli())
	return err
}
