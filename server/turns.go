package server

import (
	"hash/maphash"
	"sync"
)

// turns let one goroutine at a time do something about a user.
type turns [64]struct {
	mu    sync.Mutex
	users map[UserKey]*turn
	free  []*turn // to be used again
}

type turn struct {
	key  UserKey
	mu   sync.Mutex
	uses int // guarded by turns
}

const freeTurns = 16 // that are kept, of each part

var turnSeed = maphash.MakeSeed()

// take waits for the user's turn; end must follow.
func (t *turns) take(key UserKey) *turn {
	part := &t[maphash.String(turnSeed, key.User)%uint64(len(t))]
	part.mu.Lock()
	u := part.users[key]
	switch last := len(part.free) - 1; {
	case u != nil:
	case last >= 0:
		u = part.free[last]
		part.free = part.free[:last]
	default:
		u = new(turn)
	}
	if part.users == nil {
		part.users = make(map[UserKey]*turn)
	}
	if u.uses++; u.uses == 1 {
		u.key = key
		part.users[key] = u
	}
	part.mu.Unlock()
	u.mu.Lock()
	return u
}

func (t *turns) end(u *turn) {
	u.mu.Unlock()
	part := &t[maphash.String(turnSeed, u.key.User)%uint64(len(t))]
	part.mu.Lock()
	defer part.mu.Unlock()
	if u.uses--; u.uses > 0 {
		return
	}
	delete(part.users, u.key)
	if u.key = (UserKey{}); len(part.free) < freeTurns {
		part.free = append(part.free, u)
	}
}
