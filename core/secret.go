package core

import (
	"crypto/sha256"
	"fmt"

	"github.com/opentim/tim/codes"
)

// redact prints a ticket for the log: its length and its last four characters, which tell tickets apart and open nothing. Of
// a short one, which may be anything, only the length.
func redact(ticket string) string {
	if len(ticket) < 16 {
		return fmt.Sprintf("(%d bytes)", len(ticket))
	}
	return fmt.Sprintf("(%d bytes …%s)", len(ticket), clean(ticket[len(ticket)-4:]))
}

// spentTickets remembers the last tickets that the server called expired, as hashes.
type spentTickets struct {
	hashes [8][sha256.Size]byte
	next   int
}

// note remembers ticket if code calls it expired.
func (s *spentTickets) note(code codes.Code, ticket string) {
	if (code == codes.TicketExpired || code == codes.UserSigExpired) && !s.has(ticket) {
		s.hashes[s.next] = sha256.Sum256([]byte(ticket))
		s.next = (s.next + 1) % len(s.hashes)
	}
}

func (s *spentTickets) has(ticket string) bool {
	hash := sha256.Sum256([]byte(ticket))
	for _, h := range s.hashes {
		if h == hash {
			return true
		}
	}
	return false
}
