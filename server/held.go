package server

import (
	"hash/maphash"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
)

// A Held is a session that a connection of this node holds. It begins with a Grant and ends once: by Lost, Logout, a kick,
// its ticket's end, or a newer connection of the same session.
type Held struct {
	sessions *Sessions
	key      UserKey
	conn     Conn
	id       string
	instance string
	label    string
	loginSeq uint64
	platform codes.Platform
	day      Day // the last that is marked for the user, as far as the session knows; never changes once it is granted

	// Guarded by the table.
	resumes uint32
	expires int64  // Unix seconds
	round   uint32 // of the sweep, when the key was last found to be right
	state   heldState
	meek    bool  // admitted provisionally where nobody may have to leave for it
	early   *Kick // came while arriving

	timer Timer // ticket while held, release while away
}

type heldState uint8

const (
	arriving heldState = iota // not admitted yet
	holding
	away // its connection is lost; kept only to release it
	over
)

// Key returns whose session it is.
func (h *Held) Key() UserKey { return h.key }

// LogValue says which session h is, for a log.
func (h *Held) LogValue() slog.Value {
	return slog.GroupValue(slog.Uint64("app", h.key.App), slog.String("user", h.key.User),
		slog.String("platform", h.platform.String()), slog.String("id", h.id))
}

// session returns h as it should be in its key. The caller holds the table's lock or is the only one that knows h.
func (h *Held) session() Session {
	return Session{
		ID: h.id, Instance: h.instance, Platform: h.platform, Label: h.label,
		LoginSeq: h.loginSeq, Resumes: h.resumes, Node: h.sessions.o.Node, TicketExpires: time.Unix(h.expires, 0),
	}
}

// A table knows what this node holds, by session ID. A session is expected before the registry is asked to admit it, so that
// a kick that comes sooner than the registry's answer finds it.
type table struct {
	seed   maphash.Seed
	shards [tableShards]tableShard
}

const tableShards = 64

type tableShard struct {
	mu       sync.Mutex
	held     map[string]*Held // one for each session: holding, or away until its release
	live     int              // how many of them are holding
	arriving []*Held
}

func newTable() *table {
	t := &table{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].held = make(map[string]*Held)
	}
	return t
}

func (t *table) shard(id string) *tableShard {
	return &t.shards[maphash.String(t.seed, id)%tableShards]
}

// expect notes that h may be admitted soon. hold or forget must follow.
func (t *table) expect(h *Held) {
	sh := t.shard(h.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.arriving = append(sh.arriving, h)
}

// forget drops an h that was expected and was not admitted.
func (t *table) forget(h *Held) {
	sh := t.shard(h.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.arrived(h)
	h.state = over
}

func (sh *tableShard) arrived(h *Held) {
	i := slices.Index(sh.arriving, h)
	last := len(sh.arriving) - 1
	sh.arriving[i], sh.arriving[last] = sh.arriving[last], nil
	sh.arriving = sh.arriving[:last]
}

// hold makes an h that was expected the connection of its session, unless a kick overtook it: then that is returned. The
// session's older connection, if this node has one, is returned for its Conn to be told; it may be h itself.
func (t *table) hold(h *Held) (early *Kick, older *Held) {
	sh := t.shard(h.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.arrived(h)
	if k := h.early; k != nil && (k.Reason != 0 || h.resumes < k.Resumes) {
		h.state = over
		return k, nil
	}
	older = sh.held[h.id]
	live := older != nil && older.state == holding
	if live && older.resumes > h.resumes {
		h.state = over
		return nil, h
	}
	if older != nil {
		sh.drop(older)
	}
	sh.held[h.id] = h
	sh.live++
	h.state = holding
	h.armTicket(time.Now())
	if !live {
		older = nil
	}
	return nil, older
}

// end takes h out of the table and reports whether it was held until then.
func (t *table) end(h *Held) bool {
	sh := t.shard(h.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if h.state != holding {
		return false
	}
	sh.drop(h)
	return true
}

// lose makes h away, to be released after grace, and reports whether it was held until then.
func (t *table) lose(h *Held, grace time.Duration) bool {
	sh := t.shard(h.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if h.state != holding {
		return false
	}
	sh.live--
	h.state = away
	h.sessions.wheel.Start(&h.timer, grace, h.release)
	return true
}

// isAway reports whether h waits for its release.
func (t *table) isAway(h *Held) bool {
	sh := t.shard(h.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return h.state == away
}

// released takes out an h that is away and reports whether it still was.
func (t *table) released(h *Held) bool {
	sh := t.shard(h.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if h.state != away {
		return false
	}
	sh.drop(h)
	return true
}

// replaced drops what is away of a session that needs no release any more, so that neither it nor its timer stays for the
// grace period.
func (t *table) replaced(id string) {
	sh := t.shard(id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if h := sh.held[id]; h != nil && h.state == away {
		sh.drop(h)
	}
}

// drop ends what is holding or away.
func (sh *tableShard) drop(h *Held) {
	delete(sh.held, h.id)
	if h.state == holding {
		sh.live--
	}
	h.state = over
	h.sessions.wheel.Cancel(&h.timer)
}

// kick takes out what k is meant for and returns it, and reports whether anybody is told, now or on arrival.
func (t *table) kick(k Kick) (h *Held, told bool) {
	sh := t.shard(k.Session)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for _, a := range sh.arriving {
		if a.id == k.Session && (a.early == nil || a.early.Reason == 0) {
			a.early = &k
			told = true
		}
	}
	h = sh.held[k.Session]
	if h == nil || !h.endsBy(k) {
		return nil, told
	}
	live := h.state == holding
	if sh.drop(h); !live {
		return nil, told
	}
	return h, true
}

// endsBy reports whether k is meant for h.
func (h *Held) endsBy(k Kick) bool {
	return h.loginSeq == k.LoginSeq && (k.Reason != 0 || h.resumes < k.Resumes)
}

// with calls f with the table's lock if h is held, and reports whether it is. f must not block.
func (t *table) with(h *Held, f func()) bool {
	sh := t.shard(h.id)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if h.state != holding {
		return false
	}
	f()
	return true
}

// seen marks what holds a session as it is kept in its key, in this round of the sweep. It reports whether the session is
// held or arriving at all.
func (t *table) seen(kept *Session, round uint32) bool {
	sh := t.shard(kept.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if h := sh.held[kept.ID]; h != nil && h.state == holding {
		if h.resumes == kept.Resumes && h.expires == kept.TicketExpires.Unix() {
			h.round = round
		}
		return true
	}
	return slices.ContainsFunc(sh.arriving, func(h *Held) bool { return h.id == kept.ID })
}

// len returns how many sessions are held.
func (t *table) len() int {
	n := 0
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		n += sh.live
		sh.mu.Unlock()
	}
	return n
}

// all calls f with everything that is held, in no order and without a lock. What comes meanwhile may be missed.
func (t *table) all(f func(h *Held) bool) {
	for i := range t.shards {
		sh := &t.shards[i]
		sh.mu.Lock()
		list := make([]*Held, 0, sh.live)
		for _, h := range sh.held {
			if h.state == holding {
				list = append(list, h)
			}
		}
		sh.mu.Unlock()
		for _, h := range list {
			if !f(h) {
				return
			}
		}
	}
}
