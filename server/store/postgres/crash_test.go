//go:build unix

package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/postgres/pgtest"
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

// The primary dies for good in the middle of logins, and its standby takes over: two nodes whose URL names both go on with it, and
// with synchronous_standby_names nothing that was answered is lost.
func TestNothingThatWasAnsweredIsLostInAFailover(t *testing.T) {
	primary := pgtest.Start(t, pgtest.Options{Durable: true})
	standby, err := primary.Standby()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, standby.Close()) })
	require.Eventually(t, func() bool {
		conn := connection(t, primary.URL())
		defer conn.Close(t.Context())
		var synchronous bool
		err := conn.QueryRow(t.Context(), "SELECT coalesce(bool_or(sync_state = 'sync'), false) FROM pg_stat_replication").Scan(&synchronous)
		return err == nil && synchronous
	}, time.Minute, 10*time.Millisecond)

	url := fmt.Sprintf("postgres://tim@127.0.0.1:%d,127.0.0.1:%d/postgres?sslmode=disable", primary.Port(), standby.Port())
	nodes := []server.Store{openStore(t, url), openStore(t, url)}
	answers := &storetest.Answers{}
	ended := make(chan error, 1)
	go func() { ended <- storetest.Load(context.Background(), nodes, "a", answers.Add) }()
	require.Eventually(t, func() bool { return answers.Count() > 500 }, time.Minute, time.Millisecond)
	require.NoError(t, primary.Kill())
	require.Error(t, <-ended)
	require.NoError(t, standby.Promote())
	require.Eventually(t, func() bool { // the same nodes, with the other server
		_, err := nodes[0].Arrive(t.Context(), server.UserKey{App: alice.App + 1, User: "after"}, today, nil)
		return err == nil
	}, time.Minute, 10*time.Millisecond)
	answers.Check(t, nodes[1], countLoaded(t, standby.URL()), answers.Users())
	t.Logf("%d answers for %d users, 0 lost", answers.Count(), answers.Users())
}

// countLoaded counts the accounts of the app that storetest.Load fills.
func countLoaded(t testing.TB, url string) (n int) {
	conn := connection(t, url)
	defer conn.Close(t.Context())
	require.NoError(t, conn.QueryRow(t.Context(), "SELECT count(*) FROM accounts WHERE app = $1", int64(alice.App)).Scan(&n))
	return n
}
