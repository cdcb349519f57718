package sqlite

import (
	"database/sql"
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/storetest"
)

// TIM_CRASH_KILLS says how often the child is killed; the default is 3.
func TestNothingThatWasAnsweredIsLostInACrash(t *testing.T) {
	kills := 3
	if text := os.Getenv("TIM_CRASH_KILLS"); text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	path := diskPath(t)
	storetest.RunCrash(t, storetest.Crash{
		Where: path,
		Kills: kills,
		Open: func(t testing.TB) server.Store {
			s, err := Open(t.Context(), path, store.Options{})
			require.NoError(t, err)
			return s
		},
		Accounts: func(t testing.TB) (n int) {
			db, err := sql.Open("sqlite", dsn(path, readerPragmas))
			require.NoError(t, err)
			defer db.Close()
			require.NoError(t, db.QueryRow("SELECT count(*) FROM accounts").Scan(&n))
			return n
		},
	})
}
