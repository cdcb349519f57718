package sqlite

import (
	"database/sql"
	"errors"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store/internal/format"
)

// mark sets or clears the mark of an account and reports whether it was not so before.
func (t *tx) mark(app uint64, day server.Day, number int64, set bool) (bool, error) {
	n, _, _ := format.Place(number)
	c, err := t.chunk(format.ChunkKey{App: app, Day: day, Chunk: n})
	if err != nil {
		return false, err
	}
	return c.Mark(number, set), nil
}

func (t *tx) chunk(key format.ChunkKey) (*format.Chunk, error) {
	if c := t.marked[key]; c != nil {
		return c, nil
	}
	var marks []byte
	err := t.marks.QueryRow(int64(key.App), key.Day, key.Chunk).Scan(&marks)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	c := format.NewChunk(marks)
	t.marked[key] = c
	return c, nil
}

// Unmark implements format.Rows.
func (t *tx) Unmark(app uint64, number int64) error {
	if err := t.flush(); err != nil { // so that the database knows all days
		return err
	}
	n, _, _ := format.Place(number)
	days, err := t.daysOf(app, n)
	if err != nil {
		return err
	}
	for _, day := range days {
		if _, err := t.mark(app, day, number, false); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) daysOf(app uint64, chunk int64) ([]server.Day, error) {
	rows, err := t.days.Query(int64(app), chunk)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var days []server.Day
	for rows.Next() {
		var day server.Day
		if err := rows.Scan(&day); err != nil {
			return nil, err
		}
		days = append(days, day)
	}
	return days, rows.Err()
}

// flush writes what the transaction holds in memory: chunks, and how many accounts are numbered.
func (t *tx) flush() error {
	for key, c := range t.marked {
		if !c.Changed {
			continue
		}
		if _, err := t.setMarks.Exec(int64(key.App), key.Day, key.Chunk, c.Bits); err != nil {
			return err
		}
		c.Changed = false
	}
	for app, n := range t.numbers {
		if _, err := t.setNumbered.Exec(int64(app), n); err != nil {
			return err
		}
	}
	clear(t.numbers)
	return nil
}
