package server

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
)

// An Action is what became of a session, in the words of the State.StateChange webhook.
type Action uint8

const (
	LoggedIn   Action = iota + 1 // it was logged in or came back
	LoggedOut                    // it was logged out, its ticket ended, or it was ended with nobody taking its place
	LinkClosed                   // its connection was lost: it may come back
	TimedOut                     // its node died, or it did not come back in time
)

// A Change is what became of a session, and what the user has after that.
type Change struct {
	Key    UserKey
	Action Action
	// Revision orders what becomes of a user: of two Changes the one with the higher Revision tells the newer truth, whichever
	// nodes made them. The key keeps that of the last. It counts microseconds like a LoginSeq, and is below 2^53 until the
	// year 2255.
	Revision uint64
	At       time.Time
	Session  Session
	Address  netip.Addr // of the client, for LoggedIn; invalid if it is not known
	// Kicked are the platforms of those who had to leave for the session, which get no Change of their own.
	Kicked []codes.Platform
	// Sessions are those of the user that last, away ones included, oldest login first. The observer must not alter them.
	Sessions []Session
}

// An Observer is told of every change that this node made in the registry. It is not told what a node was about to say when it
// was killed; what it leaves behind is found by another node, or after its own restart, and told as TimedOut. A registry that
// lost everything gets its sessions back as LoggedIn.
type Observer interface {
	// Changed comes after the change is in the registry: one call after the other for a user, in the order of Revision, and
	// from any goroutine. It must not block, and must not call back into Sessions.
	Changed(Change)
}

// A Recorder is an Observer that knows after a restart what it was told before.
type Recorder interface {
	Observer
	// LastRevision returns the highest Revision that it was told before it was opened: this node gives none that is lower.
	LastRevision() uint64
	// Told returns what the last Change of each user told, for users who had Sessions then: those who come after a key, in an
	// order of its own that begins with the zero key, and at most so many. It knows nothing of what other nodes told, and so is
	// asked only where there are none.
	Told(ctx context.Context, after UserKey, most int) ([]Telling, error)
}

// A Telling is what an Observer was told that a user has. Of the Sessions, it knows who they are.
type Telling struct {
	Key      UserKey
	Sessions []Session
}

// watched is a Registry whose changes Observers are told of. The user's turn is held from the change to the telling, so that
// an observer hears of changes in the order in which they happened.
type watched struct {
	Registry
	sessions  *Sessions
	observers []Observer
	numbered  bool // somebody wants to know revisions; otherwise keys do without
	revisions clock
	turns     turns
	doubts    doubts
}

// revision returns one that is higher than n and than all that this node gave, and now by the cluster's clock if that is
// possible: so it is also higher than what other nodes gave to a key that has forgotten it. It has a clock of its own, because
// a key may have the revision of a node whose clock was wrong: LoginSeqs must not follow that.
func (w *watched) revision(n uint64) uint64 {
	return w.revisions.after(max(n, w.sessions.clock.next()-1))
}

func (w *watched) Update(ctx context.Context, key UserKey, change func([]Session) ([]Session, error)) error {
	turn := w.turns.take(key)
	defer w.turns.end(turn)
	t := tellings.Get().(*telling)
	defer t.free()
	t.w, t.key, t.change = w, key, change
	err := w.Registry.Revise(ctx, key, t.update)
	if errors.Is(err, ErrUnavailable) && !t.wanted {
		return err // what it was given may be what was so once
	}
	if t.proved != nil {
		w.tell(key, t.proved)
		w.doubts.end(key)
	}
	switch {
	case err == nil:
		w.tell(key, t.told)
		w.doubts.end(key)
	case t.wanted: // it may be in the registry all the same
		w.doubts.add(key, t.told)
	case t.asked:
		w.doubts.end(key)
	}
	return err
}

func (w *watched) tell(key UserKey, told []Change) {
	now := time.Now()
	for _, c := range told {
		c.Key, c.At = key, now
		if c.Action == LoggedIn {
			c.Address = w.sessions.held.address(c.Session.ID)
		}
		for _, o := range w.observers {
			o.Changed(c)
		}
	}
}

// A telling is what a change of a key comes to. Every login makes one, so it is used again.
type telling struct {
	w      *watched
	key    UserKey
	change func([]Session) ([]Session, error)
	update func([]Session, uint64) ([]Session, uint64, error) // of this telling

	// What the last call of change came to.
	asked  bool     // there was one
	wanted bool     // it asked for a write
	told   []Change // what to tell if that succeeds
	room   [2]Change
	proved []Change // what to tell of an earlier write, which was in doubt
}

var tellings = sync.Pool{New: func() any {
	t := new(telling)
	t.update = t.observe
	return t
}}

func (t *telling) free() {
	*t = telling{update: t.update}
	tellings.Put(t)
}

func (t *telling) observe(before []Session, revision uint64) ([]Session, uint64, error) {
	t.proved = t.w.doubts.proved(t.key, revision)
	after, err := t.change(before)
	t.asked, t.wanted, t.told = true, err == nil, nil
	if err != nil {
		return nil, 0, err
	}
	t.told = changes(t.room[:0], before, after, t.w.sessions.o.Node)
	if t.w.numbered {
		for i := range t.told {
			revision = t.w.revision(max(revision, newest(before, after)))
			t.told[i].Revision = revision
		}
	}
	return after, revision, nil
}

// changes tells two states of a key apart, as the node sees it that made the second of the first. It appends to list.
func changes(list []Change, before, after []Session, node NodeID) []Change {
	var kicked []Session
	var came *Session
	for i := range after {
		if a := &after[i]; a.Left == nil && a.AwayUntil.IsZero() {
			b := find(before, a.ID)
			if b == nil || a.Resumes > b.Resumes || !b.AwayUntil.IsZero() {
				came = a
			}
		}
	}
	for i := range before {
		b := &before[i]
		if b.Left != nil {
			continue
		}
		switch a := find(after, b.ID); {
		case a == nil && came != nil && came.Instance == b.Instance && came.Platform == b.Platform: // it replaced itself
		case a == nil && b.AwayUntil.IsZero():
			list = append(list, Change{Action: LoggedOut, Session: *b})
		case a == nil:
			list = append(list, Change{Action: TimedOut, Session: *b})
		case a.Left != nil:
			kicked = append(kicked, *b)
		case b.AwayUntil.IsZero() && !a.AwayUntil.IsZero() && b.Node == node:
			list = append(list, Change{Action: LinkClosed, Session: *a})
		case b.AwayUntil.IsZero() && !a.AwayUntil.IsZero():
			list = append(list, Change{Action: TimedOut, Session: *a})
		}
	}
	if came == nil {
		for _, k := range kicked {
			list = append(list, Change{Action: LoggedOut, Session: k})
		}
	} else {
		login := Change{Action: LoggedIn, Session: *came}
		for _, k := range kicked {
			login.Kicked = append(login.Kicked, k.Platform)
		}
		list = append(list, login)
	}
	set := after
	if slices.ContainsFunc(after, func(s Session) bool { return s.Left != nil }) {
		set = lasting(after)
	}
	for i := range list {
		list[i].Sessions = set
	}
	return list
}

func find(sessions []Session, id string) *Session {
	i := slices.IndexFunc(sessions, func(s Session) bool { return s.ID == id })
	if i < 0 {
		return nil
	}
	return &sessions[i]
}

// newest returns the newest LoginSeq.
func newest(lists ...[]Session) uint64 {
	var seq uint64
	for _, list := range lists {
		for i := range list {
			seq = max(seq, list[i].LoginSeq)
		}
	}
	return seq
}

// address returns where the session is connected that arrives at this node, or is held by it.
func (t *table) address(id string) netip.Addr {
	sh := t.shard(id)
	sh.mu.Lock()
	h := sh.held[id]
	if h != nil && h.state != holding {
		h = nil
	}
	if i := slices.IndexFunc(sh.arriving, func(a *Held) bool { return a.id == id }); i >= 0 {
		h = sh.arriving[i]
	}
	sh.mu.Unlock()
	if h == nil {
		return netip.Addr{}
	}
	return h.conn.RemoteAddr()
}
