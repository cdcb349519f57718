package sqlite

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/internal/format"
)

// Accounts of one chunk, each with a goroutine that marks it, deletes it and makes it again, while all others read their own and
// so bring the chunk into memory again and again.
func TestWhatIsKnownOfMarksIsWhatWasCommitted(t *testing.T) {
	db := openDatabase(t, newPath(t))
	var turn sync.Mutex
	update := func(change func(store.Tx) error) {
		turn.Lock()
		defer turn.Unlock()
		assert.NoError(t, db.Update(change))
	}
	check := func(key server.UserKey, want bool, when string) {
		_, marked, err := db.Find(context.Background(), key, today)
		assert.NoError(t, err)
		assert.Equal(t, want, marked, "%s, %s", key.User, when)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		key := numbered(i)
		wg.Go(func() {
			for range 100 {
				update(func(tx store.Tx) error { return tx.Import(key.App, []string{key.User}, time.Now()) })
				check(key, false, "made")
				update(func(tx store.Tx) error { return tx.Arrive([]*store.Arrive{{Key: key, Day: today}}) })
				check(key, true, "logged in")
				update(func(tx store.Tx) error { return tx.Delete(key, time.Now()) })
				if i == 0 { // everything is forgotten, now and then
					db.recent.mu.Lock()
					clear(db.recent.chunks)
					db.recent.mu.Unlock()
				}
			}
		})
	}
	wg.Wait()
}

func TestAChunkReadBeforeACommitIsNotKeptAfterIt(t *testing.T) {
	var r recent
	key := format.ChunkKey{App: alice.App, Day: today, Chunk: 3}
	const number = 3*4096 + 9
	marked := format.NewChunk(nil)
	marked.Mark(number, true)

	_, known, commits := r.marked(key, number)
	require.False(t, known)
	r.committed(map[format.ChunkKey]*format.Chunk{key: format.NewChunk(nil)}) // somebody cleared the mark meanwhile
	r.keep(key, marked.Bits, commits)
	_, known, commits = r.marked(key, number)
	require.False(t, known)

	r.keep(key, marked.Bits, commits)
	is, known, _ := r.marked(key, number)
	require.True(t, known && is)
	is, known, _ = r.marked(key, number+1)
	require.True(t, known && !is)
	r.committed(map[format.ChunkKey]*format.Chunk{key: format.NewChunk(nil)})
	is, known, _ = r.marked(key, number)
	require.True(t, known && !is, "what is known follows the commit")
}

func TestACommitThatFailsChangesNothingThatIsKnown(t *testing.T) {
	db := openDatabase(t, newPath(t))
	require.NoError(t, db.Update(func(tx store.Tx) error {
		return tx.Arrive([]*store.Arrive{{Key: alice, Day: today}})
	}))
	known := func() bool {
		_, marked, err := db.Find(t.Context(), alice, today)
		require.NoError(t, err)
		return marked
	}
	require.True(t, known())
	broken := assert.AnError
	require.ErrorIs(t, db.Update(func(tx store.Tx) error {
		if err := tx.Delete(alice, time.Now()); err != nil {
			return err
		}
		return broken
	}), broken)
	require.True(t, known())
}

func TestOldDaysMakeRoom(t *testing.T) {
	var r recent
	for i := range mostRecent + 10 {
		r.keep(format.ChunkKey{Chunk: int64(i)}, nil, 0)
	}
	require.LessOrEqual(t, len(r.chunks), mostRecent)
	_, known, _ := r.marked(format.ChunkKey{Chunk: mostRecent + 9}, 0)
	require.True(t, known)
}
