package sqlite

import (
	"database/sql"
	"errors"

	"github.com/opentim/tim/server"
)

// chunkBytes is the size of a chunk of marks: the bits of 4096 accounts on one day.
const chunkBytes = 512

// place returns where the mark of an account is: in which chunk, which byte and which bit.
func place(number int64) (n int64, index int, bit byte) {
	return number / (8 * chunkBytes), int(number % (8 * chunkBytes) / 8), 1 << (number % 8)
}

type chunkKey struct {
	app uint64
	day server.Day
	n   int64
}

// A chunk is in memory while a transaction uses it; flush writes those that changed, each once, however many marks it got.
type chunk struct {
	bits    []byte
	changed bool
}

// mark sets or clears the mark of an account and reports whether it was not so before.
func (t *tx) mark(app uint64, day server.Day, number int64, set bool) (bool, error) {
	n, index, bit := place(number)
	c, err := t.chunk(chunkKey{app, day, n})
	if err != nil || (c.bits[index]&bit != 0) == set {
		return false, err
	}
	c.bits[index] ^= bit
	c.changed = true
	return true, nil
}

func (t *tx) chunk(key chunkKey) (*chunk, error) {
	if c := t.marked[key]; c != nil {
		return c, nil
	}
	c := &chunk{}
	err := t.marks.QueryRow(int64(key.app), key.day, key.n).Scan(&c.bits)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	if len(c.bits) < chunkBytes {
		c.bits = append(c.bits, make([]byte, chunkBytes-len(c.bits))...)
	}
	t.marked[key] = c
	return c, nil
}

// unmark clears the marks of an account on every day.
func (t *tx) unmark(app uint64, number int64) error {
	if err := t.flush(); err != nil { // so that the database knows all days
		return err
	}
	n, _, _ := place(number)
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
		if !c.changed {
			continue
		}
		if _, err := t.setMarks.Exec(int64(key.app), key.day, key.n, c.bits); err != nil {
			return err
		}
		c.changed = false
	}
	for app, n := range t.numbers {
		if _, err := t.setNumbered.Exec(int64(app), n); err != nil {
			return err
		}
	}
	clear(t.numbers)
	return nil
}
