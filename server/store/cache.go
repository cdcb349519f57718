package store

import (
	"hash/maphash"
	"math"
	"sync"
	"time"

	"github.com/opentim/tim/server"
)

// noDay is the day of an entry of which no mark is known.
const noDay server.Day = math.MinInt32

// An entry is what the cache knows of a user: the account, and a day that is marked.
type entry struct {
	account server.Account
	day     server.Day
}

// A fence is a moment in the life of a user's entry. A put whose fence is from before a drop has no effect, so a read that
// was under way while the account changed cannot leave something stale behind.
type fence uint64

// A cache keeps entries of users, so that a known user's further logins of a day cost no SQL. It holds only what is durable:
// entries are put after their commit, never before. It is bounded: when it is full, an entry that was not used lately makes
// room (the clock algorithm). Safe for use from any goroutine.
type cache struct {
	seed   maphash.Seed
	shards [256]shard
}

// A shard is a 256th of the cache. Its lock is held for a few lines and never across a call out.
type shard struct {
	mu    sync.Mutex
	index map[uint64]int32 // where in slots, by hash; of two users with one hash only the later has an entry
	slots []slot
	hand  int // of the clock: the slot to be looked at next
	limit int
	drops fence // counts the drops
}

// A slot is an entry and its key in 72 bytes. It has no pointers, so that a garbage collection does not look at it.
type slot struct {
	app                             uint64
	created, bannedUntil, notBefore int64 // Unix milliseconds, of the zero time too
	day                             server.Day
	banned, used                    bool
	length                          uint8
	user                            [maxUser]byte // length bytes of it, then zeros
}

// maxUser is how long a userID may be to be kept: as long as one that can log in.
const maxUser = 32

func (s *slot) is(key server.UserKey) bool {
	return s.app == key.App && string(s.user[:s.length]) == key.User
}

func (s *slot) key() server.UserKey {
	return server.UserKey{App: s.app, User: string(s.user[:s.length])}
}

func newCache(accounts int) *cache {
	c := &cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i].index = make(map[uint64]int32)
		c.shards[i].limit = max(1, accounts/len(c.shards))
	}
	return c
}

// get returns the entry of a user and whether there is one, and the fence for a put.
func (c *cache) get(key server.UserKey) (entry, fence, bool) {
	hash, s := c.find(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.index[hash]
	if !ok || !s.slots[i].is(key) {
		return entry{day: noDay}, s.drops, false
	}
	s.slots[i].used = true
	return s.slots[i].unpack(), s.drops, true
}

// put keeps an entry, unless somebody was dropped since the fence was taken. (One fence for a whole shard is enough: drops
// are rare, and what is not kept costs the next login a read.)
func (c *cache) put(key server.UserKey, e entry, f fence) {
	if len(key.User) > maxUser {
		return
	}
	hash, s := c.find(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drops != f {
		return
	}
	i, ok := s.index[hash]
	if !ok {
		i = c.room(s)
		s.index[hash] = i
	}
	s.slots[i] = pack(key, e)
}

// drop removes the entry of a user and keeps out what reads and commits that are under way would put.
func (c *cache) drop(key server.UserKey) {
	hash, s := c.find(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drops++
	i, ok := s.index[hash]
	if !ok {
		return
	}
	delete(s.index, hash)
	last := int32(len(s.slots) - 1)
	if i != last { // the last slot moves into the hole
		s.slots[i] = s.slots[last]
		s.index[c.hash(s.slots[i].key())] = i
	}
	s.slots[last] = slot{}
	s.slots = s.slots[:last]
}

// clear drops every entry.
func (c *cache) clear() {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.drops++
		clear(s.index)
		clear(s.slots)
		s.slots, s.hand = s.slots[:0], 0
		s.mu.Unlock()
	}
}

// room returns a free slot of s, which it must be filled at once.
func (c *cache) room(s *shard) int32 {
	if len(s.slots) < s.limit {
		s.slots = append(s.slots, slot{})
		return int32(len(s.slots) - 1)
	}
	for {
		s.hand = (s.hand + 1) % len(s.slots)
		at := &s.slots[s.hand]
		if !at.used {
			delete(s.index, c.hash(at.key()))
			return int32(s.hand)
		}
		at.used = false
	}
}

func (c *cache) find(key server.UserKey) (uint64, *shard) {
	hash := c.hash(key)
	return hash, &c.shards[hash%uint64(len(c.shards))]
}

func (c *cache) hash(key server.UserKey) uint64 {
	return maphash.String(c.seed, key.User) ^ key.App*0x9e3779b97f4a7c15
}

func pack(key server.UserKey, e entry) slot {
	a := e.account
	s := slot{
		app:         key.App,
		length:      uint8(len(key.User)),
		created:     a.CreatedAt.UnixMilli(),
		banned:      a.Banned,
		bannedUntil: a.BannedUntil.UnixMilli(),
		notBefore:   a.NotBefore.UnixMilli(),
		day:         e.day,
	}
	copy(s.user[:], key.User)
	return s
}

func (s *slot) unpack() entry {
	return entry{day: s.day, account: server.Account{
		CreatedAt:   time.UnixMilli(s.created).UTC(),
		Banned:      s.banned,
		BannedUntil: time.UnixMilli(s.bannedUntil).UTC(),
		NotBefore:   time.UnixMilli(s.notBefore).UTC(),
	}}
}

// millis returns t as a store keeps it: in UTC, in whole milliseconds. The zero time stays the zero time.
func millis(t time.Time) time.Time { return time.UnixMilli(t.UnixMilli()).UTC() }
