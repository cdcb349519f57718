package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store/internal/format"
)

const (
	settingsSQL = `
		SELECT version, policy, limits, changed_by, changed_ms
		FROM settings WHERE app = ? ORDER BY version DESC LIMIT ?`
	activesSQL = `SELECT chunk, bits FROM marks WHERE app = ? AND day BETWEEN ? AND ?`
)

// Find implements store.Database. Between the account and its marks a commit may come. If it deletes the account, it is this
// login that came first; if it makes it again, too, there are marks of a later login, and nothing is lost.
func (d *database) Find(ctx context.Context, key server.UserKey, day server.Day) (a server.Account, marked bool, err error) {
	err = d.lookups.use(ctx, func(l *lookup) error {
		r, err := l.row(key)
		if err != nil {
			return err
		}
		a = r.Account()
		if r == nil || r.Deleted {
			return codes.AccountNotFound
		}
		marked, err = d.marked(l, key.App, day, r.Number)
		return err
	})
	return a, marked, err
}

func (d *database) marked(l *lookup, app uint64, day server.Day, number int64) (bool, error) {
	n, index, bit := format.Place(number)
	key := format.ChunkKey{App: app, Day: day, Chunk: n}
	marked, known, commits := d.recent.marked(key, number)
	if known {
		return marked, nil
	}
	err := l.chunk(key, func(marks []byte) {
		marked = index < len(marks) && marks[index]&bit != 0
		d.recent.keep(key, marks, commits)
	})
	return marked, err
}

// Settings implements store.Database.
func (d *database) Settings(ctx context.Context, app uint64) (server.Settings, error) {
	list, err := history(ctx, d.reading, app, 1)
	if err != nil {
		return server.Settings{}, err
	}
	if len(list) == 0 {
		return server.DefaultSettings(), nil
	}
	return list[0], nil
}

// History implements store.Database.
func (d *database) History(ctx context.Context, app uint64, limit int) ([]server.Settings, error) {
	return history(ctx, d.reports, app, limit)
}

func history(ctx context.Context, db *sql.DB, app uint64, limit int) ([]server.Settings, error) {
	rows, err := db.QueryContext(ctx, settingsSQL, int64(app), limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []server.Settings
	for rows.Next() {
		var s server.Settings
		var policy, limits string
		var changed int64
		if err := rows.Scan(&s.Version, &policy, &limits, &s.ChangedBy, &changed); err != nil {
			return nil, err
		}
		s.ChangedAt = time.UnixMilli(changed).UTC()
		if s.Policy, s.Limits, err = format.DecodeSettings(policy, limits); err != nil {
			return nil, fmt.Errorf("version %d of the settings of app %d: %w", s.Version, app, err)
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

// Actives implements store.Database: it lays the marks of the days over each other and counts the bits.
func (d *database) Actives(ctx context.Context, app uint64, from, to server.Day) (server.Actives, error) {
	a := server.Actives{From: from, To: to}
	rows, err := d.reports.QueryContext(ctx, activesSQL, int64(app), from, to)
	if err != nil {
		return a, err
	}
	defer rows.Close()
	var union format.Union
	for rows.Next() {
		var chunk int64
		var marks sql.RawBytes
		if err := rows.Scan(&chunk, &marks); err != nil {
			return a, err
		}
		union.Add(chunk, marks)
	}
	a.Users = union.Accounts
	return a, rows.Err()
}
