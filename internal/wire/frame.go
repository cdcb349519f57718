// Package wire holds the frames that a client and a server exchange: MessagePack arrays [type, fields…], one in each
// WebSocket message. spec/protocol.md describes them; both ends use this package, so they cannot differ.
//
// A reader ignores trailing fields and frame types that it does not know. Fields are only ever added at the end.
package wire

import "github.com/opentim/tim/codes"

const (
	// Subprotocol is what both ends ask for in the WebSocket handshake.
	Subprotocol = "tim.v1"
	// Path is where a server answers WebSocket handshakes, and what a client asks for whose URL has no path.
	Path = "/tim"
	// MaxFrame is the largest frame, in bytes, that either end accepts.
	MaxFrame = 64 << 10
	// Version is the protocol version that Login and Resume carry.
	Version = 1
)

// A Kind is a frame's type, its first element. Clients send kinds below 16, servers from 16 on.
type Kind uint8

// The kinds of frames.
const (
	KindLogin  Kind = 1
	KindResume Kind = 2
	KindRenew  Kind = 3
	KindLogout Kind = 4
	KindCall   Kind = 5

	KindAccepted Kind = 16
	KindRefused  Kind = 17
	KindReply    Kind = 18
	KindKicked   Kind = 19
	KindTicket   Kind = 20
	KindBye      Kind = 21
)

// A Frame is one of the frame types of this package, as a pointer.
type Frame interface {
	Kind() Kind
	put(w *writer)
	get(r *reader)
}

// Login signs a user in. It must be the first frame of a connection, as Resume may be; after a refusal it may come again.
type Login struct {
	Request   uint64         // number that the answer repeats; the client counts from 1
	Version   uint64         // Version
	App       uint64         // SDKAppID
	User      string         // userID
	Ticket    string         // UserSig
	Platform  codes.Platform // what the policies count it as
	Instance  string         // random ID of the installation, at most 64 bytes
	Label     string         // what a person calls the device, for kick notices; at most 64 bytes
	SDK       string         // name and version of the client
	Reconnect bool           // come back after a lost session: admitted only where nobody must leave
}

// Resume brings a session back on a new connection, without a ticket.
type Resume struct {
	Request uint64
	Version uint64
	Ticket  []byte // the resume ticket of the last Accepted
}

// Renew gives a running session a fresh ticket. A Reply answers it.
type Renew struct {
	Request uint64
	Ticket  string
}

// Logout ends the session. A Reply answers it, then the server closes the connection.
type Logout struct {
	Request uint64
}

// Call asks for anything else by name. A Reply answers it.
type Call struct {
	Request uint64
	Method  string
	Body    []byte
}

// Accepted answers Login and Resume.
type Accepted struct {
	Request         uint64
	Session         string
	LoginSeq        uint64 // orders explicit logins over all nodes
	ServerTime      int64  // Unix milliseconds
	TicketExpires   int64  // Unix milliseconds; the ticket is valid through this moment
	PingInterval    int64  // milliseconds; the connection is lost after this and 10 s without anything from the server
	ReconnectWindow int64  // milliseconds over which to spread the first try to come back
	ResumeTicket    []byte
	Repeat          bool // the same instance was already signed in
}

// Refused answers Login and Resume when the session is not admitted. The connection stays open for another try.
type Refused struct {
	Request    uint64
	Code       codes.Code
	Text       string
	RetryAfter int64 // milliseconds; 0 is the client's own choice
	// The kick that ended the session while it was away, when Code is KickedOffline.
	Reason     codes.KickReason
	ByPlatform codes.Platform
	ByLabel    string
	At         int64 // Unix milliseconds
}

// Reply answers Renew, Logout and Call.
type Reply struct {
	Request uint64
	Code    codes.Code
	Text    string
	Body    []byte
	// What changed by a Renew that succeeded; otherwise empty.
	TicketExpires int64 // Unix milliseconds
	ResumeTicket  []byte
}

// Kicked ends a session. It may overtake the Accepted of the same session. The server closes the connection after it.
type Kicked struct {
	Reason     codes.KickReason
	Code       codes.Code
	ByPlatform codes.Platform // platform of the newcomer, 0 if there is none
	ByLabel    string
	At         int64 // Unix milliseconds
}

// Ticket tells how the session's ticket stands.
type Ticket struct {
	Expires int64 // Unix milliseconds
	Expired bool  // it ended: the session is over and the server closes the connection
}

// Bye announces that the server closes the connection, and what to do next.
type Bye struct {
	Code       codes.Code
	Text       string
	Action     codes.ByeAction
	RetryAfter int64 // milliseconds; 0 is the client's own choice
}

// Unknown stands for a frame whose kind this version does not know. It is to be ignored.
type Unknown struct{ Type uint64 }
