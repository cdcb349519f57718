//go:build unix

package postgres

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server/store"
)

func TestNodesThatStartTogetherMakeOneSchema(t *testing.T) {
	url := newURL(t)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			s, err := Open(context.Background(), url, store.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := s.Arrive(context.Background(), numbered(i), today, nil); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	a, err := openStore(t, url).Actives(t.Context(), alice.App, today, today)
	require.NoError(t, err)
	require.EqualValues(t, 6, a.Users)
}

func TestASchemaThatIsNoStoreIsRefusedAndLeftAlone(t *testing.T) {
	for _, c := range []struct{ name, make, want string }{
		{"somebody else's tables", "CREATE TABLE accounts (id int)", "not a tim store"},
		{"somebody else's view", "CREATE VIEW v AS SELECT 1", "not a tim store"},
		{"a newer tim's", "CREATE TABLE tim_schema (id serial, version_id bigint, is_applied bool, tstamp timestamp DEFAULT now()); " +
			"INSERT INTO tim_schema (version_id, is_applied) VALUES (0, true), (999, true)", "a newer tim wrote it: its schema is 999"},
	} {
		t.Run(c.name, func(t *testing.T) {
			url := newURL(t)
			execute(t, url, c.make)
			tables := func() (n int) {
				conn := connection(t, url)
				defer conn.Close(t.Context())
				require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM pg_class WHERE relnamespace = current_schema()::regnamespace").Scan(&n))
				return n
			}
			before := tables()
			_, err := Open(t.Context(), url, store.Options{})
			require.ErrorContains(t, err, c.want)
			require.Equal(t, before, tables())
		})
	}
	_, err := Open(t.Context(), shared.get(t).URL("search_path", "nowhere"), store.Options{})
	require.ErrorContains(t, err, "no schema of its search_path exists")
}
