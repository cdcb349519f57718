//go:build unix

package postgres

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server/store"
)

func TestNoErrorAndNoMaskedURLHasThePassword(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	nobody := free.Addr().String()
	require.NoError(t, free.Close())
	for _, url := range []string{
		"postgres://tim:hush@" + nobody + "/tim",
		"postgres://tim:hush@" + nobody + "/tim?sslmode=sideways",
		"postgres://tim:hush@" + nobody + "/tim?pool_max_conns=many",
		"postgres://" + nobody + "/tim?user=tim&password=hush",
		"postgres://" + nobody + "/tim?user=tim&sslpassword=hush",
		"postgres://tim:hush/hush@" + nobody + "/tim",
		"postgres://tim:hush%zz@" + nobody + "/tim",
		"postgres://tim:hush@hush@" + nobody + "/tim",
		"postgres://tim:hush#" + nobody + "/tim",
		"postgres://tim:hush@" + nobody + "/tim?synchronous_commit=off",
		"mysql://tim:hush@" + nobody + "/tim",
		"host=" + nobody + " password=hush",
	} {
		require.NotContains(t, Masked(url), "hush")
		_, err := Open(t.Context(), url, store.Options{})
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "hush")
		t.Log(err)
	}
	require.Equal(t, "postgres://tim:xxxxx@db/tim", Masked("postgres://tim:hush@db/tim"))
}

func TestAURLThatCannotBeMeantIsRefusedWithoutAConnection(t *testing.T) {
	for url, want := range map[string]string{
		"tim.db":                                   "it is no URL such as",
		"postgres://db/tim?sslmode=sideways":       "sslmode is invalid",
		"postgres://tim:a/b@db/tim":                "PGPASSFILE",
		"postgres://db/tim?synchronous_commit=off": "would lose what was answered",
	} {
		require.ErrorContains(t, Check(url), want)
	}
	for _, url := range []string{"postgres://db/tim", "postgresql://tim@a,b:5433/tim?target_session_attrs=primary&pool_max_conns=20"} {
		require.NoError(t, Check(url))
	}
}

func TestEverySessionHasWhatDurabilityNeeds(t *testing.T) {
	d := openDatabase(t, newURL(t))
	for setting, want := range map[string]string{
		"synchronous_commit": "on", "idle_in_transaction_session_timeout": "3s", "application_name": "tim", "statement_timeout": "5s",
	} {
		var got string
		require.NoError(t, d.writing.QueryRow(t.Context(), "SELECT current_setting($1)", setting).Scan(&got))
		require.Equal(t, want, got, setting)
	}
}
