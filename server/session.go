package server

import (
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
	Label    string // what a person calls the device

	// LoginSeq is when the session was explicitly logged in: a hybrid logical clock value, unique within the user and
	// ordered over all nodes. A resume keeps it.
	LoginSeq uint64

	// Node is where the session's connection is, or was last.
	Node NodeID
	// AwayUntil is zero while the session is connected. A lost connection sets it to when the session is released unless it
	// was resumed before.
	AwayUntil time.Time
	// TicketExpires is when the session's ticket ends; the ticket is valid through this moment.
	TicketExpires time.Time
}

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

	Reason     codes.KickReason
	Code       codes.Code
	ByPlatform codes.Platform // 0 if nobody took the place
	ByLabel    string
	At         time.Time
}
