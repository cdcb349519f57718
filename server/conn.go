package server

import (
	"net/netip"
	"time"
)

// A Conn is a live connection as Sessions sees it; the gateway implements it. Sessions calls at most one of Kick,
// TicketExpired and Moved, once, and nothing after it but a TicketExpiring that was under way; the connection is to be
// closed then, and Lost need not be called (it does nothing). No method may block or call back into Sessions on the same
// stack. Calls may come before Login or Resume has returned, from any goroutine.
type Conn interface {
	// Kick tells the client that its session was ended, and why, and closes the connection.
	Kick(k Kick)
	// TicketExpiring tells the client that its ticket is valid through at and no longer.
	TicketExpiring(at time.Time)
	// TicketExpired tells the client that its session ended with its ticket, and closes the connection.
	TicketExpired(at time.Time)
	// Moved closes the connection without a word: the session came back on a newer one.
	Moved()
	// RemoteAddr is the client's address, for the failure limit: behind a trusted proxy, the one the proxy names. An invalid
	// address is not limited.
	RemoteAddr() netip.Addr
}
