package usersig

import (
	"fmt"
	"time"

	"github.com/opentim/tim/codes"
)

// Limits of what is signed and read. Nothing that a known signing library writes comes near those for reading.
const (
	MaxUserID   = 32                        // bytes of a userID
	MaxUserBuf  = 4 << 10                   // bytes of a UserBuf that Sign accepts
	MaxValidity = 50 * 365 * 24 * time.Hour // the longest life that Sign gives
	MaxText     = 8 << 10                   // characters of a ticket that Verify reads
	maxDocument = 8 << 10                   // bytes of JSON inside: the most that a zip bomb can make us inflate
	maxParts    = 256                       // members, objects and arrays in it: the most that encoding/json can be made to work through
	maxNumber   = 1<<53 - 1                 // the largest number that every JSON writer can write exactly
)

// A Ticket is what a ticket says.
type Ticket struct {
	App    uint64 // SDKAppID
	UserID string // 1 to 32 printable ASCII characters

	// Issued and Expires count in whole seconds; fractions are dropped. The whole second that Expires names is still
	// valid. Verify returns them in UTC.
	Issued, Expires time.Time

	// UserBuf is carried and signed, but means nothing to a login. TRTC keeps room permissions in it: see PrivateMapKey.
	// Nil and empty are the same.
	UserBuf []byte
}

// Expired reports whether t is no longer valid at now: from the second after Expires on.
func (t Ticket) Expired(now time.Time) bool { return now.Unix() > t.Expires.Unix() }

// CheckUserID returns nil if userID is 1 to 32 printable ASCII characters (0x20 to 0x7e), else an error that is
// codes.InvalidUserID. A newline in a userID would let one signature fit two different tickets.
func CheckUserID(userID string) error {
	switch {
	case userID == "":
		return fmt.Errorf("userID is empty: %w", codes.InvalidUserID)
	case len(userID) > MaxUserID:
		return fmt.Errorf("userID has %d bytes, more than %d: %w", len(userID), MaxUserID, codes.InvalidUserID)
	}
	for i := range len(userID) {
		if c := userID[i]; c < 0x20 || c > 0x7e {
			return fmt.Errorf("userID has byte 0x%02x at %d: %w", c, i, codes.InvalidUserID)
		}
	}
	return nil
}
