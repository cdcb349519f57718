package core

import (
	"time"

	"github.com/opentim/tim/codes"
)

// An Event is something that happened to a Client. Kind says which fields mean something; the others are zero.
type Event struct {
	Kind codes.EventKind

	Resumed bool              // EventConnected: the session came back, as against a first login
	Status  codes.LoginStatus // EventLoginStatus
	Ready   bool              // EventReady

	Code codes.Code // EventDisconnected: why; EventKickedOffline and EventUserSigExpired: the code that ended the session
	Text string     // EventDisconnected: why, in words; EventLog: the line

	Kick Kick // EventKickedOffline

	At    time.Time      // EventUserSigWillExpire: when the ticket ends, by the server's clock
	Level codes.LogLevel // EventLog
}

// A Kick says why and by whom a session was ended.
type Kick struct {
	Reason     codes.KickReason
	ByPlatform codes.Platform // the newcomer's platform, or 0 if there is no newcomer
	ByLabel    string         // what the newcomer's device is called, or ""
	At         time.Time      // by the server's clock
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
