package core

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/opentim/tim/codes"
)

// Options configure a Client. URL, App and Platform are required; the zero value of every other field works.
type Options struct {
	// URL is the server's endpoint, wss://host[:port], with the path if it is not the usual one. A ws:// URL is accepted
	// for loopback addresses only, unless AllowInsecure is set.
	URL string
	// App is the SDKAppID.
	App uint64
	// Platform is what the login policies count this device as.
	Platform codes.Platform

	// Label is what a person calls this device, shown to whom it kicks; at most 64 bytes of UTF-8.
	Label string
	// DataDir is a folder that keeps the instance ID over restarts; it is made if it is missing. Empty means that every
	// Client is a new instance, so that a restarted program may meet its own older session. Clients that share a DataDir are
	// one instance: of one user, only the last to log in stays.
	DataDir string
	// Instance is the instance ID itself, for hosts that keep it elsewhere; at most 64 bytes of printable ASCII. Empty means
	// DataDir's.
	Instance string
	// SDK names the binding, such as "tim-node/0.1.0", in at most 64 bytes of printable ASCII. Empty means "tim-go/" and the
	// version of the module.
	SDK string

	// LoginTimeout bounds a login, from the call to its answer, over all tries. It bounds a renewal, too. Zero means 15 s.
	LoginTimeout time.Duration
	// LogoutTimeout bounds the wait for the server's confirmation of a logout. Zero means 5 s.
	LogoutTimeout time.Duration

	// AllowInsecure accepts ws:// URLs beyond loopback. The ticket then crosses the network in the clear.
	AllowInsecure bool
	// TLS configures wss:// connections. Nil means the system's roots. It is cloned.
	TLS *tls.Config
	// NetDial makes TCP connections. Nil means net.Dialer, with name lookup. Proxies of the environment are not used; a host
	// that needs one connects through it here. It is called in a goroutine of its own and must return soon after ctx ends.
	NetDial func(ctx context.Context, network, address string) (net.Conn, error)

	// TicketProvider is asked for a fresh ticket of userID when the running one has used up 80 % of the time that it had
	// left at login, and again after a failure. It is called in a goroutine of its own, never twice at once; ctx ends when
	// the answer is of no use any more. Nil means that EventUserSigWillExpire asks the application to call Renew.
	TicketProvider func(ctx context.Context, userID string) (ticket string, err error)

	// Listener hears every Event, one at a time, in order, and results of calls only after the events that led to them. It
	// may call any method of the Client. One that does not return for 1,024 events closes the client with codes.Internal.
	Listener func(Event)
	// LogLevel is the least level of EventLog. Zero (LogNone) means no log events. While the Listener is slow, log lines are
	// left out first.
	LogLevel codes.LogLevel

	// OnState is told of each change of Snapshot, before the event that announces it. It is called inside the engine, one call
	// at a time, by whichever goroutine brought the news, which may be one that calls the Client: it must return at once and not
	// call the Client itself. It is how a binding publishes getters.
	OnState func(Snapshot)

	// Relay takes the place of the Listener, for a binding that delivers on a thread of its own: it is told of each Event at
	// once, and the callbacks of StartLogin and the others come at once, too. Both run inside the engine, like OnState: they
	// must hand on what they are given, return at once and not call the Client. Relay reports whether there was room; false
	// closes the client, as a stuck Listener does. It must always take EventClosed, the last.
	Relay func(Event) bool
	// Relayed is called in the same way when all that was to be told together has been: time to wake whoever delivers. With
	// free it is called outside the engine instead, by a goroutine that the engine needs no more: this one may deliver itself,
	// for as long as the host takes, which spares a login the wake-up of a thread. There may be nothing left to deliver then.
	Relayed func(free bool)

	// Background is the initial state of SetBackground.
	Background bool
}

// A Snapshot is what the getters of a Client answer at one moment.
type Snapshot struct {
	Status      codes.LoginStatus
	Connection  codes.ConnectionState
	Ready       bool          // the user is logged in; a lost connection does not change it
	User        string        // "" while nobody is logged in
	ClockOffset time.Duration // server's clock minus this machine's; 0 before the first login
	ClockKnown  bool
}
