//go:build unix

package postgres

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/storetest"
)

func countAccounts(t testing.TB, url string) (n int) {
	conn := connection(t, url)
	defer conn.Close(t.Context())
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM accounts").Scan(&n))
	return n
}

func TestNothingThatWasAnsweredIsLostWhenANodeIsKilled(t *testing.T) {
	url := newURL(t)
	storetest.RunCrash(t, storetest.Crash{
		Where: url,
		Kills: 3,
		Open: func(t testing.TB) server.Store {
			s, err := Open(t.Context(), url, store.Options{})
			require.NoError(t, err)
			return s
		},
		Accounts: func(t testing.TB) int { return countAccounts(t, url) },
	})
}

// Two nodes log the same users in while the server, which syncs what it commits, is killed and started again.
func TestNothingThatWasAnsweredIsLostWhenPostgreSQLIsKilled(t *testing.T) {
	postgres := brittle.get(t)
	url := schemaOf(t, postgres)
	here, there := openStore(t, url), openStore(t, url)
	answers := &storetest.Answers{}
	for kill := range 3 {
		began := answers.Count()
		ended := make(chan error, 1)
		go func() {
			ended <- storetest.Load(context.Background(), []server.Store{here, there}, string(rune('a'+kill)), answers.Add)
		}()
		require.Eventually(t, func() bool { return answers.Count() > began }, time.Minute, time.Millisecond)
		time.Sleep(time.Duration(rand.IntN(1000)) * time.Millisecond) // the instant of the kill: nothing is waited for
		require.NoError(t, postgres.Kill())
		require.Error(t, <-ended)
		require.NoError(t, postgres.Run())
		fresh := openStore(t, url)
		answers.Check(t, fresh, countAccounts(t, url), answers.Users())
		t.Logf("kill %d: %d answers for %d users so far, 0 lost", kill+1, answers.Count(), answers.Users())
	}
}
