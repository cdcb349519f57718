package core

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
)

// A Client keeps one user signed in. Its methods may be called from any goroutine. The zero Client is closed; Open makes
// one that works.
type Client struct {
	engine *engine // nil in the zero Client
	outbox *outbox

	snapshot atomic.Pointer[Snapshot]
	time     atomic.Pointer[serverTime]
	calls    atomic.Int32 // whose answer was not delivered yet
}

// maxCalls is how many calls may wait for their answer; more are refused with codes.QueueFull.
const maxCalls = 1024

// Open makes a Client. Nothing is sent before a login. The error names every mistake in o at once and is
// codes.InvalidParameters, or codes.LocalIOFailed if DataDir cannot be used.
func Open(o Options) (*Client, error) {
	return open(o, nil)
}

// open is Open with another wall clock, for tests that set it.
func open(o Options, wall func() time.Time) (*Client, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("open: %w", err)
	}
	if o.Instance == "" {
		id, err := instanceID(o.DataDir)
		if err != nil {
			return nil, fmt.Errorf("open: %w", err)
		}
		o.Instance = id
	}
	c := new(Client)
	c.snapshot.Store(&Snapshot{})
	c.outbox = newOutbox(o, func(p panicked) { c.post(&signal{kind: broke, panicked: &p}) })
	c.engine = newEngine(c, o, newClocks(wall))
	return c, nil
}

// Login signs userID in with ticket and waits for the answer, at most LoginTimeout. Connections that fail are tried again
// within it; a refusal is not, unless its code says retry.
//
// While the same user is logging in, the call joins: both get the one answer, of the newer ticket if they differ, within
// the timeout of each. If the user is logged in already, it succeeds at once with Repeat, and another ticket is renewed in
// the background. If another user is logging in or logged in, that ends first (codes.LoggedOutBeforeLoginFinished, or a
// logout), and no event of theirs comes after this one's success.
//
// Errors: codes.InvalidParameters for a userID that is empty or over 32 bytes or an empty ticket, codes.InvalidUserID for
// one that is not printable ASCII, codes.UserSigExpired, without any traffic, for a ticket that the server has called
// expired before, the server's code if it refuses, or the network's code (9508 to 9540, 6221) of the last failure;
// codes.LoggedOutBeforeLoginFinished after a Logout or another user's Login, codes.Interrupted after Close,
// codes.NotInitialized if the client was closed before.
//
// When ctx ends first, Login returns codes.Canceled and ctx's error. The attempt ends too, unless another caller waits for
// it.
func (c *Client) Login(ctx context.Context, userID, ticket string) (LoginResult, error) {
	if err := checkLogin(userID, ticket); err != nil {
		return LoginResult{}, err
	}
	out := c.wait(ctx, &call{kind: login, user: userID, ticket: ticket})
	return out.result, out.err
}

// StartLogin is Login with a callback. A mistake in the arguments, a closed client and codes.QueueFull are returned at once
// and done is not called. Otherwise done is called exactly once, like the Listener: in the delivery goroutine, after the
// events that led to the answer. done may be nil.
func (c *Client) StartLogin(userID, ticket string, done func(LoginResult, error)) error {
	if err := checkLogin(userID, ticket); err != nil {
		return err
	}
	return c.start(&call{kind: login, user: userID, ticket: ticket, done: func(o outcome) {
		if done != nil {
			done(o.result, o.err)
		}
	}})
}

// Logout ends the session here at once, and on the server as soon as it can be reached. It returns nil when the server
// confirms it, or after LogoutTimeout: it does not fail for the network's sake. If the server did not hear of it, the
// session ends there with its grace period. A login that is under way ends with codes.LoggedOutBeforeLoginFinished.
//
// Errors: codes.NotLoggedIn if nobody is logged in or logging in, codes.Interrupted after Close, codes.NotInitialized, and
// codes.Canceled when ctx ends first; the user is logged out then all the same.
func (c *Client) Logout(ctx context.Context) error {
	return c.wait(ctx, &call{kind: logout}).err
}

// StartLogout is Logout with a callback, as StartLogin is Login with one.
func (c *Client) StartLogout(done func(error)) error {
	return c.start(&call{kind: logout, done: func(o outcome) {
		if done != nil {
			done(o.err)
		}
	}})
}

// Renew gives the running session a fresh ticket, without going offline, and waits until the server has taken it, at most
// LoginTimeout. If the connection is lost meanwhile, the ticket is sent when it is back, even if the call has ended by then.
// A newer ticket replaces one that was not answered yet; both calls get the answer of the newer. While the user is logging
// in, the ticket is sent as soon as that is done.
//
// Errors: codes.NotLoggedIn, codes.InvalidParameters for an empty ticket, codes.UserSigExpired for one that the server has
// called expired before, the server's code if it refuses the ticket (the session goes on with the old one), a network code,
// codes.Interrupted, codes.NotInitialized, codes.Canceled.
func (c *Client) Renew(ctx context.Context, ticket string) error {
	if err := checkTicket(ticket); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	return c.wait(ctx, &call{kind: renew, ticket: ticket}).err
}

// StartRenew is Renew with a callback, as StartLogin is Login with one.
func (c *Client) StartRenew(ticket string, done func(error)) error {
	if err := checkTicket(ticket); err != nil {
		return fmt.Errorf("renew: %w", err)
	}
	return c.start(&call{kind: renew, ticket: ticket, done: func(o outcome) {
		if done != nil {
			done(o.err)
		}
	}})
}

// Wake says that the application came to the foreground or that the network changed. A live connection is probed: without
// a sign of life within 2 s it is given up and made anew. Otherwise the next try starts now, and the waits between tries
// start from the shortest. Phones stop timers while they sleep, so a host should call it whenever it wakes.
func (c *Client) Wake() { c.post(&signal{kind: wake}) }

// SetBackground says whether the application is in the background, where waits between tries may grow to 300 s instead of
// 20 s. Coming to the foreground is a Wake.
func (c *Client) SetBackground(background bool) {
	c.post(&signal{kind: setBackground, flag: background})
}

// Status returns the login status. A lost connection does not change it. Like all getters it costs a few nanoseconds and
// answers logged out after Close.
func (c *Client) Status() codes.LoginStatus { return c.Snapshot().Status }

// Connection returns the state of the connection.
func (c *Client) Connection() codes.ConnectionState { return c.Snapshot().Connection }

// Ready reports whether the user is logged in.
func (c *Client) Ready() bool { return c.Snapshot().Ready }

// User returns the userID that is logged in, or "".
func (c *Client) User() string { return c.Snapshot().User }

// ServerTime returns the server's clock and true, or false before the first login. It goes on by this machine's clocks
// while there is no connection, after a logout and after Close.
func (c *Client) ServerTime() (time.Time, bool) {
	if t := c.time.Load(); t != nil {
		return t.now(), true
	}
	return time.Time{}, false
}

// Snapshot returns what the getters answer, all of one moment.
func (c *Client) Snapshot() Snapshot {
	if s := c.snapshot.Load(); s != nil {
		return *s
	}
	return Snapshot{}
}

// Close ends the client. Pending calls end with codes.Interrupted. The last event is EventClosed; when Close returns it was
// delivered and nothing comes after it. Called from the Listener or a callback, Close returns at once and that holds when the
// callback has returned. The session is not logged out: it stays on the server for its grace period, and other devices see
// the user online that long; call Logout first to end it. Closing twice is harmless.
func (c *Client) Close() {
	if c.outbox == nil {
		return
	}
	c.post(&signal{kind: closing})
	if !c.outbox.delivering() {
		<-c.outbox.finished
	}
}
