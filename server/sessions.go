package server

import (
	"context"
	"log/slog"
	"time"

	"github.com/opentim/tim/codes"
)

// Options say what a Sessions works with. Node, Apps, Registry, Store and ResumeKeys are required.
type Options struct {
	Node     NodeID
	Apps     []App
	Registry Registry // joined by New; closing it stays with the caller, after Sessions.Close
	Store    Store    // closing it stays with the caller, after Sessions.Close

	// ResumeKeys sign resume tickets: the first signs, all verify. Each has at least 16 bytes. The nodes of a cluster share
	// them, and they outlive a restart, so that clients can come back without a ticket.
	ResumeKeys [][]byte

	// Grace is how long a session whose connection was lost counts as away before it is released; GraceWeb is the same for
	// web sessions. Zero means 120 s and 60 s.
	Grace, GraceWeb time.Duration

	// Wheel carries the timers. Nil makes one; a gateway that has timers too shares it by Sessions.Wheel.
	Wheel *Wheel

	Logger *slog.Logger // nil logs nothing
}

// A LoginRequest is what a client says to log in.
type LoginRequest struct {
	App      uint64
	User     string // 1 to 32 printable ASCII characters
	Ticket   string
	Platform codes.Platform
	Instance string // 1 to 64 bytes of UTF-8
	Label    string // at most 64 bytes of UTF-8
	SDK      string // at most 64 bytes of UTF-8; only logged
	// Reconnect marks the login of an engine that comes back by itself: it is admitted only where nobody has to leave.
	Reconnect bool
}

// A Grant is the answer to a login, a resume or a renewal that succeeded.
type Grant struct {
	Held          *Held // for Renew, Logout and Lost
	Session       string
	LoginSeq      uint64
	TicketExpires time.Time // the ticket is valid through this moment
	ResumeTicket  []byte
	Repeat        bool // the same instance was signed in before this login
}

// Sessions is the service of one node: see the package comment. Its methods may be called from any goroutine. Those that
// return an error return a *Refusal.
type Sessions struct {
	o Options
}

// New joins the registry and returns the service. Close it before the registry and the store.
func New(ctx context.Context, o Options) (*Sessions, error) { panic("not yet") }

// Login signs a user in over c. In the answer's time the account is durable, the session is in the registry, and whoever
// had to leave is about to hear it; Login does not wait for that.
//
// The error is always a *Refusal; c may try again after it.
func (s *Sessions) Login(ctx context.Context, c Conn, in LoginRequest) (Grant, error) {
	panic("not yet")
}

// Resume brings a session back over c by the resume ticket of its last Grant.
//
// The error is always a *Refusal: codes.KickedOffline with the kick if somebody took its place meanwhile;
// codes.TicketExpired, codes.TicketRevoked or codes.AccountBanned if it must not come back; codes.TicketUnreadable if the
// resume ticket is of no use here: then the client may log in with Reconnect.
func (s *Sessions) Resume(ctx context.Context, c Conn, resumeTicket []byte) (Grant, error) {
	panic("not yet")
}

// Renew gives a live session a fresh ticket of the same user. A ticket that ends before the present one is refused by
// nobody: the newest word counts.
func (s *Sessions) Renew(ctx context.Context, h *Held, ticket string) (Grant, error) {
	panic("not yet")
}

// Logout ends a session. It is over when Logout returns, whatever the error; the error says that the registry has not heard
// of it yet, and is for the log. Logging out a session that ended already does nothing.
func (s *Sessions) Logout(ctx context.Context, h *Held) error { panic("not yet") }

// Lost says that the connection of h is gone: the session becomes away and may be resumed within the grace period. It
// returns at once. It does nothing if the session ended or came back already.
func (s *Sessions) Lost(h *Held) { panic("not yet") }

// Held is a session held by a live connection of this node.
type Held struct{}

// Key returns whose session it is.
func (h *Held) Key() UserKey { panic("not yet") }

// Online returns how many sessions are held by live connections of this node.
func (s *Sessions) Online() int { panic("not yet") }

// Wheel returns the timers of this node.
func (s *Sessions) Wheel() *Wheel { panic("not yet") }

// Close waits for what is under way and stops. Logins and resumes are refused with codes.ServiceNotReady from its call on.
// Live connections are the gateway's: it closes them first, and Lost is honoured until then.
func (s *Sessions) Close(ctx context.Context) error { panic("not yet") }
