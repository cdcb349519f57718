// Package postgres keeps a store in a PostgreSQL database that several nodes share.
//
// One node writes at a time: a transaction begins by locking the table "writing", and ends with its commit. So accounts and
// marks are counted exactly, by the plain rule of reading before writing, and no two nodes can wait for each other. It costs
// less than it seems: a commit takes along up to 512 logins, and the first logins of a day touch the marks of so many others
// that two nodes would wait for each other's rows anyway.
//
// A commit is durable when it is answered, and visible to nobody before: every session has synchronous_commit on. That is as
// durable as the server is: it needs fsync, and for a failover that loses nothing, synchronous_standby_names.
//
// Copies that a node keeps of accounts and settings are dropped when another changes them; see store.Shared. The list of
// changes has no gaps, since its numbers are given under the lock.
package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/opentim/tim/server/store"
)

const (
	// readTime bounds what a login reads, in seconds, the second attempt included.
	readTime = 5 * time.Second
	// writeTime bounds a transaction, the wait for its turn included.
	writeTime = 10 * time.Second
	// reportTime bounds Actives and History.
	reportTime = time.Minute
)

// A database is a store.Database in PostgreSQL.
type database struct {
	writing *pgxpool.Pool // of one connection
	reading *pgxpool.Pool // for what logins read: one account, one app's settings, what changed
	reports *pgxpool.Pool // for everything else, so that logins never wait behind a long read

	beforeCommit func() // for tests: called when everything but the commit is done
}

var _ store.Shared = (*database)(nil)

// Open opens the store in the database at url, such as postgres://tim@db.example.com/tim?sslmode=verify-full. It makes the
// tables if the database, or the first schema of its search_path, is empty, and brings older ones up to date. It fails if
// there are tables of somebody else, or if a newer tim wrote them. ctx is for opening only.
//
// What url leaves open is taken from PGPASSWORD, PGPASSFILE and the like, as by every PostgreSQL program. It may name several
// servers, host1,host2; the one that can be written to is used. pool_max_conns=N is how many connections logins read with;
// there are up to three more. A pooler between, such as PgBouncer, must keep sessions. Errors do not contain the password.
func Open(ctx context.Context, url string, o store.Options) (*store.Store, error) {
	db, err := open(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", Masked(url), err)
	}
	return store.New(db, o), nil
}

func open(ctx context.Context, url string) (_ *database, err error) {
	ctx, cancel := context.WithTimeout(ctx, reportTime)
	defer cancel()
	c, err := configure(url)
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, c.ConnConfig); err != nil {
		return nil, err
	}
	d := &database{beforeCommit: func() {}}
	for _, p := range []struct {
		pool        **pgxpool.Pool
		connections int32 // 0: what the URL says
		statement   time.Duration
	}{
		{&d.writing, 1, readTime},
		{&d.reading, 0, readTime},
		{&d.reports, 2, reportTime},
	} {
		if *p.pool, err = connect(c, p.connections, p.statement); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// beginning waits for this node's turn to write.
var beginning = pgx.TxOptions{BeginQuery: "BEGIN; LOCK TABLE writing IN EXCLUSIVE MODE"}

// Update implements store.Database. A connection that is lost before anything was written is replaced.
func (d *database) Update(change func(store.Tx) error) error {
	return limited(context.Background(), writeTime, func(ctx context.Context) error {
		t := &tx{ctx: ctx}
		err := again(ctx, d.writing, func() (err error) {
			t.Tx, err = d.writing.BeginTx(ctx, beginning)
			return err
		})
		if err != nil {
			return err
		}
		defer func() { _ = t.Rollback(ctx) }() // after a commit it does nothing
		if err := change(t); err != nil {
			return err
		}
		if err := t.flush(); err != nil {
			return err
		}
		d.beforeCommit()
		return t.Commit(ctx)
	})
}

// Ping implements store.Database.
func (d *database) Ping(ctx context.Context) error {
	return d.read(ctx, func(ctx context.Context) error { return d.reading.Ping(ctx) })
}

// Close implements store.Database.
func (d *database) Close() error {
	d.close()
	return nil
}

func (d *database) close() {
	for _, pool := range []*pgxpool.Pool{d.reports, d.reading, d.writing} {
		if pool != nil {
			pool.Close()
		}
	}
}
