package server

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	absencesWaiting = 1 << 16 // users; the ends of more are not noted
	absencesAtOnce  = 128     // users in one commit, so that logins come through between them
	endingsWaiting  = 64      // of one user; the oldest are forgotten first
	absencesRetry   = time.Second
)

// absences notes in the store which phones and tablets did not come back. It hears of sessions that end, and of no login: those
// cost nothing.
type absences struct {
	s       *Sessions
	mu      sync.Mutex
	waiting map[UserKey][]ending
	full    bool
	some    chan struct{} // cap 1
}

// Changed implements Observer.
func (a *absences) Changed(c Change) {
	over := find(c.Sessions, c.Session.ID) == nil
	if over && c.Action != LoggedIn {
		a.note(c.Key, ending{c.Session, c.Action == TimedOut && Reachable(c.Session.Platform), c.At})
	}
}

func (a *absences) note(key UserKey, e ending) {
	app := a.s.apps[key.App]
	if app == nil || !concerns(e.session.Platform, *app.settings.Load()) {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) >= absencesWaiting && a.waiting[key] == nil {
		if !a.full {
			a.s.log.Error("store: it does not take absences; some devices will be Offline rather than PushOnline")
		}
		a.full = true
		return
	}
	a.waiting[key] = latest(append(a.waiting[key], e))
	select {
	case a.some <- struct{}{}:
	default:
	}
}

// run brings what is noted to the store, until Close.
func (a *absences) run() {
	for {
		select {
		case <-a.some:
		case <-a.s.background.Done():
			return
		}
		if err := a.flush(a.s.background); err != nil && a.s.background.Err() == nil {
			a.s.log.Warn("store: absences could not be written; trying again", "error", err)
			pause(a.s.background, absencesRetry)
		}
	}
}

// flush writes all that is noted now. After an error what is left is still noted.
func (a *absences) flush(ctx context.Context) error {
	for {
		batch := a.take()
		if len(batch) == 0 {
			return nil
		}
		now := time.Now()
		err := a.s.o.Store.UpdateAbsences(ctx, slices.Collect(maps.Keys(batch)), func(key UserKey, list []Absence) []Absence {
			return afterEndings(list, batch[key], *a.s.apps[key.App].settings.Load(), now)
		})
		if err != nil {
			a.putBack(batch)
			return err
		}
	}
}

func (a *absences) take() map[UserKey][]ending {
	a.mu.Lock()
	defer a.mu.Unlock()
	batch := make(map[UserKey][]ending)
	for key, ends := range a.waiting {
		if len(batch) == absencesAtOnce {
			break
		}
		batch[key] = ends
		delete(a.waiting, key)
	}
	if len(a.waiting) == 0 {
		a.waiting, a.full = make(map[UserKey][]ending), false // the old map has grown for good
	}
	return batch
}

func (a *absences) putBack(batch map[UserKey][]ending) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for key, ends := range batch {
		a.waiting[key] = latest(append(ends, a.waiting[key]...))
	}
	select {
	case a.some <- struct{}{}:
	default:
	}
}

func latest(ends []ending) []ending { return ends[max(len(ends)-endingsWaiting, 0):] }

// leave notes the devices that are away when this node stops: a registry that ends with it will not release them.
func (a *absences) leave(ctx context.Context) {
	now := time.Now()
	for i := range a.s.held.shards {
		sh := &a.s.held.shards[i]
		sh.mu.Lock()
		for _, h := range sh.held {
			if h.state == away && Reachable(h.platform) {
				a.note(h.key, ending{h.session(), true, now})
			}
		}
		sh.mu.Unlock()
	}
	if err := a.flush(ctx); err != nil {
		a.s.log.Warn("store: absences could not be written", "error", err)
	}
}
