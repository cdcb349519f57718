package server

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/usersig"
)

// Limits of what a client says of itself, in bytes.
const (
	MaxInstance = 64
	MaxLabel    = 64
	MaxSDK      = 64
)

// A LoginRequest is what a client says to log in.
type LoginRequest struct {
	App      uint64
	User     string // 1 to 32 printable ASCII characters
	Ticket   string
	Platform codes.Platform
	Instance string // 1 to MaxInstance bytes of UTF-8
	Label    string // at most MaxLabel bytes of UTF-8
	SDK      string // at most MaxSDK bytes of UTF-8; only logged, where a login is refused
	// Reconnect marks the login of an engine that comes back by itself: it is admitted only where nobody has to leave.
	Reconnect bool
}

// A Grant is the answer to a login, a resume or a renewal that succeeded.
type Grant struct {
	Held          *Held // for Renew, Logout and Lost
	Session       string
	LoginSeq      uint64
	TicketExpires time.Time // the ticket is valid through this whole second
	ResumeTicket  []byte
	Repeat        bool // the same instance was signed in before this login
}

// Login signs a user in over c. When it returns without an error, the account is durable, the session is in the registry,
// and whoever had to leave is about to hear it; Login does not wait for that.
//
// The error is always a *Refusal; c may try again after it. If the registry cannot be reached for half a second, the login
// is admitted for the time being: when the registry is back, the rule decides, and c may be kicked.
func (s *Sessions) Login(ctx context.Context, c Conn, in LoginRequest) (Grant, error) {
	now := time.Now()
	addr := c.RemoteAddr()
	if s.closing.Load() {
		return Grant{}, refuseClosing()
	}
	if bad := s.mayGuess(addr, now); bad != nil {
		return Grant{}, bad
	}
	app, issued, expires, bad := s.authenticate(in, now)
	if bad != nil {
		return Grant{}, s.failed(addr, now, in, bad)
	}
	if bad := s.mayLogin(UserKey{in.App, in.User}, now); bad != nil {
		s.logRefusal(addr, in, bad)
		return Grant{}, bad
	}
	key, day, proof := UserKey{in.App, in.User}, DayOf(now, app.Zone), s.ticketProof(issued)
	arrival, err := s.o.Store.Arrive(ctx, key, day, func(a Account) bool { return permit(a, proof, now) == nil })
	if err != nil {
		s.log.Warn("store: a login could not be recorded", "app", in.App, "user", in.User, "error", err)
		return Grant{}, refuseBroken(err)
	}
	if bad := permit(arrival.Account, proof, now); bad != nil {
		s.logRefusal(addr, in, bad) // no guess: the ticket is good
		return Grant{}, bad
	}
	s.failures.succeeded(addr)

	h := &Held{
		sessions: s, key: key, conn: c, id: newSessionID(), instance: in.Instance, label: in.Label,
		platform: in.Platform, loginSeq: s.clock.next(), expires: expires.Unix(), day: day,
	}
	a := newAdmission()
	defer a.free()
	a.kind, a.key, a.session, a.settings, a.now, a.meek = login, key, h.session(), *app.settings.Load(), now, in.Reconnect
	if bad := s.admit(ctx, h, a, proof); bad != nil {
		s.logRefusal(addr, in, bad)
		return Grant{}, bad
	}
	s.debug("login", h)
	return s.grant(h, a, now), nil
}

func (s *Sessions) grant(h *Held, a *admission, now time.Time) Grant {
	return Grant{
		Held: h, Session: h.id, LoginSeq: h.loginSeq, TicketExpires: a.stored.TicketExpires, Repeat: a.repeat,
		ResumeTicket: s.resumes.sign(h.key, &a.stored, h.day, now),
	}
}

func refuseClosing() *Refusal { return refuse(codes.ServiceNotReady, "this node is stopping") }

// mayGuess refuses while an address has to wait.
func (s *Sessions) mayGuess(addr netip.Addr, now time.Time) *Refusal {
	if wait := s.failures.blocked(addr, now); wait > 0 {
		r := refuse(codes.TooManyFailures, "too many failed logins from this address")
		r.RetryAfter = wait
		return r
	}
	return nil
}

// mayLogin refuses a user who logs in too often, such as two devices that push each other out in a loop.
func (s *Sessions) mayLogin(key UserKey, now time.Time) *Refusal {
	wait := s.tooOften.Take(key, now)
	if wait == 0 {
		return nil
	}
	r := refuse(codes.TooFrequent, "the user logs in more than %v times a second, which limits.user_logins_per_second of the server allows", s.o.UserLogins)
	r.RetryAfter = wait
	return r
}

// authenticate checks everything that can be checked without the store.
func (s *Sessions) authenticate(in LoginRequest, now time.Time) (a *app, issued, expires time.Time, bad *Refusal) {
	if bad = in.check(); bad != nil {
		return nil, issued, expires, bad
	}
	if a = s.apps[in.App]; a == nil {
		return nil, issued, expires, refuse(codes.AppNotFound, "SDKAppID %d is not served here", in.App)
	}
	ticket, err := a.tickets.Verify(in.Ticket, in.User, now)
	if err != nil {
		return nil, issued, expires, refuseTicket(err)
	}
	return a, ticket.Issued, ticket.Expires, nil
}

func (in *LoginRequest) check() *Refusal {
	if err := usersig.CheckUserID(in.User); err != nil {
		return refuseTicket(err)
	}
	switch {
	case in.Platform.MaxInstances() == 0:
		return refuse(codes.InvalidParameters, "platform %d is not known", in.Platform)
	case in.Instance == "" || !isText(in.Instance, MaxInstance):
		return refuse(codes.InvalidParameters, "the instance is not 1 to %d bytes of UTF-8", MaxInstance)
	case !isText(in.Label, MaxLabel):
		return refuse(codes.InvalidParameters, "the label is not at most %d bytes of UTF-8", MaxLabel)
	case !isText(in.SDK, MaxSDK):
		return refuse(codes.InvalidParameters, "the SDK is not at most %d bytes of UTF-8", MaxSDK)
	}
	return nil
}

func isText(s string, most int) bool { return len(s) <= most && utf8.ValidString(s) }

// refuseTicket turns an error of usersig, which names a code and no secret, into a Refusal.
func refuseTicket(err error) *Refusal {
	code := codes.ServerInternal
	errors.As(err, &code)
	return &Refusal{Code: code, Text: strings.TrimSuffix(err.Error(), ": "+code.Error())}
}

// failed notes a login that failed for what the client sent, and returns bad.
func (s *Sessions) failed(addr netip.Addr, now time.Time, in LoginRequest, bad *Refusal) *Refusal {
	if s.failures.failed(addr, now) {
		s.log.Info("too many failed logins", "address", addr)
	}
	s.logRefusal(addr, in, bad)
	return bad
}

func (s *Sessions) logRefusal(addr netip.Addr, in LoginRequest, bad *Refusal) {
	s.log.Info("login refused", "app", in.App, "user", cut(in.User, usersig.MaxUserID), "platform", in.Platform,
		"sdk", cut(in.SDK, MaxSDK), "address", addr, "why", bad)
}

// A proof is what an account's NotBefore, which is by the cluster's clock, is compared with.
type proof struct {
	at     time.Time
	ticket bool          // at has only whole seconds, and is by a clock that the cluster does not know: one of the same second is good
	behind time.Duration // for a ticket: from this node's wall clock, which it is compared with, to the cluster's
}

func (s *Sessions) ticketProof(issued time.Time) proof { return proof{issued, true, s.clock.behind()} }

func sessionProof(loggedIn time.Time) proof { return proof{at: loggedIn} }

func (p proof) revoked(notBefore time.Time) bool {
	if p.ticket {
		return p.at.Unix() < notBefore.Add(-p.behind).Unix()
	}
	return p.at.UnixMilli() <= notBefore.UnixMilli() // stores keep milliseconds
}

// permit refuses who is banned, or whose proof was revoked.
func permit(a Account, p proof, now time.Time) *Refusal {
	switch {
	case a.Banned && a.BannedUntil.IsZero():
		return refuse(codes.AccountBanned, "the account is banned for ever")
	case a.Banned && now.Before(a.BannedUntil):
		return refuse(codes.AccountBanned, "the account is banned until %s UTC", a.BannedUntil.UTC().Format(time.DateTime))
	case !a.NotBefore.IsZero() && p.revoked(a.NotBefore):
		return refuse(codes.TicketRevoked, "what was made before %s UTC is revoked", a.NotBefore.UTC().Format(time.DateTime))
	}
	return nil
}

// newSessionID returns 16 characters of 96 random bits.
func newSessionID() string {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint32(b[8:], rand.Uint32())
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// debug logs a step of h if anybody listens; it costs nothing otherwise.
func (s *Sessions) debug(what string, h *Held) {
	if s.log.Enabled(s.background, slog.LevelDebug) {
		s.log.LogAttrs(s.background, slog.LevelDebug, what, slog.Any("session", h))
	}
}
