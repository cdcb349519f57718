package server

import (
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
)

// remember is how long a kicked session stays in its key as a record; maxRecords is how many do: the oldest are forgotten
// first.
const (
	remember   = 10 * time.Minute
	maxRecords = 16
)

// errDecided stops an Update whose outcome needs no write.
var errDecided = errors.New("decided without a write")

type admissionKind uint8

const (
	login   admissionKind = iota // the newest of all: it stays, and may push out others
	resume                       // an older login on a new connection
	restore                      // a session that this node holds and writes back because its key says something else
)

// An admission puts one session into its user's key and finds out who has to leave. Its change is pure but for the outcome,
// which each call makes anew: what the last call came to counts.
type admission struct {
	kind     admissionKind
	key      UserKey
	session  Session // what the connection knows of it; a login's LoginSeq is the clock's stamp
	settings Settings
	now      time.Time
	meek     bool // an engine logs in by itself: it stays out rather than push out others
	vouched  bool // the account may be signed in: only then is an older login admitted that the key does not know

	outcome
	room admissionRoom
}

// An admissionRoom is where most changes find room for what they look at; what they store is a copy.
type admissionRoom struct {
	change func(sessions []Session) ([]Session, error) // of this admission
	list   [4]Session
	gone   [2]Departure
}

var admissions = sync.Pool{New: func() any {
	a := new(admission)
	a.room.change = a.change
	return a
}}

// newAdmission returns an admission to be filled in and freed. A login makes several kilobytes of garbage less that way.
func newAdmission() *admission { return admissions.Get().(*admission) }

// free ends the use of a and of what its outcome lists.
func (a *admission) free() {
	*a = admission{room: admissionRoom{change: a.room.change}}
	admissions.Put(a)
}

type outcome struct {
	stored Session // the session as it is kept, unless it was refused
	before Session // the same session as it was kept before; its ID is empty if it was not
	repeat bool    // the same instance was signed in before
	gone   []Departure

	refused *Kick // why the session had to leave or stays out
	unknown bool  // the key does not know the session, and nobody vouched: nothing was written
	moved   bool  // it came back on a newer connection already: nothing was written
	settled bool  // the key knew all of it: nothing was written
	marked  bool  // an administrator ended sessions of this user a short while ago
}

// change is what Registry.Update calls.
func (a *admission) change(sessions []Session) ([]Session, error) {
	a.outcome = outcome{stored: a.session}
	list := a.others(sessions)
	if a.kind == login {
		a.stored.LoginSeq = loginSeq(a.session.LoginSeq, sessions)
	} else if a.comeBack(); a.refused != nil || a.unknown || a.moved || a.settled {
		return nil, errDecided
	}
	at, _ := slices.BinarySearchFunc(list, a.stored, byLogin)
	list = slices.Insert(list, at, a.stored)
	list, a.gone = settleInto(a.room.gone[:0], a.key, list, a.settings, a.now)
	a.gone = slices.DeleteFunc(a.gone, func(d Departure) bool {
		mine := d.Session.ID == a.session.ID
		if mine && a.refused == nil {
			k := d.kick(a.key)
			a.refused = &k
		}
		return mine
	})
	if a.meek && a.refused == nil {
		a.refused = a.noRoom()
	}
	if a.meek && a.refused != nil {
		a.gone = nil
		return nil, errDecided
	}
	return slices.Clone(list), nil
}

// others returns the sessions without this one and without records that are forgotten, and notes what they mean to it.
func (a *admission) others(sessions []Session) []Session {
	list := a.room.list[:0]
	for i := range sessions {
		s := &sessions[i]
		if s.forgotten(a.now) {
			continue
		}
		if s.ID == a.session.ID {
			a.before = *s
			continue
		}
		mine := s.Instance == a.session.Instance && s.Platform == a.session.Platform
		switch {
		case s.Left == nil:
			a.repeat = a.repeat || mine
		case !byRule(s.Left.Reason):
			a.marked = true
		case mine && a.meek:
			a.refused = s.Left // it was kicked while it was away, and does not know yet
		case mine && a.kind == login:
			continue // whoever logs in again needs no explanation any more
		}
		list = append(list, *s)
	}
	return list
}

// comeBack compares a session that says it logged in before with what the key has of it.
func (a *admission) comeBack() {
	b := &a.before
	switch {
	case b.ID == "":
		a.unknown = !a.vouched
	case b.Left != nil:
		a.refused = b.Left
	case a.kind == restore:
		a.moved = b.Resumes > a.session.Resumes
		a.settled = b.Resumes == a.session.Resumes && b.Node == a.session.Node && b.AwayUntil.IsZero() &&
			b.LoginSeq == a.session.LoginSeq && b.TicketExpires.Equal(a.session.TicketExpires)
		if b.Node != a.session.Node { // two connections that do not know of each other: the other node hears that it was this one
			a.stored.Resumes = max(a.stored.Resumes, b.Resumes+1)
		}
	default:
		a.stored.Resumes = max(a.stored.Resumes, b.Resumes+1)
		a.stored.Label = b.Label
		if b.TicketExpires.After(a.stored.TicketExpires) { // it was renewed since the resume ticket was made
			a.stored.TicketExpires = b.TicketExpires
		}
	}
}

// noRoom returns why a reconnecting engine stays out: the newest session that would have to leave for it.
func (a *admission) noRoom() *Kick {
	for _, d := range slices.Backward(a.gone) {
		if d.Reason != codes.KickReplaced && d.By.ID == a.session.ID {
			k := Departure{Session: a.stored, Reason: d.Reason, By: d.Session}.kick(a.key)
			return &k
		}
	}
	return nil
}

// settle applies the rule to the sessions of key, which it may change, and returns what is to be kept of them: who had to
// leave for another instance stays as a record.
func settle(key UserKey, list []Session, settings Settings, now time.Time) (keep []Session, gone []Departure) {
	return settleInto(nil, key, list, settings, now)
}

// settleInto is settle with room for who is gone.
func settleInto(room []Departure, key UserKey, list []Session, settings Settings, now time.Time) (keep []Session, gone []Departure) {
	gone = departures(room, list, settings)
	if len(gone) == 0 {
		return list, nil
	}
	left := gone
	records := 0
	keep = list[:0]
	for _, s := range list { // a copy: keep grows over it
		if len(left) > 0 && left[0].Session.ID == s.ID {
			d := left[0]
			left = left[1:]
			if d.Reason == codes.KickReplaced {
				continue
			}
			s = s.leave(d.kick(key), now)
		}
		if s.Left != nil {
			records++
		}
		keep = append(keep, s)
	}
	return dropRecords(keep, records-maxRecords), gone
}

// dropRecords removes the n oldest records.
func dropRecords(list []Session, n int) []Session {
	return slices.DeleteFunc(list, func(s Session) bool {
		if s.Left == nil || n <= 0 {
			return false
		}
		n--
		return true
	})
}

// leave returns the record of s after k.
func (s Session) leave(k Kick, now time.Time) Session {
	s.Left = &k
	s.AwayUntil = now.Add(remember)
	return s
}

// forgotten reports whether s is a record whose time is over.
func (s *Session) forgotten(now time.Time) bool { return s.Left != nil && now.After(s.AwayUntil) }

// kick returns what d's session is told.
func (d Departure) kick(key UserKey) Kick {
	return Kick{
		Key: key, Session: d.Session.ID, LoginSeq: d.Session.LoginSeq,
		Reason: d.Reason, Code: codes.KickedOffline,
		ByPlatform: d.By.Platform, ByLabel: d.By.Label, At: d.By.LoggedIn(),
	}
}

// ended reports whether a ticket that is valid through the whole second of expires has ended.
func ended(expires, now time.Time) bool { return now.Unix() > expires.Unix() }
