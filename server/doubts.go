package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	maxDoubts  = 1 << 16 // users
	doubtsEach = 4       // of one user; the oldest are forgotten first
)

// doubts are changes whose write the registry did not answer: it may have happened or not. Whoever looks at the key next finds
// out by its revision, and then they are told. There may be several of a user, if nobody could look in between: at most one of
// them is what the key has.
type doubts struct {
	count atomic.Int32 // of users: mostly 0, and then nobody has to wait for mu
	mu    sync.Mutex
	users map[UserKey][][]Change
}

func (d *doubts) add(key UserKey, told []Change) {
	if len(told) == 0 || told[0].Revision == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.users == nil {
		d.users = make(map[UserKey][][]Change)
	}
	if list, known := d.users[key]; known || len(d.users) < maxDoubts {
		list = append(list, slices.Clone(told))
		d.users[key] = list[max(len(list)-doubtsEach, 0):]
	}
	d.count.Store(int32(len(d.users)))
}

func (d *doubts) end(key UserKey) {
	if d.count.Load() == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.users, key)
	d.count.Store(int32(len(d.users)))
}

func (d *doubts) list() (keys []UserKey) {
	if d.count.Load() == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for key := range d.users {
		keys = append(keys, key)
	}
	return keys
}

// clear looks at every key with a change in doubt, in case nobody else does.
func (w *watched) clear(ctx context.Context) {
	for _, key := range w.doubts.list() {
		err := w.Update(ctx, key, func([]Session) ([]Session, error) { return nil, errDecided })
		if errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			return // comes again soon
		}
	}
}

// proved returns the changes that were in doubt, if the key has their revision: they happened. If it has a higher one, another
// node told what the user has since. A key without a trace has forgotten that it was emptied.
func (d *doubts) proved(key UserKey, revision uint64) []Change {
	if d.count.Load() == 0 {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, told := range slices.Backward(d.users[key]) {
		last := &told[len(told)-1]
		if revision == last.Revision || revision == 0 && len(last.Sessions) == 0 {
			return told
		}
	}
	return nil
}
