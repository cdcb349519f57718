package server

import (
	"slices"
	"time"

	"github.com/opentim/tim/codes"
)

// AbsenceLife is how long a phone or a tablet that did not come back counts as PushOnline: as with Tencent, 7 days.
const AbsenceLife = 7 * 24 * time.Hour

// An Absence is a phone or a tablet that is not connected and did not log out: its session was released because its connection
// was lost for longer than the grace period. A push would still reach it.
type Absence struct {
	Instance string
	Platform codes.Platform
	LoginSeq uint64 // of the session that was released
	Since    time.Time
}

// SortAbsences puts the oldest login first.
func SortAbsences(list []Absence) {
	slices.SortFunc(list, func(a, b Absence) int { return byLogin(a.session(), b.session()) })
}

// session returns a as the rule sees it: it is older than a session of the same login.
func (a Absence) session() Session {
	return Session{ID: "\x00" + a.Platform.String() + " " + a.Instance, Instance: a.Instance, Platform: a.Platform, LoginSeq: a.LoginSeq}
}

// Absent returns those of list that still count beside the sessions of their user: not older than AbsenceLife, and not pushed out
// by a newer login, by the same rule as a session would be.
func Absent(list []Absence, sessions []Session, settings Settings, now time.Time) []Absence {
	all := slices.Clone(sessions)
	for _, a := range list {
		all = append(all, a.session())
	}
	SortSessions(all)
	gone := Departures(all, settings)
	var left []Absence
	for _, a := range list {
		id := a.session().ID
		pushed := slices.ContainsFunc(gone, func(d Departure) bool { return d.Session.ID == id })
		if !pushed && now.Sub(a.Since) < AbsenceLife {
			left = append(left, a)
		}
	}
	return left
}

// An ending is a session that is over.
type ending struct {
	session Session
	absent  bool // it was released, and may be reached by a push
	at      time.Time
}

// afterEndings returns the absences of a user after sessions ended: what the rule says of those who left counts for good, also
// when they are gone.
func afterEndings(list []Absence, ends []ending, settings Settings, now time.Time) []Absence {
	for _, e := range ends {
		list = Absent(list, []Session{e.session}, settings, now)
		newer := slices.ContainsFunc(list, func(a Absence) bool { return a.Platform == e.session.Platform && a.Instance == e.session.Instance })
		if e.absent && !newer {
			list = append(list, Absence{e.session.Instance, e.session.Platform, e.session.LoginSeq, e.at})
		}
	}
	return list
}

// Reachable reports whether a push can reach an app that is not connected, as on phones and tablets.
func Reachable(p codes.Platform) bool {
	return p == codes.PlatformIOS || p == codes.PlatformIPad || p == codes.PlatformAndroid
}

// concerns reports whether the end of a session on p can change anybody's absence.
func concerns(p codes.Platform, settings Settings) bool {
	return slices.ContainsFunc(codes.Platforms(), func(q codes.Platform) bool {
		return Reachable(q) && (q == p || settings.Policy.SameGroup(q, p))
	})
}
