//go:build unix

package postgres

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/postgres/pgtest"
	"github.com/opentim/tim/server/store/storetest"
)

var alice = server.UserKey{App: 1400000001, User: "alice"}

const today server.Day = 20_000

// A lazy is a server that is started when a test needs it.
type lazy struct {
	o       pgtest.Options
	once    sync.Once
	started *pgtest.Server
	err     error
}

var (
	shared  lazy                                     // each test works in a schema of its own
	brittle = lazy{o: pgtest.Options{Durable: true}} // tests may break it, and mend it
)

func (l *lazy) get(t testing.TB) *pgtest.Server {
	t.Helper()
	l.once.Do(func() { l.started, l.err = pgtest.New(l.o) })
	require.NoError(t, l.err)
	return l.started
}

func TestMain(m *testing.M) {
	storetest.CrashChild(func(url string) (server.Store, error) { return Open(context.Background(), url, store.Options{}) })
	code := m.Run()
	for _, l := range []*lazy{&shared, &brittle} {
		if l.started != nil {
			if err := l.started.Close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

var schemas atomic.Int64

// newURL returns where an empty store can be made.
func newURL(t testing.TB, more ...string) string {
	t.Helper()
	return schemaOf(t, shared.get(t), more...)
}

func schemaOf(t testing.TB, s *pgtest.Server, more ...string) string {
	t.Helper()
	name := fmt.Sprintf("s%d", schemas.Add(1))
	execute(t, s.URL(), "CREATE SCHEMA "+name)
	return s.URL(append(more, "search_path", name)...)
}

// execute does something behind the store's back.
func execute(t testing.TB, url, statement string, args ...any) {
	t.Helper()
	conn := connection(t, url)
	_, err := conn.Exec(t.Context(), statement, args...)
	require.NoError(t, err)
	require.NoError(t, conn.Close(t.Context()))
}

func connection(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	require.NoError(t, err)
	return conn
}

func openStore(t testing.TB, url string) *store.Store {
	t.Helper()
	s, err := Open(t.Context(), url, store.Options{})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func openDatabase(t testing.TB, url string) *database {
	t.Helper()
	d, err := open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return d
}

func numbered(i int) server.UserKey {
	return server.UserKey{App: alice.App, User: fmt.Sprintf("user-%07d", i)}
}

func TestStore(t *testing.T) {
	urls := map[server.Store]string{}
	openAt := func(t testing.TB, url string) server.Store {
		s, err := Open(context.Background(), url, store.Options{})
		require.NoError(t, err)
		urls[s] = url
		return s
	}
	storetest.Run(t, storetest.Engine{
		Open: func(t testing.TB) server.Store { return openAt(t, newURL(t)) },
		Reopen: func(t testing.TB, s server.Store) server.Store {
			require.NoError(t, s.Close())
			return openAt(t, urls[s])
		},
		OpenSecond: func(t testing.TB, s server.Store) server.Store { return openAt(t, urls[s]) },
	})
}
