package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
)

// versionTable tells a tim store from other databases, and says how new it is.
const versionTable = "tim_schema"

// migrating is the advisory lock that lets one node at a time look after the schema.
const migrating = 0x74696d31 // "tim1"

//go:embed migrations/*.sql
var migrations embed.FS

// migrate makes sure that the schema is a tim store, or empty and then made one, and brings it up to date. Other nodes that
// start wait. A migration that a crash interrupts is as if it had not begun.
func migrate(ctx context.Context, c *pgx.ConnConfig) (err error) {
	db := stdlib.OpenDB(*c)
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close() // ends the lock, too
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrating); err != nil {
		return err
	}
	if err := identify(ctx, conn); err != nil {
		return err
	}
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectPostgres, db, dir, goose.WithTableName(versionTable),
		goose.WithDisableGlobalRegistry(true), goose.WithLogger(goose.NopLogger()))
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

// identify refuses what it must not write to.
func identify(ctx context.Context, conn *sql.Conn) error {
	var schema sql.NullString
	var tim, foreign bool
	var encoding string
	err := conn.QueryRowContext(ctx, `
		SELECT current_schema(), coalesce(bool_or(c.relname = $1), false), count(c.relname) > 0, current_setting('server_encoding')
		FROM (SELECT 1) AS one LEFT JOIN pg_class c ON c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p', 'v')`,
		versionTable).Scan(&schema, &tim, &foreign, &encoding)
	switch {
	case err != nil:
		return err
	case !schema.Valid:
		return errors.New("no schema of its search_path exists")
	case encoding != "UTF8":
		return fmt.Errorf("its encoding is %s: make it with ENCODING 'UTF8'", encoding)
	case foreign && !tim:
		return fmt.Errorf("its schema %q has tables, but is not a tim store", schema.String)
	}
	return nil
}
