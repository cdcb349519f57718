package usersig

import (
	"fmt"
	"strings"
	"time"

	"github.com/opentim/tim/codes"
)

// An Explanation says what is wrong with a ticket, and what is in it. It holds neither the key nor the ticket's text.
type Explanation struct {
	// Code is what Verify would answer, codes.OK if it would accept the ticket. What was not compared counts as right.
	Code codes.Code

	// At is the time by which the ticket was judged.
	At time.Time

	// Length is the number of characters of the ticket.
	Length int

	// Ticket is what could be read of it. Fields that could not are zero.
	Ticket Ticket

	// KeyChecked says whether there was a signature and a key to check it with, KeyFits whether they agree.
	KeyChecked, KeyFits bool

	// Problems are why Verify refuses the ticket, all that could be found. The first is the one that Code stands for.
	// Each is a sentence about "it" without a full stop, such as "it expired 3 h 12 m ago by this machine's clock (…)".
	Problems []string

	// Hints are what may be behind a problem, and what is odd but no reason to refuse the ticket.
	Hints []string
}

// Explain says how ticket fares as a ticket of userID for app at now, where key is the app's. A zero app or an empty
// userID is not compared. Without a key everything but the signature is checked, and Code is never codes.OK.
func Explain(ticket string, app uint64, userID, key string, now time.Time) Explanation {
	return NewVerifier(app, key).Explain(ticket, userID, now)
}

// Explain does what the function Explain does, with v's app and keys.
func (v *Verifier) Explain(ticket, userID string, now time.Time) Explanation {
	r := readers.Get().(*reader)
	defer readers.Put(r)
	e := Explanation{At: now, Length: len(ticket)}
	if bad := r.read(ticket); bad != nil {
		e.Ticket = r.claims.partly()
		e.problem(bad)
		if bad.code == codes.TicketUnreadable {
			e.hint(textHints(r, ticket)...)
		} else {
			e.hint(formHints(r)...)
		}
		return e
	}
	e.Ticket = r.claims.ticket(string(r.claims.user), &r.form)
	if v.app != 0 {
		e.problem(r.claims.checkApp(v.app))
	}
	if userID != "" && e.problem(r.claims.checkUser(userID)) && strings.EqualFold(userID, e.Ticket.UserID) {
		e.hint("userIDs differ if one has capitals where the other has not")
	}
	v.explainKey(&e, r)
	e.problem(r.claims.checkTime(now))
	e.hint(timeHints(&r.claims, now)...)
	return e
}

func (v *Verifier) explainKey(e *Explanation, r *reader) {
	key, bad := v.checkKey(r)
	e.problem(bad)
	e.KeyChecked = len(v.keys) > 0
	e.KeyFits = bad == nil
	switch {
	case e.KeyFits && e.Code == codes.TicketAppMismatch:
		e.hint("the key fits: whoever signs has the right key and the wrong SDKAppID")
	case e.KeyFits && key > 0:
		e.hint(fmt.Sprintf("it was signed with an old key, number %d of %d", key+1, len(v.keys)))
	case e.KeyChecked && !e.KeyFits:
		e.hint(keyHints(&r.claims, &r.form, v.keys)...)
	}
}

// problem notes bad and reports whether there is one.
func (e *Explanation) problem(bad *refusal) bool {
	if bad == nil {
		return false
	}
	if e.Code == codes.OK {
		e.Code = bad.code
	}
	e.Problems = append(e.Problems, "it "+bad.why)
	return true
}

func (e *Explanation) hint(hints ...string) { e.Hints = append(e.Hints, hints...) }

// partly returns what can be shown of claims that are not in order.
func (c *claims) partly() Ticket {
	var t Ticket
	if CheckUserID(string(c.user)) == nil {
		t.UserID = string(c.user)
	}
	if c.app <= maxNumber {
		t.App = c.app
	}
	if c.issued != 0 && c.issued <= maxNumber && c.validity <= maxNumber {
		full := c.ticket("", new(form))
		t.Issued, t.Expires = full.Issued, full.Expires
	}
	return t
}

// String returns the explanation as lines for a person, without a newline at the end.
func (e Explanation) String() string {
	var b strings.Builder
	if e.Code == codes.OK {
		fmt.Fprintf(&b, "accepted: the ticket is good for another %s", spell(e.Ticket.Expires.Unix()-e.At.Unix()))
	} else {
		fmt.Fprintf(&b, "refused: %v", e.Code)
	}
	for _, problem := range e.Problems {
		fmt.Fprintf(&b, "\n  - %s", problem)
	}
	for _, hint := range e.Hints {
		fmt.Fprintf(&b, "\n  ? %s", hint)
	}
	if e.Ticket.App != 0 {
		fmt.Fprintf(&b, "\n  SDKAppID  %d", e.Ticket.App)
	}
	if e.Ticket.UserID != "" {
		fmt.Fprintf(&b, "\n  user      %q", e.Ticket.UserID)
	}
	if !e.Ticket.Issued.IsZero() {
		fmt.Fprintf(&b, "\n  issued    %s", e.moment(e.Ticket.Issued))
		fmt.Fprintf(&b, "\n  expires   %s", e.moment(e.Ticket.Expires))
	}
	if n := len(e.Ticket.UserBuf); n > 0 {
		fmt.Fprintf(&b, "\n  userbuf   %d bytes", n)
	}
	fmt.Fprintf(&b, "\n  key       %s", e.key())
	fmt.Fprintf(&b, "\n  text      %d characters", e.Length)
	return b.String()
}

func (e Explanation) key() string {
	switch {
	case !e.KeyChecked:
		return "not checked"
	case e.KeyFits:
		return "fits"
	}
	return "does not fit"
}

func (e Explanation) moment(t time.Time) string {
	ahead := t.Unix() - e.At.Unix()
	if ahead > 0 {
		return fmt.Sprintf("%s (in %s)", stamp(t), spell(ahead))
	}
	return fmt.Sprintf("%s (%s ago)", stamp(t), spell(-ahead))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") + " UTC" }

// spell writes seconds as its two largest units, such as "3 h 12 m".
func spell(seconds int64) string {
	units := []struct {
		name string
		size int64
	}{{"y", 365 * 86400}, {"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}}
	for i, u := range units[:len(units)-1] {
		if seconds < u.size {
			continue
		}
		smaller := units[i+1]
		if rest := seconds % u.size / smaller.size; rest > 0 {
			return fmt.Sprintf("%d %s %d %s", seconds/u.size, u.name, rest, smaller.name)
		}
		return fmt.Sprintf("%d %s", seconds/u.size, u.name)
	}
	return fmt.Sprintf("%d s", seconds)
}
