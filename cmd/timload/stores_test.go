package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/internal/wire"
	rules "github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/sqlite"
)

func TestAStoreIsMadeOnceAndItsLoginsWriteNothing(t *testing.T) {
	const accounts = 5000
	parent := t.TempDir()
	half := filepath.Join(parent, "5k.half")
	require.NoError(t, os.Mkdir(half, 0o700), "what an interrupted run left")
	require.NoError(t, os.WriteFile(filepath.Join(half, storeFile), []byte("half a store"), 0o600))

	dir, err := sizedStore(t.Context(), parent, accounts)
	require.NoError(t, err)
	require.NoDirExists(t, half)
	path := filepath.Join(dir, storeFile)
	made, err := os.Stat(path)
	require.NoError(t, err)
	for range 2 {
		s, err := sqlite.Open(t.Context(), path, store.Options{})
		require.NoError(t, err)
		today := rules.DayOf(time.Now(), time.UTC)
		for i := range accounts {
			a, err := s.Arrive(t.Context(), rules.UserKey{App: appID, User: userName(i)}, today, nil)
			require.NoError(t, err)
			require.False(t, a.New || a.FirstToday, "%d", i)
			require.WithinDuration(t, time.Now(), a.CreatedAt, time.Hour)
		}
		_, err = s.Account(t.Context(), rules.UserKey{App: appID, User: userName(accounts)})
		require.Error(t, err, "there are no more")
		require.NoError(t, s.Close())

		again, err := sizedStore(t.Context(), parent, accounts)
		require.NoError(t, err)
		require.Equal(t, dir, again)
	}
	kept, err := os.Stat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(made, kept))
}

func TestAStoreThatDoesNotFitIsNotBegun(t *testing.T) {
	_, err := sizedStore(t.Context(), t.TempDir(), math.MaxInt/100)
	require.ErrorContains(t, err, "MB are free")
}

func TestSizesHaveShortNames(t *testing.T) {
	for n, want := range map[int]string{1: "1", 999: "999", 1000: "1k", 1500: "1500", 10_000: "10k", 1_000_000: "1M", 1_500_000: "1500k", 10_000_000: "10M"} {
		require.Equal(t, want, sizeName(n))
	}
}

func TestUsersAreDrawnFromAll(t *testing.T) {
	frames, err := drawnLogins(t.Context(), 3, 200)
	require.NoError(t, err)
	users := map[string]bool{}
	for _, frame := range frames {
		login, err := wire.Decode(frame)
		require.NoError(t, err)
		users[login.(*wire.Login).User] = true
	}
	require.Equal(t, map[string]bool{userName(0): true, userName(1): true, userName(2): true}, users)
}
