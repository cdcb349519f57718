// Package sqlite keeps the store in one SQLite file, for a server that runs on one machine.
//
// The database is in WAL mode with synchronous=FULL. WAL lets reads go on during a commit; FULL syncs the log at every
// commit, so that what was answered survives the power cut as well as the kill (with NORMAL, SQLite's usual companion of
// WAL, a power cut loses the last commits). The sync comes before other connections see the commit, so whatever a read finds
// is durable. The price of a sync is shared by the group commit of package store.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	_ "modernc.org/sqlite" // the driver: SQLite in Go, without cgo

	"github.com/opentim/tim/server/store"
)

// A database is a store.Database in a SQLite file: one connection that writes and a few that read.
type database struct {
	lock    *os.File
	writing *sql.DB // of one connection, which writer has
	writer  *writer
	lookups *lookups // for logins: one account
	recent  recent
	reading *sql.DB // for what logins wait for, too: an app's settings
	reports *sql.DB // of one connection, for everything else, so that logins never wait behind a long read
}

var _ store.Database = (*database)(nil)

// Open opens the store in the file at path. It makes the file, and its directory, if they are not there, readable by their
// owner only, and brings an older schema up to date. It fails if the file is not a tim store, was written by a newer tim, or
// is in use by another process. The file must lie on a local disk. ctx is for opening only.
//
// Close folds the log into the file; without it the next Open does that.
func Open(ctx context.Context, path string, o store.Options) (*store.Store, error) {
	db, err := open(ctx, path)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", path, err)
	}
	return store.New(db, o), nil
}

func open(ctx context.Context, path string) (*database, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := prepare(path); err != nil {
		return nil, err
	}
	d := &database{}
	if d.lock, err = lock(path); err != nil {
		return nil, err
	}
	if err := d.connect(ctx, path); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

func (d *database) connect(ctx context.Context, path string) (err error) {
	if err := syncLog(path); err != nil {
		return err
	}
	if d.writing, err = sql.Open("sqlite", dsn(path, writerPragmas)); err != nil {
		return err
	}
	d.writing.SetMaxOpenConns(1)
	if err := identify(ctx, d.writing); err != nil {
		return err
	}
	if err := migrate(ctx, d.writing); err != nil {
		return err
	}
	if d.writer, err = newWriter(ctx, d.writing, &d.recent); err != nil {
		return err
	}
	if d.reading, err = sql.Open("sqlite", dsn(path, readerPragmas)); err != nil {
		return err
	}
	readers := max(2, runtime.GOMAXPROCS(0))
	d.reading.SetMaxOpenConns(readers)
	d.reading.SetMaxIdleConns(readers)
	if d.reports, err = sql.Open("sqlite", dsn(path, readerPragmas)); err != nil {
		return err
	}
	d.reports.SetMaxOpenConns(1)
	if err := d.reports.PingContext(ctx); err != nil {
		return err
	}
	d.lookups, err = openLookups(dsn(path, nil), min(readers, mostLookups))
	return err
}

var (
	writerPragmas = []string{
		"busy_timeout(5000)", // for an operator's sqlite3 that writes; our own process has one writer
		"synchronous(FULL)",
		"cache_size(-32768)",           // KiB
		"wal_autocheckpoint(4000)",     // pages: the log is folded into the file every 16 MB, by the writer, between commits
		"journal_size_limit(67108864)", // a log that grew beyond this, while somebody read for long, is cut again
		"trusted_schema(OFF)",
	}
	readerPragmas = []string{
		"busy_timeout(5000)",
		"query_only(ON)",
		"cache_size(-8192)",
		"trusted_schema(OFF)",
	}
)

func dsn(path string, pragmas []string) string {
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") { // C:/...
		path = "/" + path
	}
	query := url.Values{"mode": {"rw"}, "_pragma": pragmas}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String()
}

// Update implements store.Database.
func (d *database) Update(change func(store.Tx) error) error { return d.writer.update(change) }

// Ping implements store.Database.
func (d *database) Ping(ctx context.Context) error {
	return d.reading.QueryRowContext(ctx, "SELECT 1 FROM sqlite_schema LIMIT 1").Scan(new(int))
}

// Close implements store.Database. The last connection to close folds the log into the file.
func (d *database) Close() error {
	var errs []error
	if d.lookups != nil {
		errs = append(errs, d.lookups.close())
	}
	if d.writer != nil {
		errs = append(errs, d.writer.close())
	}
	for _, db := range []*sql.DB{d.reports, d.reading, d.writing} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	return errors.Join(append(errs, d.lock.Close())...)
}
