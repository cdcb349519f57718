package server

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/opentim/tim/codes"
)

// A UserKey names a user: one userID in one app. All sessions of a user are kept under one key and change together.
type UserKey struct {
	App  uint64
	User string
}

// A Session is an instance that is signed in. It outlives its connection.
type Session struct {
	ID       string // random, unique
	Instance string // the installation it belongs to
	Platform codes.Platform

	// Resumes counts how often the session came back. It tells its connections apart: news of an older one is dropped.
	Resumes uint32

	Label string // what a person calls the device

	// LoginSeq is when the session was explicitly logged in: a hybrid logical clock value, unique within the user and
	// ordered over all nodes; LoggedIn reads it. A resume keeps it.
	LoginSeq uint64

	// Node is where the session's connection is, or was last.
	Node NodeID
	// AwayUntil is zero while the session is connected. A lost connection sets it to when the session is released unless it
	// was resumed before. For a session that left it is when its record is forgotten.
	AwayUntil time.Time
	// TicketExpires is when the session's ticket ends; the ticket is valid through this whole second.
	TicketExpires time.Time

	// Left is nil while the session lasts. A session that was kicked stays in its key for some minutes as a record of that,
	// so that whoever missed the kick learns why, and so that late news cannot bring back what it had pushed out.
	Left *Kick
}

// LoggedIn returns when the session was explicitly logged in, by the fastest clock of the cluster.
func (s Session) LoggedIn() time.Time { return time.UnixMicro(int64(s.LoginSeq)) }

// SortSessions puts the oldest LoginSeq first. Two nodes that could not reach the registry may have given out the same
// number: then the ID decides, so that all nodes agree.
func SortSessions(list []Session) { slices.SortFunc(list, byLogin) }

func byLogin(a, b Session) int {
	return cmp.Or(cmp.Compare(a.LoginSeq, b.LoginSeq), strings.Compare(a.ID, b.ID))
}

// SessionsSorted reports whether list is in the order of SortSessions.
func SessionsSorted(list []Session) bool { return slices.IsSortedFunc(list, byLogin) }

// A Departure is a session that has to leave, and why.
type Departure struct {
	Session Session
	Reason  codes.KickReason
	By      Session // the newest session that it has to leave for
}

// A Kick tells the node that holds a session to end it. It is fenced: a node ignores it when the session there has another
// LoginSeq. It is only a hint; the user's key in the Registry is the truth.
type Kick struct {
	Key      UserKey
	Session  string
	LoginSeq uint64

	// Reason is why. 0 means that the session lives on over another connection: the one that came before its resume number
	// Resumes is closed without a word.
	Reason     codes.KickReason
	Code       codes.Code
	ByPlatform codes.Platform // 0 if nobody took the place
	ByLabel    string
	At         time.Time
	Resumes    uint32
}
