package sqlite

import (
	"sync"

	"github.com/opentim/tim/server/store/internal/format"
)

// mostRecent bounds a recent: to 8 MB, or the marks of 67 million accounts on one day.
const mostRecent = 16384

// A recent keeps the chunks of marks that were lately asked for, as the file has them: a login whose account is not in the
// cache asks whether its day is marked, and ten million accounts have 1.2 MB of marks a day. Only the writer changes marks, and
// says so after its commit. The zero value is empty. It may be used from any goroutine.
type recent struct {
	mu      sync.RWMutex
	chunks  map[format.ChunkKey]*[format.ChunkBytes]byte
	commits uint64
}

// marked reports whether an account has a mark, if that is known. commits is for keep.
func (r *recent) marked(key format.ChunkKey, number int64) (marked, known bool, commits uint64) {
	_, index, bit := format.Place(number)
	r.mu.RLock()
	defer r.mu.RUnlock()
	c := r.chunks[key]
	if c == nil {
		return false, false, r.commits
	}
	return c[index]&bit != 0, true, r.commits
}

// keep adds a chunk that was read after marked was asked, unless a commit came between: then it may be older than that.
func (r *recent) keep(key format.ChunkKey, bits []byte, commits uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if commits != r.commits {
		return
	}
	if r.chunks == nil || len(r.chunks) >= mostRecent {
		r.chunks = make(map[format.ChunkKey]*[format.ChunkBytes]byte)
	}
	c := new([format.ChunkBytes]byte)
	copy(c[:], bits)
	r.chunks[key] = c
}

// committed brings up to date what a commit has changed.
func (r *recent) committed(changed map[format.ChunkKey]*format.Chunk) {
	if len(changed) == 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.commits++
	for key, c := range changed {
		if have := r.chunks[key]; have != nil {
			copy(have[:], c.Bits)
		}
	}
}
