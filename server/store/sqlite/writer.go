package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

// A writer is the connection that writes, with its statements. One goroutine uses it.
type writer struct {
	conn                            *sql.Conn
	begin, commit, rollback         *sql.Stmt
	account, insert, revive, change *sql.Stmt
	numbered, setNumbered           *sql.Stmt
	marks, setMarks, days           *sql.Stmt
	settings                        *sql.Stmt
	absences, absent, returned      *sql.Stmt
	prune                           *sql.Stmt
	statements                      []*sql.Stmt // all of them
	recent                          *recent

	beforeCommit func() // for tests: called when everything but the COMMIT is done
}

// daysSQL finds the days on which a chunk has marks by leaping from one to the next, as the chunks of a day lie together.
const daysSQL = `
	WITH RECURSIVE days (day) AS (
	  SELECT min(day) FROM marks WHERE app = ?1
	  UNION ALL
	  SELECT (SELECT min(day) FROM marks WHERE app = ?1 AND marks.day > days.day) FROM days WHERE day IS NOT NULL
	)
	SELECT day FROM marks JOIN days USING (day) WHERE app = ?1 AND chunk = ?2`

func newWriter(ctx context.Context, db *sql.DB, r *recent) (*writer, error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	w := &writer{conn: conn, recent: r, beforeCommit: func() {}}
	for stmt, text := range map[**sql.Stmt]string{
		&w.begin:    `BEGIN IMMEDIATE`,
		&w.commit:   `COMMIT`,
		&w.rollback: `ROLLBACK`,

		&w.account: `SELECT ` + format.RowColumns + ` FROM accounts WHERE app = ? AND user = ?`,
		&w.insert:  `INSERT INTO accounts (app, user, number, created_ms) VALUES (?, ?, ?, ?)`,
		&w.revive:  `UPDATE accounts SET created_ms = ?, deleted = 0 WHERE app = ? AND user = ?`,
		&w.change: `UPDATE accounts SET banned = ?, banned_until_ms = ?, not_before_ms = ?, deleted = ?
			WHERE app = ? AND user = ?`,

		&w.numbered:    `SELECT numbered FROM apps WHERE app = ?`,
		&w.setNumbered: `INSERT INTO apps (app, numbered) VALUES (?, ?) ON CONFLICT DO UPDATE SET numbered = excluded.numbered`,

		&w.marks:    `SELECT bits FROM marks WHERE app = ? AND day = ? AND chunk = ?`,
		&w.setMarks: `INSERT INTO marks (app, day, chunk, bits) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET bits = excluded.bits`,
		&w.days:     daysSQL,

		&w.absences: absencesOfSQL,
		&w.absent:   `INSERT OR REPLACE INTO absences (app, user, platform, instance, login_seq, since_ms) VALUES (?, ?, ?, ?, ?, ?)`,
		&w.returned: `DELETE FROM absences WHERE app = ? AND user = ? AND platform = ? AND instance = ?`,
		&w.prune:    pruneSQL,

		&w.settings: `INSERT INTO settings (app, version, policy, limits, changed_by, changed_ms)
			SELECT ?1, ?2 + 1, ?3, ?4, ?5, ?6
			WHERE ?2 = (SELECT coalesce(max(version), 0) FROM settings WHERE app = ?1)`,
	} {
		if *stmt, err = conn.PrepareContext(ctx, text); err != nil {
			return nil, errors.Join(err, w.close())
		}
		w.statements = append(w.statements, *stmt)
	}
	return w, nil
}

// close closes the statements too, which database/sql does not do for those of a Conn. One that stays open keeps the
// connection open.
func (w *writer) close() error {
	var errs []error
	for _, stmt := range w.statements {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.conn.Close())...)
}

// update runs change in a transaction. A commit of SQLite that fails, because the disk is full or gives up, is rolled back.
func (w *writer) update(change func(store.Tx) error) error {
	if _, err := w.begin.Exec(); err != nil {
		return err
	}
	t := &tx{writer: w, marked: map[format.ChunkKey]*format.Chunk{}, numbers: map[uint64]int64{}}
	err := change(t)
	if err == nil {
		err = t.flush()
	}
	if err == nil {
		w.beforeCommit()
		_, err = w.commit.Exec()
	}
	if err != nil {
		_, _ = w.rollback.Exec() // fails if SQLite has rolled back by itself
		return err
	}
	w.recent.committed(t.marked)
	return nil
}
