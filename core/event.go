package core

import (
	"time"

	"github.com/opentim/tim/codes"
)

// An Event is something that happened to a Client. Kind says which fields mean something; the others are zero. Texts are
// valid UTF-8 of at most 512 bytes.
//
// Every change of Snapshot's Connection, Status and Ready has its event. A session that the server ends is told as
// EventKickedOffline or EventUserSigExpired, then EventLoginStatus, EventReady and EventDisconnected. A login is told as
// EventLoginStatus, EventConnecting, EventConnected, EventLoginStatus, EventReady.
type Event struct {
	Kind codes.EventKind

	Resumed bool              // EventConnected: the session came back, as against a first login
	Status  codes.LoginStatus // EventLoginStatus
	Ready   bool              // EventReady

	// Code is why. EventDisconnected: what failed, or OK if the connection is not needed any more, because nobody is logged
	// in. EventKickedOffline and EventUserSigExpired: what ended the session. EventClosed: OK after Close, Internal if the
	// client closed itself.
	Code codes.Code
	Text string // EventDisconnected, EventKickedOffline, EventUserSigExpired, EventClosed: why, in words; EventLog: the line

	Kick Kick // EventKickedOffline

	At    time.Time      // EventUserSigWillExpire: when the ticket ends, by the server's clock
	Level codes.LogLevel // EventLog
}

// A Kick says why and by whom a session was ended.
type Kick struct {
	// Reason is 0 when the server ended the session without a kick: the Event's Code says why.
	Reason     codes.KickReason
	ByPlatform codes.Platform // the newcomer's platform, or 0 if there is no newcomer
	ByLabel    string         // what the newcomer's device is called, or ""
	At         time.Time      // by the server's clock; zero if it is not known
}

// A LoginResult says how a login succeeded.
type LoginResult struct {
	// Repeat is true if the user was already logged in and nothing was sent.
	Repeat bool
	// Session names the session on the server, for support.
	Session string
	// TicketExpires is when the ticket ends, by the server's clock.
	TicketExpires time.Time
}
