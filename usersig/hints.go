package usersig

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"github.com/opentim/tim/codes"
)

// Mistakes that have been seen in the wild. Each hint names one that would look exactly like this.

// textHints are about a ticket that cannot be read.
func textHints(r *reader, ticket string) []string {
	trimmed := strings.Trim(ticket, "\"' \t\r\n")
	for _, lost := range []string{"_", "__"} {
		if bad := r.read(trimmed + lost); bad == nil || bad.code != codes.TicketUnreadable {
			return []string{fmt.Sprintf("only the %s at its end is missing", lost)}
		}
	}
	for _, h := range []struct {
		fits bool
		hint string
	}{
		{strings.HasPrefix(trimmed, "{"), "it is the JSON itself: compress it with zlib, then write it in base64"},
		{strings.HasPrefix(trimmed, "eyJ") && strings.Count(ticket, ".") == 2, "it looks like a JWT, which is another kind of token"},
		{strings.HasPrefix(trimmed, "eyJ"), "its JSON was not compressed with zlib"},
		{strings.HasPrefix(trimmed, "H4sI"), "it was compressed with gzip instead of zlib"},
		{strings.Contains(ticket, "%"), "it is URL-encoded: decode it once more before use"},
		{strings.ContainsAny(ticket, "+/="), "it is in plain base64: a ticket has * for +, - for / and _ for ="},
		{trimmed != ticket, "it was copied with blanks or quotes around it"},
	} {
		if h.fits {
			return []string{h.hint}
		}
	}
	return nil
}

// formHints are about a ticket that is malformed.
func formHints(r *reader) []string {
	for _, old := range []string{"TLS.sdk_appid", "TLS.expire_after", "TLS.account_type"} {
		if bytes.Contains(r.doc, []byte(old)) {
			return []string{"it looks like an old v1 ticket, signed with ECDSA: sign with TLSSigAPIv2"}
		}
	}
	sig, err := strictBase64.AppendDecode(nil, r.claims.sig)
	if err != nil {
		return nil
	}
	if _, err := hex.Decode(make([]byte, len(sig)), sig); err == nil && len(sig) == 2*sha256.Size {
		return []string{"its signature was written in hex before base64: ask the HMAC function for raw bytes"}
	}
	if len(sig) >= 68 && len(sig) <= 72 && sig[0] == 0x30 {
		return []string{"its signature looks like ECDSA, as in old v1 tickets: sign with TLSSigAPIv2"}
	}
	return nil
}

// keyHints are about a signature that no key fits. They try what signers get wrong.
func keyHints(c *claims, f *form, keys []string) []string {
	message := string(c.appendMessage(nil))
	bare, _, _ := strings.Cut(message, userBufLine)
	var hints []string
	for _, key := range keys {
		fromHex, _ := hex.DecodeString(key)
		for _, try := range []struct{ key, message, hint string }{
			{strings.TrimSpace(key), message, "it fits the key without the blanks around it: correct the key here"},
			{key + "\n", message, "it fits the key with a newline at its end: correct the key where it is signed"},
			{key + "\r\n", message, "it fits the key with a newline at its end: correct the key where it is signed"},
			{key + " ", message, "it fits the key with a blank at its end: correct the key where it is signed"},
			{string(fromHex), message, "it fits the key decoded from hex: the key looks hex, but is used as the text it is"},
			{strings.ToLower(key), message, "it fits the key in small letters"},
			{strings.ToUpper(key), message, "it fits the key in capitals"},
			{key, strings.ReplaceAll(message, "\n", `\n`), `its lines were signed with \n as two characters, as PHP does in single quotes`},
			{key, strings.TrimSuffix(message, "\n"), "it was signed without the newline at the end of the last line"},
			{key, bare, "it was signed without its userbuf"},
		} {
			mac := hmac.New(sha256.New, []byte(try.key))
			mac.Write([]byte(try.message))
			if try.key != "" && hmac.Equal(mac.Sum(nil), f.mac[:]) {
				hints = append(hints, try.hint)
			}
		}
	}
	return hints
}

const (
	skew     = 60            // seconds that clocks may differ before it is worth a word
	aeon     = 1_000_000_000 // seconds, 31 years: nobody asks for that, but dates and milliseconds are larger
	farAhead = 100 * aeon    // seconds since 1970, the year 5138: today in milliseconds is later
)

// timeHints are about a ticket whose times are odd.
func timeHints(c *claims, now time.Time) []string {
	var hints []string
	ahead := int64(c.issued) - now.Unix()
	switch {
	case c.issued > farAhead:
		hints = append(hints, "its TLS.time looks like milliseconds: it counts seconds since 1970")
	case ahead > skew:
		hints = append(hints, fmt.Sprintf("it is not yet issued: its time is %s ahead of this clock (%s); one of the two clocks is wrong, "+
			"perhaps the signing machine's", spell(ahead), stamp(now)))
	}
	if c.validity > aeon {
		hints = append(hints, fmt.Sprintf("its TLS.expire, %d, looks like a date or like milliseconds: it counts seconds from TLS.time", c.validity))
	}
	return hints
}
