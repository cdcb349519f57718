package core

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

func TestOpenNamesAllMistakesAtOnce(t *testing.T) {
	_, err := Open(Options{
		Label: strings.Repeat("x", 65), Instance: "ä", SDK: strings.Repeat("x", 65), LoginTimeout: -1, Platform: 8, LogLevel: 99,
	})
	require.ErrorIs(t, err, codes.InvalidParameters)
	for _, field := range []string{"URL", "App", "Platform", "Label", "Instance", "SDK", "LoginTimeout", "LogLevel"} {
		require.ErrorContains(t, err, field)
	}
}

func TestURLsAreCheckedBeforeATicketTravels(t *testing.T) {
	for _, tt := range []struct {
		url      string
		insecure bool
		want     string
	}{
		{"wss://tim.example.com/tim", false, ""},
		{"ws://127.0.0.1:7700", false, ""},
		{"ws://localhost/", false, ""},
		{"ws://[::1]:7700/", false, ""},
		{"ws://[::ffff:127.0.0.1]/", false, ""},
		{"ws://tim.example.com/", true, ""},
		{"ws://tim.example.com/", false, "in the clear"},
		{"ws://127.0.0.1.example.com/", false, "in the clear"},
		{"ws://localhost.example.com/", false, "in the clear"},
		{"https://tim.example.com/", false, "must be wss://"},
		{"tim.example.com", false, "must be wss://"},
		{"wss:///path", false, "must be wss://"},
		{"wss://%zz", false, "must be wss://"},
		{"wss://user:hunter2@tim.example.com/", false, "neither a user"},
		{"", false, "missing"},
	} {
		got := checkURL(tt.url, tt.insecure)
		require.NotContains(t, got, "hunter2")
		if tt.want == "" {
			require.Empty(t, got, tt.url)
		} else {
			require.Contains(t, got, tt.want, tt.url)
		}
	}
}

func open1(t *testing.T, dir string) (instance string) {
	t.Helper()
	o := Options{URL: "wss://tim.example.com", App: 1, Platform: codes.PlatformLinux, DataDir: dir}
	c, err := Open(o)
	require.NoError(t, err)
	c.Close()
	id, err := instanceID(dir)
	require.NoError(t, err)
	return id
}

func TestTheInstanceStaysOverRestarts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "when", "missing")
	id := open1(t, dir)
	require.Regexp(t, "^[A-Z2-7]{26}$", id)
	require.Equal(t, id, open1(t, dir))

	file := filepath.Join(dir, "instance")
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing temporary is left")

	require.NoError(t, os.WriteFile(file, []byte("spo\x00ilt"), 0o600))
	again := open1(t, dir)
	require.NotEqual(t, id, again)
	require.Equal(t, again, open1(t, dir))
}

func TestWithoutADataDirEveryClientIsAnInstanceOfItsOwn(t *testing.T) {
	require.NotEqual(t, open1(t, ""), open1(t, ""))
}

func TestClientsThatStartTogetherAgreeAboutTheInstance(t *testing.T) {
	for range 20 {
		dir := t.TempDir()
		ids := make([]string, 8)
		var all sync.WaitGroup
		for i := range ids {
			all.Go(func() { ids[i], _ = instanceID(dir) })
		}
		all.Wait()
		for _, id := range ids {
			require.Equal(t, ids[0], id)
		}
	}
}

func TestADataDirThatCannotBeUsedIsSaidAtOpen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		_, err := Open(Options{URL: "wss://tim.example.com", App: 1, Platform: codes.PlatformLinux, DataDir: dir})
		require.ErrorIs(t, err, codes.LocalIOFailed)
	}
}

func TestMomentsPassByEitherClock(t *testing.T) {
	start := moment{1_000_000 * time.Second, time.Hour}
	at := start.add(time.Minute)
	require.False(t, at.reached(start.add(59*time.Second)))
	require.True(t, at.reached(start.add(time.Minute)))
	require.True(t, at.reached(moment{start.wall + time.Hour, start.mono}), "asleep")
	require.True(t, at.reached(moment{start.wall - time.Hour, start.mono + time.Minute}), "set back")
	require.False(t, moment{}.reached(at), "no moment never comes")
	require.Equal(t, time.Hour, start.since(moment{start.wall + time.Hour, start.mono + time.Second}))
}
