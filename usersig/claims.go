package usersig

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/opentim/tim/codes"
)

// A refusal is why a ticket is not accepted: a code for programs, and a sentence without its subject, "the ticket".
type refusal struct {
	code codes.Code
	why  string
}

func refuse(code codes.Code, format string, args ...any) *refusal {
	return &refusal{code, fmt.Sprintf(format, args...)}
}

func (r *refusal) Error() string { return "the ticket " + r.why + ": " + r.code.Error() }
func (r *refusal) Unwrap() error { return r.code }

// claims are the members of a ticket's JSON as written. The slices may belong to the reader that filled them.
type claims struct {
	ver, user, userBuf, sig []byte // userBuf and sig in base64
	app, issued, validity   uint64
	seen                    members
}

// members is a set of members that a ticket has: bit i stands for memberNames[i].
type members uint8

var memberNames = [...]string{"TLS.ver", "TLS.identifier", "TLS.sdkappid", "TLS.time", "TLS.expire", "TLS.sig", "TLS.userbuf"}

const (
	hasUserBuf members = 1 << 6
	required           = hasUserBuf - 1 // all but the last
)

// member returns the bit of the member called name, 0 if it is none of ours, and where its text or its number goes.
func (c *claims) member(name []byte) (bit members, text *[]byte, number *uint64) {
	switch string(name) {
	case "TLS.ver":
		return 1 << 0, &c.ver, nil
	case "TLS.identifier":
		return 1 << 1, &c.user, nil
	case "TLS.sdkappid":
		return 1 << 2, nil, &c.app
	case "TLS.time":
		return 1 << 3, nil, &c.issued
	case "TLS.expire":
		return 1 << 4, nil, &c.validity
	case "TLS.sig":
		return 1 << 5, &c.sig, nil
	case "TLS.userbuf":
		return hasUserBuf, &c.userBuf, nil
	}
	return 0, nil, nil
}

// form is what a ticket's texts decode to.
type form struct {
	mac     [sha256.Size]byte
	userBuf []byte // newly allocated; nil if there is none
}

// decode refuses what no signer may write.
func (c *claims) decode(f *form) *refusal {
	if missing := c.missing(); missing != "" {
		return refuse(codes.TicketMalformed, "has no %s", missing)
	}
	if string(c.ver) != "2.0" {
		return refuse(codes.TicketMalformed, `has TLS.ver %.20q, not "2.0"`, c.ver)
	}
	if CheckUserID(string(c.user)) != nil {
		return refuse(codes.TicketMalformed, "has a TLS.identifier that is no userID, %.40q", c.user)
	}
	if max(c.app, c.issued, c.validity) > maxNumber {
		return refuse(codes.TicketMalformed, "has a number larger than 2^53-1")
	}
	return c.decodeTexts(f)
}

func (c *claims) missing() string {
	if c.seen&required == required {
		return ""
	}
	var names []string
	for i, name := range memberNames {
		if (required&^c.seen)&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ", ")
}

var strictBase64 = base64.StdEncoding.Strict()

func (c *claims) decodeTexts(f *form) *refusal {
	var mac [96]byte // room for what is put there by mistake, so that its length can be told
	if len(c.sig) > strictBase64.EncodedLen(len(mac)) {
		return refuse(codes.TicketMalformed, "has a TLS.sig of %d characters; HMAC-SHA256 in base64 has 44", len(c.sig))
	}
	n, err := strictBase64.Decode(mac[:], c.sig)
	switch {
	case err != nil:
		return refuse(codes.TicketMalformed, "has a TLS.sig that is not base64")
	case n != sha256.Size:
		return refuse(codes.TicketMalformed, "has a TLS.sig of %d bytes; HMAC-SHA256 has %d", n, sha256.Size)
	}
	copy(f.mac[:], mac[:])
	if len(c.userBuf) > 0 {
		// Line breaks are allowed here, as in MIME: an old Java helper wrote and signed them.
		if f.userBuf, err = base64.StdEncoding.AppendDecode(nil, c.userBuf); err != nil {
			return refuse(codes.TicketMalformed, "has a TLS.userbuf that is not base64")
		}
	}
	return nil
}

// ticket returns c, of which f was decoded, as a Ticket of userID.
func (c *claims) ticket(userID string, f *form) Ticket {
	return Ticket{
		App:     c.app,
		UserID:  userID,
		Issued:  time.Unix(int64(c.issued), 0).UTC(),
		Expires: time.Unix(int64(c.issued+c.validity), 0).UTC(),
		UserBuf: f.userBuf,
	}
}
