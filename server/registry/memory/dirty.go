package memory

import "github.com/opentim/tim/server"

const dirtyMax = 1 << 10 // users of a shard that wait to be written to the journal; if there are more, all are

// A user is one and what the user has. The slice is never changed.
type user struct {
	key      server.UserKey
	sessions []server.Session
}

// changed returns the users whose sessions began or ended since the last call, or says that all must be looked at.
func (sh *shard) changed() (users []user, all bool) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	all = len(sh.dirty) >= dirtyMax
	for _, key := range sh.dirty {
		users = append(users, user{key, sh.users[key]})
	}
	sh.dirty = nil
	return users, all
}

func (sh *shard) everybody() []user {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	users := make([]user, 0, len(sh.users))
	for key, sessions := range sh.users {
		users = append(users, user{key, sessions})
	}
	sh.dirty = nil
	return users
}

// note has a user's sessions written, if other ones are there than before. The lock is held.
func (sh *shard) note(j *journal, key server.UserKey, before, after []server.Session) {
	if len(sh.dirty) < dirtyMax && !sameLogins(before, after) {
		sh.dirty = append(sh.dirty, key)
		j.wake()
	}
}

// sameLogins reports whether the sessions that last are those of the same logins.
func sameLogins(a, b []server.Session) bool {
	i, k := 0, 0
	for {
		for i < len(a) && a[i].Left != nil {
			i++
		}
		for k < len(b) && b[k].Left != nil {
			k++
		}
		switch {
		case i == len(a) || k == len(b):
			return i == len(a) && k == len(b)
		case a[i].ID != b[k].ID || a[i].LoginSeq != b[k].LoginSeq:
			return false
		}
		i, k = i+1, k+1
	}
}
