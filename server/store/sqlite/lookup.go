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

const (
	rowSQL   = `SELECT ` + format.RowColumns + ` FROM accounts WHERE app = ?1 AND user = ?2`
	chunkSQL = `SELECT bits FROM marks WHERE app = ?1 AND day = ?2 AND chunk = ?3`
)

// lookupPragmas are those of a lookup. The cache has room for the inner pages of ten million accounts, so that what is read from
// the file is one page, the one with the account.
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

// use waits for a lookup until ctx ends, and then no more: what is done with it takes microseconds.
func (p *lookups) use(ctx context.Context, do func(*lookup) error) error {
	select {
	case l := <-p.free:
		defer func() { p.free <- l }()
		return do(l)
	case <-ctx.Done():
		return ctx.Err()
	case <-p.closed:
		return errClosed
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

// A lookup is a connection that finds accounts and their marks. It calls SQLite as its C programs do: through database/sql one
// row by its key costs twice the CPU, for goroutines that watch a ctx, names of columns and the like. One goroutine uses it at a
// time.
type lookup struct {
	tls   *libc.TLS
	db    uintptr // sqlite3 *
	rows  uintptr // sqlite3_stmt *, of rowSQL
	marks uintptr // sqlite3_stmt *, of chunkSQL
	user  uintptr // char *, what rows is asked for
	room  int     // bytes at user
}

func newLookup(uri string) (*lookup, error) {
	l := &lookup{tls: libc.NewTLS()}
	if err := l.open(uri); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *lookup) open(uri string) error {
	var texts [5]uintptr
	for i, text := range []string{uri, lookupPragmas, rowSQL, chunkSQL, "a pointer"} {
		var err error
		if texts[i], err = libc.CString(text); err != nil {
			return err
		}
		defer libc.Xfree(l.tls, texts[i])
	}
	out := texts[4] // where SQLite writes a pointer
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
	for i, statement := range []*uintptr{&l.rows, &l.marks} {
		code := sqlite3.Xsqlite3_prepare_v3(l.tls, l.db, texts[2+i], -1, sqlite3.SQLITE_PREPARE_PERSISTENT, out, 0)
		if err := l.check(code); err != nil {
			return err
		}
		*statement = pointerAt(out)
	}
	return l.makeRoom(string(make([]byte, 32))) // what a userID has at most
}

func pointerAt(p uintptr) uintptr {
	return *(*uintptr)(unsafe.Pointer(unsafe.SliceData(libc.GoBytes(p, int(unsafe.Sizeof(p))))))
}

// row reads the row of an account, nil if there is none.
func (l *lookup) row(key server.UserKey) (*format.Row, error) {
	if err := l.makeRoom(key.User); err != nil {
		return nil, err
	}
	copy(libc.GoBytes(l.user, l.room), key.User)
	const static = 0 // it stays where it is until the next row
	err := errors.Join(
		l.check(sqlite3.Xsqlite3_bind_int64(l.tls, l.rows, 1, int64(key.App))),
		l.check(sqlite3.Xsqlite3_bind_text(l.tls, l.rows, 2, l.user, int32(len(key.User)), static)))
	if err != nil {
		return nil, err
	}
	defer sqlite3.Xsqlite3_reset(l.tls, l.rows) // what it answers is what the step did
	if found, err := l.step(l.rows); !found {
		return nil, err
	}
	r := &format.Row{Number: l.integer(0), Created: l.integer(1), Banned: l.integer(2) != 0, Deleted: l.integer(5) != 0}
	r.BannedUntil = sql.NullInt64{Int64: l.integer(3), Valid: !l.null(3)}
	r.NotBefore = sql.NullInt64{Int64: l.integer(4), Valid: !l.null(4)}
	return r, nil
}

func (l *lookup) integer(column int32) int64 {
	return sqlite3.Xsqlite3_column_int64(l.tls, l.rows, column)
}

func (l *lookup) null(column int32) bool {
	return sqlite3.Xsqlite3_column_type(l.tls, l.rows, column) == sqlite3.SQLITE_NULL
}

// chunk gives the marks of a chunk to use, for the time of the call, unless there are none.
func (l *lookup) chunk(key format.ChunkKey, use func(marks []byte)) error {
	err := errors.Join(
		l.check(sqlite3.Xsqlite3_bind_int64(l.tls, l.marks, 1, int64(key.App))),
		l.check(sqlite3.Xsqlite3_bind_int64(l.tls, l.marks, 2, int64(key.Day))),
		l.check(sqlite3.Xsqlite3_bind_int64(l.tls, l.marks, 3, key.Chunk)))
	if err != nil {
		return err
	}
	defer sqlite3.Xsqlite3_reset(l.tls, l.marks)
	if found, err := l.step(l.marks); !found {
		return err
	}
	if bits := sqlite3.Xsqlite3_column_blob(l.tls, l.marks, 0); bits != 0 {
		use(libc.GoBytes(bits, int(sqlite3.Xsqlite3_column_bytes(l.tls, l.marks, 0))))
	}
	return nil
}

// step reports whether there is a row.
func (l *lookup) step(statement uintptr) (bool, error) {
	switch code := sqlite3.Xsqlite3_step(l.tls, statement); code {
	case sqlite3.SQLITE_ROW:
		return true, nil
	case sqlite3.SQLITE_DONE:
		return false, nil
	default:
		return false, l.check(code)
	}
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
	sqlite3.Xsqlite3_finalize(l.tls, l.rows) // 0 is fine, here and below
	sqlite3.Xsqlite3_finalize(l.tls, l.marks)
	err := l.check(sqlite3.Xsqlite3_close(l.tls, l.db))
	libc.Xfree(l.tls, l.user)
	l.tls.Close()
	return err
}
