package server

import (
	"time"

	"github.com/opentim/tim/codes"
)

// Settings are an app's login settings: who may be online together.
type Settings struct {
	Policy codes.Policy
	// Limits is how many instances of a platform may be online: 1 to 10 for web, 1 to 3 for the others. A platform that is
	// missing has 1.
	Limits map[codes.Platform]int

	Version   int64 // counts changes; 0 are the defaults, never stored
	ChangedBy string
	ChangedAt time.Time
}

// DefaultSettings are what an app has until somebody changes them: dual platform, one instance of each.
func DefaultSettings() Settings { return Settings{Policy: codes.PolicyDual} }

// Limit returns how many instances of p may be online.
func (s Settings) Limit(p codes.Platform) int {
	if n := s.Limits[p]; n > 0 {
		return n
	}
	return 1
}
