package webhook

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	_ "modernc.org/sqlite" // the driver

	"github.com/opentim/tim/server"
)

// A queue keeps changes on disk, oldest first, in an SQLite file of its own: rows are finished out of order, which in a
// plain log would need a cursor for each user. A row is there until it is delivered.
type queue struct {
	db        *sql.DB // one connection, which keeps other processes out
	most      int     // rows of an app
	remembers bool    // what was told of each user
	opened    uint64  // the highest revision that was told before it was opened

	waiting  map[uint64]int // rows of an app; only update uses it
	revision uint64         // the highest; so does this
	total    atomic.Int64
}

// A row is a change that waits.
type row struct {
	seq  int64
	user string
	message
}

// An overflow says that the oldest rows of an app had to go, up to last.
type overflow struct {
	rows int
	last int64
}

const schema = `CREATE TABLE IF NOT EXISTS changes (
	seq INTEGER PRIMARY KEY AUTOINCREMENT,
	app INTEGER NOT NULL,
	user TEXT NOT NULL,
	platform TEXT NOT NULL,
	address TEXT NOT NULL,
	body BLOB NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS changes_of_app ON changes (app, seq);
CREATE TABLE IF NOT EXISTS told (
	app INTEGER NOT NULL,
	user TEXT NOT NULL,
	sessions BLOB NOT NULL, -- JSON; who has none has no row
	PRIMARY KEY (app, user)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revisions (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	highest INTEGER NOT NULL
) STRICT;`

func openQueue(ctx context.Context, path string, most int, remembers bool, apps []uint64) (_ *queue, err error) {
	if err := private(path); err != nil {
		return nil, err
	}
	pragmas := url.Values{"_pragma": {"locking_mode(EXCLUSIVE)", "journal_mode(WAL)", "synchronous(FULL)", "journal_size_limit(16777216)"}}
	db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?"+pragmas.Encode())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	defer func() {
		if err != nil {
			_ = db.Close()
		}
	}()
	if _, err := db.ExecContext(ctx, schema); err != nil {
		return nil, err
	}
	q := &queue{db: db, most: most, remembers: remembers, waiting: make(map[uint64]int)}
	return q, errors.Join(q.begin(ctx, apps), q.readRevision(ctx))
}

// private makes the file, readable by its owner only, unless it is there.
func private(path string) error {
	if strings.ContainsAny(path, "?#%") {
		return errors.New("the path must not have ?, # or %")
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// begin forgets apps that have no receiver any more, and counts what the others have.
func (q *queue) begin(ctx context.Context, apps []uint64) error {
	known := make([]string, len(apps))
	for i, app := range apps {
		known[i] = fmt.Sprint(int64(app))
	}
	others := " WHERE app NOT IN (" + strings.Join(known, ",") + ")"
	if _, err := q.db.ExecContext(ctx, "DELETE FROM changes"+others); err != nil {
		return err
	}
	if !q.remembers {
		others = ""
	}
	if _, err := q.db.ExecContext(ctx, "DELETE FROM told"+others); err != nil {
		return err
	}
	for _, app := range apps {
		var n int
		if err := q.db.QueryRowContext(ctx, "SELECT count(*) FROM changes WHERE app = ?", int64(app)).Scan(&n); err != nil {
			return err
		}
		q.waiting[app] = n
		q.total.Add(int64(n))
	}
	return nil
}

func (q *queue) len() int { return int(q.total.Load()) }

func (q *queue) close() error { return q.db.Close() }

// update adds changes and removes rows in one transaction. It returns what had to go for the new ones. Only one goroutine
// calls it.
func (q *queue) update(changes []server.Change, done []int64) (map[uint64]overflow, error) {
	tx, err := q.db.Begin()
	if err != nil {
		return nil, err
	}
	defer tx.Rollback() //nolint:errcheck // does nothing after Commit
	grown := make(map[uint64]int)
	if err := q.remove(tx, done, grown); err != nil {
		return nil, err
	}
	if err := q.add(tx, changes, grown); err != nil {
		return nil, err
	}
	if err := q.remember(tx, changes); err != nil {
		return nil, err
	}
	lost, err := q.shrink(tx, grown)
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	for i := range changes {
		q.revision = max(q.revision, changes[i].Revision)
	}
	for app, n := range grown {
		q.waiting[app] += n
		q.total.Add(int64(n))
	}
	return lost, nil
}

func (q *queue) add(tx *sql.Tx, changes []server.Change, grown map[uint64]int) error {
	if len(changes) == 0 {
		return nil
	}
	insert, err := tx.Prepare("INSERT INTO changes (app, user, platform, address, body) VALUES (?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	defer insert.Close()
	for i := range changes {
		c := &changes[i]
		m := newMessage(c)
		if _, err := insert.Exec(int64(c.Key.App), c.Key.User, m.platform, m.address, m.body); err != nil {
			return err
		}
		grown[c.Key.App]++
	}
	return nil
}

func (q *queue) remove(tx *sql.Tx, done []int64, grown map[uint64]int) error {
	if len(done) == 0 {
		return nil
	}
	remove, err := tx.Prepare("DELETE FROM changes WHERE seq = ? RETURNING app")
	if err != nil {
		return err
	}
	defer remove.Close()
	for _, seq := range done {
		var app int64
		switch err := remove.QueryRow(seq).Scan(&app); {
		case errors.Is(err, sql.ErrNoRows): // it had to go before
		case err != nil:
			return err
		default:
			grown[uint64(app)]--
		}
	}
	return nil
}

// shrink removes the oldest rows of apps that have too many.
func (q *queue) shrink(tx *sql.Tx, grown map[uint64]int) (map[uint64]overflow, error) {
	lost := make(map[uint64]overflow)
	for app, n := range grown {
		o := overflow{rows: q.waiting[app] + n - q.most}
		if o.rows <= 0 {
			continue
		}
		const oldest = "SELECT seq FROM changes WHERE app = ? ORDER BY seq LIMIT 1 OFFSET ?"
		if err := tx.QueryRow(oldest, int64(app), o.rows-1).Scan(&o.last); err != nil {
			return nil, err
		}
		if _, err := tx.Exec("DELETE FROM changes WHERE app = ? AND seq <= ?", int64(app), o.last); err != nil {
			return nil, err
		}
		grown[app] -= o.rows
		lost[app] = o
	}
	return lost, nil
}

// after returns rows of an app that come after seq, at most so many, oldest first.
func (q *queue) after(ctx context.Context, app uint64, seq int64, most int) ([]row, error) {
	found, err := q.db.QueryContext(ctx, "SELECT seq, user, platform, address, body FROM changes WHERE app = ? AND seq > ? ORDER BY seq LIMIT ?",
		int64(app), seq, most)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var rows []row
	for found.Next() {
		var r row
		if err := found.Scan(&r.seq, &r.user, &r.platform, &r.address, &r.body); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, found.Err()
}
