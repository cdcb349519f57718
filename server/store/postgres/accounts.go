package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store/internal/format"
)

const (
	accountsSQL = `SELECT app, user_id, ` + format.RowColumns + `
		FROM unnest($1::bigint[], $2::text[]) AS wanted (app, user_id) JOIN accounts USING (app, user_id)`
	numberedSQL = `SELECT app, numbered FROM apps WHERE app = ANY ($1)`
	insertSQL   = `INSERT INTO accounts (app, user_id, number, created_ms)
		SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[], $4::bigint[])`
	reviveSQL = `UPDATE accounts SET created_ms = again.created_ms, deleted = false
		FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS again (app, user_id, created_ms)
		WHERE accounts.app = again.app AND accounts.user_id = again.user_id`
)

// Wanted is an account that is made, at a time, if there is none.
type wanted struct {
	key server.UserKey
	at  time.Time
}

// A column list of accounts, as arrays are sent.
type columns struct {
	apps             []int64
	users            []string
	numbers, created []int64
}

func (c *columns) add(key server.UserKey, r *format.Row) {
	c.apps, c.users = append(c.apps, int64(key.App)), append(c.users, key.User)
	c.numbers, c.created = append(c.numbers, r.Number), append(c.created, r.Created)
}

// ensure makes the accounts that are not in rows, puts them there, and says which.
func (t *tx) ensure(all []wanted, rows map[server.UserKey]*format.Row) (made map[server.UserKey]bool, err error) {
	var unknown []uint64
	for _, w := range all {
		if rows[w.key] == nil {
			unknown = append(unknown, w.key.App)
		}
	}
	if err := t.loadNumbers(unknown); err != nil {
		return nil, err
	}
	made = map[server.UserKey]bool{}
	var fresh, again columns
	for _, w := range all {
		switch r := rows[w.key]; {
		case r == nil:
			r = &format.Row{Number: t.numbers[w.key.App], Created: w.at.UnixMilli()}
			t.numbers[w.key.App]++
			rows[w.key], made[w.key] = r, true
			fresh.add(w.key, r)
		case r.Deleted:
			r.Created, r.Deleted, made[w.key] = w.at.UnixMilli(), false, true
			again.add(w.key, r)
		}
	}
	var b pgx.Batch
	if len(fresh.apps) > 0 {
		b.Queue(insertSQL, fresh.apps, fresh.users, fresh.numbers, fresh.created)
	}
	if len(again.apps) > 0 {
		b.Queue(reviveSQL, again.apps, again.users, again.created)
	}
	return made, t.send(&b)
}

// rows returns the rows that there are.
func (t *tx) rows(keys []server.UserKey) (map[server.UserKey]*format.Row, error) {
	found := make(map[server.UserKey]*format.Row, len(keys))
	var c columns
	for _, key := range keys {
		if _, twice := found[key]; !twice {
			found[key] = nil
			c.apps, c.users = append(c.apps, int64(key.App)), append(c.users, key.User)
		}
	}
	rows, err := t.Query(t.ctx, accountsSQL, c.apps, c.users)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var app int64
		var user string
		r := &format.Row{}
		if err := rows.Scan(append([]any{&app, &user}, r.Columns()...)...); err != nil {
			return nil, err
		}
		found[server.UserKey{App: uint64(app), User: user}] = r
	}
	return found, rows.Err()
}

// loadNumbers finds out which numbers new accounts of apps get.
func (t *tx) loadNumbers(apps []uint64) error {
	if t.numbers == nil {
		t.numbers = map[uint64]int64{}
	}
	var missing []int64
	for _, app := range apps {
		if _, ok := t.numbers[app]; !ok {
			t.numbers[app] = 0
			missing = append(missing, int64(app))
		}
	}
	if len(missing) == 0 {
		return nil
	}
	rows, err := t.Query(t.ctx, numberedSQL, missing)
	if err != nil {
		return err
	}
	var app, n int64
	_, err = pgx.ForEachRow(rows, []any{&app, &n}, func() error {
		t.numbers[uint64(app)] = n
		return nil
	})
	return err
}

// send runs statements whose results do not matter, in one round trip.
func (t *tx) send(b *pgx.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	return t.SendBatch(t.ctx, b).Close()
}
