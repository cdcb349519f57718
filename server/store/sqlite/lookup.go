package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"unsafe"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store/internal/format"
)

const findSQL = `SELECT ` + format.RowColumns + `,
	  (SELECT substr(bits, number % 4096 / 8 + 1, 1) FROM marks
	   WHERE marks.app = accounts.app AND day = ?1 AND chunk = number / 4096)
	FROM accounts WHERE app = ?2 AND user = ?3`

// lookupPragmas are those of a lookup. The cache has room for the inner pages of ten million accounts and for a day of their
// marks. So what is read from the file is one page, the one with the account.
const lookupPragmas = `PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA cache_size = -16384; PRAGMA trusted_schema = OFF`

// mostLookups bounds the memory of their caches. Eight find half a million accounts a second.
const mostLookups = 8

var errClosed = errors.New("the store is closed")

// A lookups is the lookups of a database. It may be used from any goroutine.
type lookups struct {
	free   chan *lookup
	made   int
	closed chan struct{}
}

func openLookups(uri string, n int) (*lookups, error) {
	p := &lookups{free: make(chan *lookup, n), closed: make(chan struct{})}
	for range n {
		l, err := newLookup(uri)
		if err != nil {
			return nil, errors.Join(err, p.close())
		}
		p.free <- l
		p.made++
	}
	return p, nil
}

// find is lookup.row. It waits for a lookup until ctx ends, and then no more: the rest takes microseconds.
func (p *lookups) find(ctx context.Context, key server.UserKey, day server.Day) (*format.Row, byte, error) {
	select {
	case l := <-p.free:
		defer func() { p.free <- l }()
		return l.row(key, day)
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	case <-p.closed:
		return nil, 0, errClosed
	}
}

// close waits for those who read.
func (p *lookups) close() error {
	close(p.closed)
	var errs []error
	for range p.made {
		l := <-p.free
		errs = append(errs, l.close())
	}
	return errors.Join(errs...)
}

// A lookup is a connection that finds accounts. It calls SQLite as its C programs do: through database/sql one row by its key
// costs twice the CPU, for goroutines that watch a ctx, names of columns and the like. One goroutine uses it at a time.
type lookup struct {
	tls  *libc.TLS
	db   uintptr // sqlite3 *
	find uintptr // sqlite3_stmt *, of findSQL
	user uintptr // char *, what find is asked for
	room int     // bytes at user
}

func newLookup(uri string) (*lookup, error) {
	l := &lookup{tls: libc.NewTLS()}
	if err := l.open(uri); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lookup) open(uri string) error {
	var texts [4]uintptr
	for i, text := range []string{uri, lookupPragmas, findSQL, "a pointer"} {
		var err error
		if texts[i], err = libc.CString(text); err != nil {
			return err
		}
		defer libc.Xfree(l.tls, texts[i])
	}
	out := texts[3] // where SQLite writes a pointer
	const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_URI | sqlite3.SQLITE_OPEN_NOMUTEX
	code := sqlite3.Xsqlite3_open_v2(l.tls, texts[0], out, flags, 0)
	l.db = pointerAt(out) // also if it failed, to say why
	if err := l.check(code); err != nil {
		return err
	}
	sqlite3.Xsqlite3_extended_result_codes(l.tls, l.db, 1)
	if err := l.check(sqlite3.Xsqlite3_exec(l.tls, l.db, texts[1], 0, 0, 0)); err != nil {
		return err
	}
	code = sqlite3.Xsqlite3_prepare_v3(l.tls, l.db, texts[2], -1, sqlite3.SQLITE_PREPARE_PERSISTENT, out, 0)
	if err := l.check(code); err != nil {
		return err
	}
	l.find = pointerAt(out)
	return l.makeRoom(string(make([]byte, 32))) // what a userID has at most
}

func pointerAt(p uintptr) uintptr {
	return *(*uintptr)(unsafe.Pointer(unsafe.SliceData(libc.GoBytes(p, int(unsafe.Sizeof(p))))))
}

// row reads the row of an account, nil if there is none, and the byte of a day's marks that has the account's bit.
func (l *lookup) row(key server.UserKey, day server.Day) (*format.Row, byte, error) {
	if err := l.bind(key, day); err != nil {
		return nil, 0, err
	}
	defer sqlite3.Xsqlite3_reset(l.tls, l.find) // what it answers is what the step did
	switch code := sqlite3.Xsqlite3_step(l.tls, l.find); code {
	case sqlite3.SQLITE_ROW:
	case sqlite3.SQLITE_DONE:
		return nil, 0, nil
	default:
		return nil, 0, l.check(code)
	}
	r := &format.Row{Number: l.integer(0), Created: l.integer(1), Banned: l.integer(2) != 0, Deleted: l.integer(5) != 0}
	r.BannedUntil = sql.NullInt64{Int64: l.integer(3), Valid: !l.null(3)}
	r.NotBefore = sql.NullInt64{Int64: l.integer(4), Valid: !l.null(4)}
	if marks := sqlite3.Xsqlite3_column_blob(l.tls, l.find, 6); marks != 0 {
		return r, libc.GoBytes(marks, 1)[0], nil
	}
	return r, 0, nil
}

func (l *lookup) integer(column int32) int64 {
	return sqlite3.Xsqlite3_column_int64(l.tls, l.find, column)
}

func (l *lookup) null(column int32) bool {
	return sqlite3.Xsqlite3_column_type(l.tls, l.find, column) == sqlite3.SQLITE_NULL
}

func (l *lookup) bind(key server.UserKey, day server.Day) error {
	if err := l.makeRoom(key.User); err != nil {
		return err
	}
	copy(libc.GoBytes(l.user, l.room), key.User)
	const static = 0 // it stays where it is until the next row
	return errors.Join(
		l.check(sqlite3.Xsqlite3_bind_int64(l.tls, l.find, 1, int64(day))),
		l.check(sqlite3.Xsqlite3_bind_int64(l.tls, l.find, 2, int64(key.App))),
		l.check(sqlite3.Xsqlite3_bind_text(l.tls, l.find, 3, l.user, int32(len(key.User)), static)))
}

// makeRoom makes room for a user whose name is longer than all before.
func (l *lookup) makeRoom(user string) error {
	if len(user) <= l.room {
		return nil
	}
	place, err := libc.CString(user)
	if err != nil {
		return err
	}
	libc.Xfree(l.tls, l.user)
	l.user, l.room = place, len(user)
	return nil
}

// check returns what SQLite says of a code that is not OK.
func (l *lookup) check(code int32) error {
	if code == sqlite3.SQLITE_OK {
		return nil
	}
	if l.db == 0 {
		return fmt.Errorf("SQLite: error %d", code)
	}
	return fmt.Errorf("SQLite: %s (%d)", libc.GoString(sqlite3.Xsqlite3_errmsg(l.tls, l.db)), code)
}

func (l *lookup) close() error {
	sqlite3.Xsqlite3_finalize(l.tls, l.find) // 0 is fine, here and below
	err := l.check(sqlite3.Xsqlite3_close(l.tls, l.db))
	libc.Xfree(l.tls, l.user)
	l.tls.Close()
	return err
}
