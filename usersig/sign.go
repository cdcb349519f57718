package usersig

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/adler32"
	"strconv"
	"time"

	"github.com/opentim/tim/codes"
)

// ticketEncoding is base64 as tickets write it: safe in URLs, with padding, and unlike anybody else's.
var ticketEncoding = base64.NewEncoding(ticketAlphabet).WithPadding('_')

const ticketAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789*-"

// Sign returns a ticket for userID of app that is valid from now for validity, in whole seconds: at least one second, at most
// MaxValidity. key is the app's secret key, as text.
//
// It fails with codes.TicketKeyMissing for an empty key, codes.InvalidUserID for a userID that CheckUserID refuses, and
// codes.InvalidParameters for anything else out of range. It may be called from any goroutine.
func Sign(app uint64, key, userID string, validity time.Duration) (string, error) {
	now := time.Now()
	// Only whole seconds count, so that 1.5 s does not become 2 when now is late in its second.
	expires := now.Add(validity.Truncate(time.Second))
	return Ticket{App: app, UserID: userID, Issued: now, Expires: expires}.Sign(key)
}

// Sign returns t as a ticket, signed with key. It is for a given time or a UserBuf; the function Sign is shorter.
// Its rules and errors are those of the function; a UserBuf has at most MaxUserBuf bytes.
func (t Ticket) Sign(key string) (string, error) {
	if err := t.check(key); err != nil {
		return "", fmt.Errorf("sign a ticket: %w", err)
	}
	c := claims{
		user:     []byte(t.UserID),
		app:      t.App,
		issued:   uint64(t.Issued.Unix()),
		validity: uint64(t.Expires.Unix() - t.Issued.Unix()),
		userBuf:  base64.StdEncoding.AppendEncode(nil, t.UserBuf),
	}
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write(c.appendMessage(nil))
	return ticketEncoding.EncodeToString(storeZlib(c.appendDocument(nil, mac.Sum(nil)))), nil
}

func (t Ticket) check(key string) error {
	if key == "" {
		return fmt.Errorf("the key is empty: %w", codes.TicketKeyMissing)
	}
	if err := CheckUserID(t.UserID); err != nil {
		return err
	}
	issued, validity := t.Issued.Unix(), t.Expires.Unix()-t.Issued.Unix()
	switch {
	case t.App == 0 || t.App > maxNumber:
		return fmt.Errorf("SDKAppID %d is out of range: %w", t.App, codes.InvalidParameters)
	case issued < 0 || issued > maxNumber:
		return fmt.Errorf("the time %d s is out of range: %w", issued, codes.InvalidParameters)
	case validity < 1 || validity > int64(MaxValidity/time.Second):
		return fmt.Errorf("a validity of %d s is out of range: %w", validity, codes.InvalidParameters)
	case len(t.UserBuf) > MaxUserBuf:
		return fmt.Errorf("the userbuf has %d bytes, more than %d: %w", len(t.UserBuf), MaxUserBuf, codes.InvalidParameters)
	}
	return nil
}

// appendMessage appends the string that is signed. Its lines are unambiguous because only the last can hold a newline.
func (c *claims) appendMessage(b []byte) []byte {
	b = append(b, "TLS.identifier:"...)
	b = append(b, c.user...)
	b = append(b, "\nTLS.sdkappid:"...)
	b = strconv.AppendUint(b, c.app, 10)
	b = append(b, "\nTLS.time:"...)
	b = strconv.AppendUint(b, c.issued, 10)
	b = append(b, "\nTLS.expire:"...)
	b = strconv.AppendUint(b, c.validity, 10)
	b = append(b, '\n')
	if len(c.userBuf) > 0 {
		b = append(b, userBufLine...)
		b = append(b, c.userBuf...)
		b = append(b, '\n')
	}
	return b
}

const userBufLine = "TLS.userbuf:"

func (c *claims) appendDocument(b, mac []byte) []byte {
	b = append(b, `{"TLS.ver":"2.0","TLS.identifier":`...)
	b = strconv.AppendQuote(b, string(c.user)) // for printable ASCII, Go's spelling is JSON's
	b = append(b, `,"TLS.sdkappid":`...)
	b = strconv.AppendUint(b, c.app, 10)
	b = append(b, `,"TLS.expire":`...)
	b = strconv.AppendUint(b, c.validity, 10)
	b = append(b, `,"TLS.time":`...)
	b = strconv.AppendUint(b, c.issued, 10)
	if len(c.userBuf) > 0 {
		b = append(b, `,"TLS.userbuf":"`...)
		b = append(b, c.userBuf...)
		b = append(b, '"')
	}
	b = append(b, `,"TLS.sig":"`...)
	b = base64.StdEncoding.AppendEncode(b, mac)
	return append(b, `"}`...)
}

// storeZlib frames doc, of less than 64 KiB, as zlib with one stored block. Compressing would save a fifth of the text and
// cost the verifier twice the time.
func storeZlib(doc []byte) []byte {
	b := make([]byte, 0, len(doc)+11)
	b = append(b, 0x78, 0x01) // deflate, 32 KiB window, fastest
	b = append(b, 1)          // the last block, stored
	b = binary.LittleEndian.AppendUint16(b, uint16(len(doc)))
	b = binary.LittleEndian.AppendUint16(b, ^uint16(len(doc)))
	b = append(b, doc...)
	return binary.BigEndian.AppendUint32(b, adler32.Checksum(doc))
}
