package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// limited runs f with at most so much time. That time's end is no end of ctx, and not reported as one.
func limited(ctx context.Context, most time.Duration, f func(context.Context) error) error {
	inner, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	err := f(inner)
	if err != nil && inner.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("the database did not answer within %v: %v", most, err)
	}
	return err
}

// again runs f, and once more if its connection turned out to be lost: after a restart of the server all are, so all are
// replaced.
func again(ctx context.Context, pool *pgxpool.Pool, f func() error) error {
	err := f()
	if lost(err) && ctx.Err() == nil {
		pool.Reset()
		err = f()
	}
	return err
}

// lost reports whether an error is one of the connection, not of the statement.
func lost(err error) bool {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		const readOnly = "25006" // the server became a standby
		return strings.HasPrefix(said.Code, "08") || strings.HasPrefix(said.Code, "57P") || said.Code == readOnly
	}
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		err != nil && pgconn.SafeToRetry(err)
}
