package memory

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

var ctx = context.Background()

func journalFile(t *testing.T) string { return filepath.Join(t.TempDir(), "sessions.journal") }

// start opens the registry of a node that writes a journal. It is closed with the test.
func start(t testing.TB, path string, node server.NodeID) (*Registry, *bytes.Buffer) {
	t.Helper()
	log := new(bytes.Buffer)
	r := OpenJournal(path, slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, r.Join(ctx, node, nil))
	t.Cleanup(func() { _ = r.Close() })
	return r, log
}

func userKey(i int) server.UserKey {
	return server.UserKey{App: 1400000001, User: fmt.Sprint("user-", i)}
}

// signedIn returns a session with every field that a journal keeps.
func signedIn(seq uint64, on server.NodeID) server.Session {
	return server.Session{
		ID: fmt.Sprint("session-", seq), Instance: fmt.Sprint("instance-", seq), Platform: codes.PlatformIPad, Label: "Anna's iPad \u2713",
		LoginSeq: seq, Node: on, TicketExpires: time.Unix(1_900_000_000, 0),
	}
}

func put(t require.TestingT, r *Registry, key server.UserKey, sessions ...server.Session) {
	require.NoError(t, r.Update(ctx, key, func([]server.Session) ([]server.Session, error) { return sessions, nil }))
}

// reopened returns what the next start finds in a journal, as it is now.
func reopened(t require.TestingT, path string) (*Registry, string) {
	log := new(bytes.Buffer)
	r := OpenJournal(path, slog.New(slog.NewTextHandler(log, nil)))
	return r, log.String()
}

func (r *Registry) has(key server.UserKey) []server.Session { return r.cluster.shard(key).users[key] }

// written waits until the journal says what the registry has.
func written(t testing.TB, r *Registry, path string) {
	t.Helper()
	require.Eventually(t, func() bool {
		next, _ := reopened(t, path)
		return reflect.DeepEqual(r.logins(), next.logins())
	}, 20*time.Second, 5*time.Millisecond)
}

func (r *Registry) waits() bool {
	for i := range r.cluster.shards {
		sh := &r.cluster.shards[i]
		sh.mu.Lock()
		n := len(sh.dirty)
		sh.mu.Unlock()
		if n > 0 {
			return true
		}
	}
	return false
}

// logins returns what a journal should say.
func (r *Registry) logins() map[server.UserKey]string {
	all := map[server.UserKey]string{}
	for i := range r.cluster.shards {
		sh := &r.cluster.shards[i]
		sh.mu.Lock()
		for key, sessions := range sh.users {
			if text := string(appendUser(nil, key, sessions)); text != string(appendUser(nil, key, nil)) {
				all[key] = text
			}
		}
		sh.mu.Unlock()
	}
	return all
}

func TestWhoIsSignedInIsFoundAfterAKill(t *testing.T) {
	path := journalFile(t)
	r, _ := start(t, path, "n.1")
	stays, record := signedIn(1, "n.1"), signedIn(2, "n.1")
	record.Left = &server.Kick{Reason: codes.KickMultipleDevice}
	put(t, r, userKey(1), stays, record)
	put(t, r, userKey(2), signedIn(3, "n.1"))
	put(t, r, userKey(2))
	put(t, r, userKey(3), signedIn(4, "n.1"))
	put(t, r, userKey(3), signedIn(4, "n.1"), signedIn(5, "n.1"))
	written(t, r, path)

	next, said := reopened(t, path) // beside the first, which never closed its file
	require.Empty(t, said)
	require.Equal(t, []server.NodeID{"n.1"}, next.Inherited())
	require.Equal(t, []server.Session{stays}, next.has(userKey(1)), "and no record of who was kicked")
	require.Empty(t, next.has(userKey(2)))
	require.Equal(t, []server.Session{signedIn(4, "n.1"), signedIn(5, "n.1")}, next.has(userKey(3)))

	require.NoError(t, next.Join(ctx, "n.2", nil))
	require.NoError(t, next.Close())
	third, _ := reopened(t, path)
	require.Equal(t, []server.NodeID{"n.2"}, third.Inherited(), "who wrote it last")
	require.Equal(t, []server.Session{signedIn(1, "n.2")}, third.has(userKey(1)))
}

func TestAJournalIsForItsOwnerOnly(t *testing.T) {
	path := journalFile(t)
	start(t, path, "n.1")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	_, said := reopened(t, filepath.Join(t.TempDir(), "none"))
	require.Empty(t, said, "a first start")
}

func TestOnlyLoginsAndEndsAreWritten(t *testing.T) {
	path := journalFile(t)
	r, _ := start(t, path, "n.1")
	one := signedIn(1, "n.1")
	put(t, r, userKey(1), one)
	written(t, r, path)
	before, err := os.Stat(path)
	require.NoError(t, err)
	for i := range 100 { // lost and back again, and renewed
		one.Resumes++
		one.AwayUntil, one.TicketExpires = time.Now(), time.Now().Add(time.Duration(i)*time.Hour)
		put(t, r, userKey(1), one)
	}
	put(t, r, userKey(1), signedIn(1, "n.1"))
	require.False(t, r.waits())
	put(t, r, userKey(2), signedIn(2, "n.1"))
	written(t, r, path)
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.Less(t, after.Size(), before.Size()+200)
}

// A killed process leaves any beginning of what it wrote last; a broken disk, anything.
func TestAJournalIsReadAsFarAsItGoes(t *testing.T) {
	path := journalFile(t)
	r, _ := start(t, path, "n.1")
	const users = 5
	ends := []int64{}
	for i := range users {
		put(t, r, userKey(i), signedIn(uint64(i+1), "n.1"))
		written(t, r, path)
		info, err := os.Stat(path)
		require.NoError(t, err)
		ends = append(ends, info.Size())
	}
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	for cut := range len(whole) + 1 {
		require.NoError(t, os.WriteFile(path, whole[:cut], 0o600))
		next, said := reopened(t, path)
		want := 0
		clean := cut == len(whole)
		for _, end := range ends {
			if int64(cut) >= end {
				want++
			}
			clean = clean || int64(cut) == end
		}
		require.Equal(t, want, len(next.logins()), "cut at %d", cut)
		if !clean && want > 0 {
			require.Contains(t, said, "not everybody")
		}
	}
	for at := range whole {
		broken := bytes.Clone(whole)
		broken[at] ^= 0x55
		require.NoError(t, os.WriteFile(path, broken, 0o600))
		next, said := reopened(t, path)
		require.Less(t, len(next.logins()), users, "byte %d", at)
		require.Contains(t, said, "not everybody")
	}
}

func TestAJournalDoesNotGrowForEver(t *testing.T) {
	path := journalFile(t)
	r, _ := start(t, path, "n.1")
	largest := int64(0)
	for i := range 25_000 {
		put(t, r, userKey(i%7), signedIn(uint64(i+1), "n.1"))
		if i%2500 == 0 {
			written(t, r, path)
			info, err := os.Stat(path)
			require.NoError(t, err)
			largest = max(largest, info.Size())
		}
	}
	written(t, r, path)
	require.Greater(t, largest, int64(journalSlack/4))
	require.Less(t, largest, int64(journalSlack+1<<20))
	require.NoError(t, r.Close())
	require.Greater(t, r.journal.fresh, int64(100), "a new one took its place, with what there was by then")
	require.Less(t, r.journal.fresh, int64(2000))
	next, _ := reopened(t, path)
	for i := range 7 {
		require.Equal(t, r.has(userKey(i)), next.has(userKey(i)))
	}
}

func TestADiskThatTakesNothingStopsNobodyAndIsTriedAgain(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	path := filepath.Join(dir, "sessions.journal")
	r, log := start(t, path, "n.1")
	for i := range 2 * dirtyMax {
		put(t, r, userKey(i), signedIn(uint64(i+1), "n.1"))
	}
	require.NoError(t, os.Mkdir(dir, 0o700))
	written(t, r, path)
	require.NoError(t, r.Close())
	require.Equal(t, 1, bytes.Count(log.Bytes(), []byte("level=ERROR")), "%s", log)
}

func TestMoreChangesThanMayWaitAreWrittenAllTheSame(t *testing.T) {
	path := journalFile(t)
	r, _ := start(t, path, "n.1")
	sh := r.cluster.shard(userKey(0))
	sh.mu.Lock()
	sh.dirty = make([]server.UserKey, dirtyMax) // of users that are gone
	sh.mu.Unlock()
	put(t, r, userKey(0), signedIn(1, "n.1")) // there is no room to note it
	r.journal.wake()
	written(t, r, path)
}

// Whatever happens, a restart finds what a close left.
func TestAJournalSaysWhatTheRegistryHas(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		path := filepath.Join(dir, fmt.Sprint(time.Now().UnixNano()))
		r, _ := reopened(t, path)
		boot := 1
		require.NoError(t, r.Join(ctx, server.NodeID(fmt.Sprint("n.", boot)), nil))
		defer func() { require.NoError(t, r.Close()) }()
		want := map[server.UserKey]int{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			key := userKey(rapid.IntRange(0, 9).Draw(t, "user"))
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				require.NoError(t, r.Close())
				r, _ = reopened(t, path)
				boot++
				require.NoError(t, r.Join(ctx, server.NodeID(fmt.Sprint("n.", boot)), nil))
				for key, n := range want {
					require.Len(t, r.has(key), n)
				}
			case 1, 2:
				put(t, r, key)
				want[key] = 0
			default:
				list := []server.Session{}
				for range rapid.IntRange(1, 3).Draw(t, "sessions") {
					list = append(list, signedIn(rapid.Uint64Range(1, 1<<50).Draw(t, "seq"), r.node))
				}
				put(t, r, key, list...)
				want[key] = len(list)
			}
		}
	})
}

// BenchmarkUpdateJournal is BenchmarkUpdate where each is a new login, with a journal and without.
func BenchmarkUpdateJournal(b *testing.B) {
	for _, name := range []string{"without", "with"} {
		b.Run(name, func(b *testing.B) {
			r := Open()
			if name == "with" {
				r = OpenJournal(filepath.Join(b.TempDir(), "sessions.journal"), slog.New(slog.DiscardHandler))
			}
			require.NoError(b, r.Join(ctx, "n.1", nil))
			defer r.Close()
			keys := make([]server.UserKey, 50_000)
			for i := range keys {
				keys[i] = userKey(i)
			}
			seq := uint64(0)
			b.ReportAllocs()
			for b.Loop() {
				seq++
				one := []server.Session{{ID: "0123456789abcdef", Platform: codes.PlatformIOS, LoginSeq: seq, Node: "n.1", TicketExpires: time.Unix(1, 0)}}
				if err := r.Update(ctx, keys[seq%uint64(len(keys))], func([]server.Session) ([]server.Session, error) { return one, nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
