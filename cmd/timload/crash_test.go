package main

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	timserver "github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/sqlite"
)

func TestALostAccountIsFoundOut(t *testing.T) {
	p := &product{data: filepath.Join(t.TempDir(), "tim")}
	accounts, err := sqlite.Open(t.Context(), filepath.Join(p.data, storeFile), store.Options{})
	require.NoError(t, err)
	for _, user := range []string{"new_1", "new_2"} {
		_, err := accounts.Arrive(t.Context(), timserver.UserKey{App: appID, User: user}, timserver.DayOf(time.Now(), time.UTC), nil)
		require.NoError(t, err)
	}
	require.NoError(t, accounts.Close())

	missing, err := p.missing(t.Context(), []string{"new_1", "new_2"})
	require.NoError(t, err)
	require.Empty(t, missing)
	missing, err = p.missing(t.Context(), []string{"new_1", "new_3", "new_2", "new_4"})
	require.NoError(t, err)
	require.Equal(t, []string{"new_3", "new_4"}, missing)
}

func TestOneAnswerOfTwoIsAPromise(t *testing.T) {
	b := &book{share: 3, enough: make(chan struct{})}
	cut := errors.New("connection reset")
	b.enter("unanswered", 1, 0, cut)
	b.enter("answered", 1, 1, nil)
	b.enter("half", 2, 1, cut)
	b.enter("both unanswered", 2, 0, cut)
	select {
	case <-b.enough:
		t.Fatal("two are not three")
	default:
	}
	b.enter("pair", 2, 2, nil)
	<-b.enough
	require.Equal(t, []string{"answered", "half", "pair"}, b.users)
	require.Equal(t, 2, b.pairs)
	require.Equal(t, 1, b.halves)
	require.Equal(t, 3, b.count())
}
