package usersig

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"hash"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
)

// A Verifier checks the tickets of one app. It may be used from any goroutine. To change its keys, make another.
type Verifier struct {
	app    uint64
	keys   []string
	signed sync.Pool // of *signers
}

// signers hold one HMAC for each key, with the key already mixed in.
type signers struct {
	macs    []hash.Hash
	message []byte
	sum     [sha256.Size]byte
}

// NewVerifier returns a Verifier for the tickets of app that were signed with any of keys. An app has several keys while
// one replaces another; write the newest first, it is tried first. Empty keys are ignored. Without keys every ticket
// that would otherwise need one is refused with codes.TicketKeyMissing.
func NewVerifier(app uint64, keys ...string) *Verifier {
	v := &Verifier{app: app}
	for _, key := range keys {
		if key != "" {
			v.keys = append(v.keys, key)
		}
	}
	v.signed.New = func() any {
		s := new(signers)
		for _, key := range v.keys {
			s.macs = append(s.macs, hmac.New(sha256.New, []byte(key)))
		}
		return s
	}
	return v
}

// Format writes which app v is for, whatever the verb, so that no log shows a key.
func (v *Verifier) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "usersig.Verifier of SDKAppID %d with %d keys", v.app, len(v.keys))
}

// Verify returns what ticket says if it is a ticket of userID, signed for v's app with one of its keys, and valid at now. It
// is valid through the whole second Expires, and also before Issued: clocks differ.
//
// Otherwise the error is, by errors.Is, the first of these that fits, and says more in words:
//
//	codes.TicketEmpty         it has no characters
//	codes.TicketUnreadable    it is truncated, altered, too large, or something else: no base64, zlib or JSON
//	codes.TicketMalformed     a member is missing, of the wrong type or out of range
//	codes.TicketAppMismatch   it is for another SDKAppID
//	codes.TicketUserMismatch  it is for another userID
//	codes.TicketKeyMissing    v has no key
//	codes.TicketKeyMismatch   none of v's keys signed it
//	codes.TicketExpired       it was good once
//
// App and user come before the key, because who mixed up two apps would otherwise only hear of a wrong key; they tell the bearer
// nothing that is not in the ticket. Expiry comes last: what a ticket says of its time means nothing until its key fits.
//
// A verifier reads at most MaxText characters, inflates at most 8 KiB, and compares signatures in constant time.
func (v *Verifier) Verify(ticket, userID string, now time.Time) (Ticket, error) {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	bad := r.read(ticket)
	if bad == nil {
		bad = v.judge(r, userID, now)
	}
	if bad != nil {
		return Ticket{}, bad
	}
	return r.claims.ticket(userID, &r.form), nil
}

func (v *Verifier) judge(r *reader, userID string, now time.Time) *refusal {
	if bad := r.claims.checkApp(v.app); bad != nil {
		return bad
	}
	if bad := r.claims.checkUser(userID); bad != nil {
		return bad
	}
	if _, bad := v.checkKey(r); bad != nil {
		return bad
	}
	return r.claims.checkTime(now)
}

func (c *claims) checkApp(app uint64) *refusal {
	if c.app == app {
		return nil
	}
	return refuse(codes.TicketAppMismatch, "was signed for SDKAppID %d, this is %d", c.app, app)
}

func (c *claims) checkUser(userID string) *refusal {
	if string(c.user) == userID {
		return nil
	}
	return refuse(codes.TicketUserMismatch, "was signed for user %q, not %.40q", c.user, userID)
}

// checkKey returns the index of the key that signed the ticket in r.
func (v *Verifier) checkKey(r *reader) (int, *refusal) {
	if len(v.keys) == 0 {
		return 0, refuse(codes.TicketKeyMissing, "has a signature that cannot be checked: there is no key")
	}
	s := v.signed.Get().(*signers)
	defer v.signed.Put(s)
	s.message = r.claims.appendMessage(s.message[:0])
	key, ok := s.fit(r)
	if !ok && r.claims.seen&hasUserBuf != 0 && len(r.claims.userBuf) == 0 {
		// An empty userbuf is none, but some helpers sign a line for it.
		s.message = append(s.message, userBufLine+"\n"...)
		key, ok = s.fit(r)
	}
	if !ok {
		return 0, refuse(codes.TicketKeyMismatch, "was signed with another key")
	}
	return key, nil
}

func (s *signers) fit(r *reader) (key int, ok bool) {
	for i, mac := range s.macs {
		mac.Reset()
		mac.Write(s.message)
		if hmac.Equal(mac.Sum(s.sum[:0]), r.form.mac[:]) {
			return i, true
		}
	}
	return 0, false
}

// checkTime cannot overflow: decode has bounded both numbers.
func (c *claims) checkTime(now time.Time) *refusal {
	expires := int64(c.issued + c.validity)
	late := now.Unix() - expires
	if late <= 0 {
		return nil
	}
	return refuse(codes.TicketExpired, "expired %s ago by this machine's clock (%s)", spell(late), stamp(now))
}
