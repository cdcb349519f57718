package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

const (
	findSQL = `
		SELECT number, created_ms, banned, banned_until_ms, not_before_ms, deleted,
		  (SELECT substr(bits, number % 4096 / 8 + 1, 1) FROM marks
		   WHERE marks.app = accounts.app AND day = ? AND chunk = number / 4096)
		FROM accounts WHERE app = ? AND user = ? AND NOT deleted`
	settingsSQL = `
		SELECT version, policy, limits, changed_by, changed_ms
		FROM settings WHERE app = ? ORDER BY version DESC LIMIT ?`
	activesSQL = `SELECT chunk, bits FROM marks WHERE app = ? AND day BETWEEN ? AND ?`
)

// Find implements store.Database.
func (d *database) Find(ctx context.Context, key server.UserKey, day server.Day) (server.Account, bool, error) {
	var r row
	var marks []byte // the one byte of the chunk that has the account's bit
	err := d.find.QueryRowContext(ctx, day, int64(key.App), key.User).Scan(append(r.columns(), &marks)...)
	if errors.Is(err, sql.ErrNoRows) {
		return server.Account{}, false, codes.AccountNotFound
	}
	if err != nil {
		return server.Account{}, false, err
	}
	_, _, bit := place(r.number)
	return r.account(), len(marks) == 1 && marks[0]&bit != 0, nil
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
		if s.Policy, s.Limits, err = decodeSettings(policy, limits); err != nil {
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
	union := make(map[int64]*[chunkBytes]byte)
	for rows.Next() {
		var chunk int64
		var marks sql.RawBytes
		if err := rows.Scan(&chunk, &marks); err != nil {
			return a, err
		}
		u := union[chunk]
		if u == nil {
			u = new([chunkBytes]byte)
			union[chunk] = u
		}
		for i, b := range marks[:min(len(marks), chunkBytes)] {
			a.Users += int64(bits.OnesCount8(b &^ u[i]))
			u[i] |= b
		}
	}
	return a, rows.Err()
}

// encodeSettings returns a policy and limits as the database has them: by name, so that they can be read there.
func encodeSettings(s server.Settings) (policy, limits string, err error) {
	byName := make(map[string]int, len(s.Limits))
	for p, n := range s.Limits {
		byName[p.String()] = n
	}
	text, err := json.Marshal(byName)
	return s.Policy.String(), string(text), err
}

func decodeSettings(policy, limits string) (codes.Policy, map[codes.Platform]int, error) {
	p, ok := codes.ParsePolicy(policy)
	if !ok {
		return 0, nil, fmt.Errorf("policy %q is not known", policy)
	}
	var byName map[string]int
	if err := json.Unmarshal([]byte(limits), &byName); err != nil || len(byName) == 0 {
		return p, nil, err
	}
	byPlatform := make(map[codes.Platform]int, len(byName))
	for name, n := range byName {
		platform, ok := codes.ParsePlatform(name)
		if !ok {
			return 0, nil, fmt.Errorf("platform %q is not known", name)
		}
		byPlatform[platform] = n
	}
	return p, byPlatform, nil
}
