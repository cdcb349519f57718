package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

const (
	findSQL = `SELECT ` + format.RowColumns + `,
		  (SELECT substr(bits, (number % 4096 / 8 + 1)::integer, 1) FROM marks
		   WHERE marks.app = accounts.app AND day = $1 AND chunk = number / 4096)
		FROM accounts WHERE app = $2 AND user_id = $3`
	settingsSQL = `
		SELECT version, policy, limits, changed_by, changed_ms
		FROM settings WHERE app = $1 ORDER BY version DESC LIMIT $2`
	activesSQL = `SELECT chunk, bits FROM marks WHERE app = $1 AND day BETWEEN $2 AND $3`

	// The time at which the server started tells it from the one that takes over after a failover.
	changesSQL = `
		SELECT extract(epoch FROM pg_postmaster_start_time())::text, seq, app, user_id
		FROM changes WHERE seq >= $1 ORDER BY seq`
	newestSQL = `SELECT extract(epoch FROM pg_postmaster_start_time())::text, max(seq) FROM changes`
)

// read runs what a login waits for.
func (d *database) read(ctx context.Context, f func(context.Context) error) error {
	return limited(ctx, readTime, func(ctx context.Context) error {
		return again(ctx, d.reading, func() error { return f(ctx) })
	})
}

// report runs what nobody's login waits for.
func (d *database) report(ctx context.Context, f func(context.Context) error) error {
	return limited(ctx, reportTime, func(ctx context.Context) error {
		return again(ctx, d.reports, func() error { return f(ctx) })
	})
}

// Find implements store.Database.
func (d *database) Find(ctx context.Context, key server.UserKey, day server.Day) (server.Account, bool, error) {
	var r format.Row
	var marks []byte // the one byte of the chunk that has the account's bit
	err := d.read(ctx, func(ctx context.Context) error {
		return d.reading.QueryRow(ctx, findSQL, int32(day), int64(key.App), key.User).Scan(append(r.Columns(), &marks)...)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return server.Account{}, false, codes.AccountNotFound
	}
	if err != nil {
		return server.Account{}, false, err
	}
	if r.Deleted {
		return r.Account(), false, codes.AccountNotFound
	}
	_, _, bit := format.Place(r.Number)
	return r.Account(), len(marks) == 1 && marks[0]&bit != 0, nil
}

// Settings implements store.Database.
func (d *database) Settings(ctx context.Context, app uint64) (set server.Settings, err error) {
	err = d.read(ctx, func(ctx context.Context) error {
		list, err := history(ctx, d.reading, app, 1)
		if err != nil {
			return err
		}
		set = server.DefaultSettings()
		if len(list) > 0 {
			set = list[0]
		}
		return nil
	})
	return set, err
}

// History implements store.Database.
func (d *database) History(ctx context.Context, app uint64, limit int) (list []server.Settings, err error) {
	err = d.report(ctx, func(ctx context.Context) (err error) {
		list, err = history(ctx, d.reports, app, limit)
		return err
	})
	return list, err
}

func history(ctx context.Context, pool *pgxpool.Pool, app uint64, limit int) ([]server.Settings, error) {
	rows, err := pool.Query(ctx, settingsSQL, int64(app), limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (s server.Settings, err error) {
		var policy, limits string
		var changed int64
		if err := row.Scan(&s.Version, &policy, &limits, &s.ChangedBy, &changed); err != nil {
			return s, err
		}
		s.ChangedAt = time.UnixMilli(changed).UTC()
		if s.Policy, s.Limits, err = format.DecodeSettings(policy, limits); err != nil {
			err = fmt.Errorf("version %d of the settings of app %d: %w", s.Version, app, err)
		}
		return s, err
	})
}

// Actives implements store.Database: it lays the marks of the days over each other and counts the bits.
func (d *database) Actives(ctx context.Context, app uint64, from, to server.Day) (server.Actives, error) {
	a := server.Actives{From: from, To: to}
	err := d.report(ctx, func(ctx context.Context) error {
		rows, err := d.reports.Query(ctx, activesSQL, int64(app), int32(from), int32(to))
		if err != nil {
			return err
		}
		var union format.Union
		var chunk int64
		var marks pgtype.DriverBytes
		_, err = pgx.ForEachRow(rows, []any{&chunk, &marks}, func() error {
			union.Add(chunk, marks)
			return nil
		})
		a.Users = union.Accounts
		return err
	})
	return a, err
}

// Changes implements store.Shared.
func (d *database) Changes(ctx context.Context, since store.Point) (changed []store.Changed, now store.Point, all bool, err error) {
	err = d.read(ctx, func(ctx context.Context) error {
		if since.Epoch != "" {
			changed, now, err = d.changes(ctx, since)
			if err != nil || now.Epoch == since.Epoch {
				return err
			}
		}
		changed, all = nil, true
		return d.reading.QueryRow(ctx, newestSQL).Scan(&now.Epoch, &now.Seq)
	})
	return changed, now, all, err
}

// changes returns what comes after since, or nothing with the zero Point if since is not in this server's list.
func (d *database) changes(ctx context.Context, since store.Point) ([]store.Changed, store.Point, error) {
	rows, err := d.reading.Query(ctx, changesSQL, since.Seq)
	if err != nil {
		return nil, store.Point{}, err
	}
	var changed []store.Changed
	var at, now store.Point
	var app int64
	var user string
	_, err = pgx.ForEachRow(rows, []any{&at.Epoch, &at.Seq, &app, &user}, func() error {
		if at == since {
			now = since
		} else if now.Epoch == at.Epoch {
			now = at
			changed = append(changed, store.Changed{App: uint64(app), User: user})
		}
		return nil
	})
	return changed, now, err
}
