package postgres

import (
	"github.com/jackc/pgx/v5"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store/internal/format"
)

const (
	marksSQL = `SELECT app, day, chunk, bits
		FROM unnest($1::bigint[], $2::integer[], $3::bigint[]) AS wanted (app, day, chunk) JOIN marks USING (app, day, chunk)`
	setMarksSQL = `INSERT INTO marks (app, day, chunk, bits)
		SELECT * FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::bytea[])
		ON CONFLICT (app, day, chunk) DO UPDATE SET bits = excluded.bits`
	setNumberedSQL = `INSERT INTO apps (app, numbered) SELECT * FROM unnest($1::bigint[], $2::bigint[])
		ON CONFLICT (app) DO UPDATE SET numbered = excluded.numbered`
	setChangesSQL = `INSERT INTO changes (seq, app, user_id)
		SELECT (SELECT max(seq) FROM changes) + n, app, user_id
		FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS changed (app, user_id, n)`
	pruneSQL = `DELETE FROM changes WHERE seq <= (SELECT max(seq) FROM changes) - 100000`

	// daysSQL finds the days on which a chunk has marks by leaping from one to the next, as the chunks of a day lie together.
	daysSQL = `
		WITH RECURSIVE days (day) AS (
		  SELECT min(day) FROM marks WHERE app = $1
		  UNION ALL
		  SELECT (SELECT min(day) FROM marks WHERE app = $1 AND marks.day > days.day) FROM days WHERE day IS NOT NULL
		)
		SELECT day FROM marks JOIN days USING (day) WHERE app = $1 AND chunk = $2`
)

// load brings chunks into memory.
func (t *tx) load(keys []format.ChunkKey) error {
	if t.marked == nil {
		t.marked = map[format.ChunkKey]*format.Chunk{}
	}
	var apps, chunks []int64
	var days []int32
	for _, key := range keys {
		if t.marked[key] != nil {
			continue
		}
		t.marked[key] = format.NewChunk(nil)
		apps, days, chunks = append(apps, int64(key.App)), append(days, int32(key.Day)), append(chunks, key.Chunk)
	}
	if len(apps) == 0 {
		return nil
	}
	rows, err := t.Query(t.ctx, marksSQL, apps, days, chunks)
	if err != nil {
		return err
	}
	var app, chunk int64
	var day int32
	var bits []byte
	_, err = pgx.ForEachRow(rows, []any{&app, &day, &chunk, &bits}, func() error {
		t.marked[format.ChunkKey{App: uint64(app), Day: server.Day(day), Chunk: chunk}] = format.NewChunk(bits)
		bits = nil // the chunk has them now
		return nil
	})
	return err
}

// Unmark implements format.Rows.
func (t *tx) Unmark(app uint64, number int64) error {
	if err := t.flush(); err != nil { // so that the database knows all days
		return err
	}
	n, _, _ := format.Place(number)
	rows, err := t.Query(t.ctx, daysSQL, int64(app), n)
	if err != nil {
		return err
	}
	days, err := pgx.CollectRows(rows, pgx.RowTo[int32])
	if err != nil {
		return err
	}
	keys := make([]format.ChunkKey, len(days))
	for i, day := range days {
		keys[i] = format.ChunkKey{App: app, Day: server.Day(day), Chunk: n}
	}
	if err := t.load(keys); err != nil {
		return err
	}
	for _, key := range keys {
		t.marked[key].Mark(number, false)
	}
	return nil
}

// flush writes what the transaction holds in memory.
func (t *tx) flush() error {
	var b pgx.Batch
	var apps, chunks, numbers []int64
	var days []int32
	var bits [][]byte
	for key, c := range t.marked {
		if c.Changed {
			apps, days, chunks = append(apps, int64(key.App)), append(days, int32(key.Day)), append(chunks, key.Chunk)
			bits = append(bits, c.Bits)
			c.Changed = false
		}
	}
	if len(apps) > 0 {
		b.Queue(setMarksSQL, apps, days, chunks, bits)
	}
	apps = nil
	for app, n := range t.numbers {
		apps, numbers = append(apps, int64(app)), append(numbers, n)
	}
	if len(apps) > 0 {
		b.Queue(setNumberedSQL, apps, numbers)
	}
	clear(t.numbers)
	if len(t.changed) > 0 {
		var c columns
		for _, changed := range t.changed {
			c.apps, c.users = append(c.apps, int64(changed.App)), append(c.users, changed.User)
		}
		b.Queue(setChangesSQL, c.apps, c.users)
		b.Queue(pruneSQL)
	}
	t.changed = nil
	return t.send(&b)
}
