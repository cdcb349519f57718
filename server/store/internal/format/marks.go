package format

import (
	"math/bits"

	"github.com/opentim/tim/server"
)

// ChunkBytes is the size of a chunk of marks: the bits of 4096 accounts on one day.
const ChunkBytes = 512

// Place returns where the mark of an account is: in which chunk, which byte and which bit.
func Place(number int64) (chunk int64, index int, bit byte) {
	return number / (8 * ChunkBytes), int(number % (8 * ChunkBytes) / 8), 1 << (number % 8)
}

// A ChunkKey says which accounts' marks of which day a chunk has.
type ChunkKey struct {
	App   uint64
	Day   server.Day
	Chunk int64
}

// A Chunk is in memory while a transaction uses it; those that Changed are written at its end, each once, however many
// marks it got.
type Chunk struct {
	Bits    []byte
	Changed bool
}

// NewChunk returns a chunk with the marks that a database has, or nil, of it.
func NewChunk(marks []byte) *Chunk {
	if len(marks) < ChunkBytes {
		marks = append(marks, make([]byte, ChunkBytes-len(marks))...)
	}
	return &Chunk{Bits: marks}
}

// Mark sets or clears the mark of an account of this chunk and reports whether it was not so before.
func (c *Chunk) Mark(number int64, set bool) bool {
	_, index, bit := Place(number)
	if (c.Bits[index]&bit != 0) == set {
		return false
	}
	c.Bits[index] ^= bit
	c.Changed = true
	return true
}

// A Union counts the accounts that have a mark in any of the chunks that were added. Its zero value has none.
type Union struct {
	Accounts int64
	chunks   map[int64]*[ChunkBytes]byte
}

// Add adds the marks of one day. It does not keep them.
func (u *Union) Add(chunk int64, marks []byte) {
	if u.chunks == nil {
		u.chunks = make(map[int64]*[ChunkBytes]byte)
	}
	have := u.chunks[chunk]
	if have == nil {
		have = new([ChunkBytes]byte)
		u.chunks[chunk] = have
	}
	for i, b := range marks[:min(len(marks), ChunkBytes)] {
		u.Accounts += int64(bits.OnesCount8(b &^ have[i]))
		have[i] |= b
	}
}
