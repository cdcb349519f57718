package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// applicationID marks a SQLite file as a tim store: "tim1". The file command and sqlite3 can show it.
const applicationID = 0x74696d31

//go:embed migrations/*.sql
var migrations embed.FS

// identify makes sure that the file is a tim store, or empty and then made one, before anything is written to it.
func identify(ctx context.Context, db *sql.DB) error {
	var id, tables int
	err := db.QueryRowContext(ctx, "SELECT application_id, (SELECT count(*) FROM sqlite_schema) FROM pragma_application_id").
		Scan(&id, &tables)
	var e *driver.Error
	switch {
	case errors.As(err, &e) && e.Code() == sqlite3.SQLITE_NOTADB:
		return errors.New("it is not a tim store, and not a SQLite database at all")
	case err != nil:
		return err
	case id != applicationID && (id != 0 || tables != 0):
		return errors.New("it is a SQLite database, but not a tim store")
	}
	if id == 0 {
		if _, err := db.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
			return err
		}
	}
	var mode string
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return fmt.Errorf("it has no write-ahead log, but %q: is it on a network disk?", mode)
	}
	return nil
}

// migrate brings the schema up to date. A migration that a crash interrupts is as if it had not begun.
func migrate(ctx context.Context, db *sql.DB) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
	if err != nil {
		return err
	}
	have, know, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > know {
		return fmt.Errorf("a newer tim wrote it: its schema is %d, this tim knows %d", have, know)
	}
	_, err = p.Up(ctx)
	return err
}
