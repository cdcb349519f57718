package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// IsURL reports whether text looks like a URL for Open.
func IsURL(text string) bool {
	return strings.HasPrefix(text, "postgres://") || strings.HasPrefix(text, "postgresql://")
}

// Masked returns a URL for people to read, without passwords.
func Masked(text string) string {
	u, err := url.Parse(text)
	if err != nil || !IsURL(text) {
		return "(a URL that cannot be read)" // and whose password cannot be told from the rest
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(name, "password") {
			query.Set(name, "xxxxx")
		}
	}
	if u.RawQuery != "" {
		u.RawQuery = query.Encode()
	}
	return u.Redacted()
}

// Check says what is wrong with a URL for Open, if it can be told without a connection.
func Check(text string) error {
	_, err := configure(text)
	return err
}

func configure(text string) (*pgxpool.Config, error) {
	if !IsURL(text) {
		return nil, errors.New("it is no URL such as postgres://user@host/database")
	}
	_, authority, _ := strings.Cut(text, "://")
	if end := strings.IndexAny(authority, "/?#"); end >= 0 {
		authority = authority[:end]
	}
	if _, err := url.Parse(text); err != nil || strings.Count(authority, "@") > 1 { // what is left of the password would be a host
		return nil, errors.New("it is no URL: write %40 for @, %2F for / and so on in its password, or leave the password to PGPASSFILE")
	}
	c, err := pgxpool.ParseConfig(text)
	if err != nil {
		var parse *pgconn.ParseConfigError
		if errors.As(err, &parse) && errors.Unwrap(parse) != nil {
			err = errors.Unwrap(parse) // the reason without the URL
		}
		return nil, fmt.Errorf("its parameters: %w", err)
	}
	params := c.ConnConfig.RuntimeParams
	if params["synchronous_commit"] == "off" {
		return nil, errors.New("synchronous_commit=off would lose what was answered")
	}
	for name, value := range map[string]string{
		"application_name":   "tim",
		"synchronous_commit": "on",
		// A node that stands still does not hold the others up for longer than this.
		"idle_in_transaction_session_timeout": "3000",
	} {
		if params[name] == "" {
			params[name] = value
		}
	}
	if c.ConnConfig.ConnectTimeout == 0 || c.ConnConfig.ConnectTimeout > readTime {
		c.ConnConfig.ConnectTimeout = 3 * time.Second
	}
	if c.ConnConfig.ValidateConnect == nil { // no target_session_attrs: a standby is no use
		c.ConnConfig.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	c.PingTimeout = time.Second
	return c, nil
}

// connect makes a pool, whose connections are made when they are needed.
func connect(c *pgxpool.Config, connections int32, statement time.Duration) (*pgxpool.Pool, error) {
	c = c.Copy()
	if connections > 0 {
		c.MaxConns, c.MinConns = connections, min(c.MinConns, connections)
	}
	c.ConnConfig.RuntimeParams["statement_timeout"] = strconv.FormatInt(statement.Milliseconds(), 10)
	return pgxpool.NewWithConfig(context.Background(), c)
}
