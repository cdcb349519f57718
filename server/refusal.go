package server

import (
	"time"

	"github.com/opentim/tim/codes"
)

// A Refusal is an error that is meant for the client. errors.Is finds its Code.
type Refusal struct {
	Code       codes.Code
	Text       string        // a sentence for whoever reads the client's log, without secrets; never empty
	RetryAfter time.Duration // 0 is the client's own choice
	Kick       *Kick         // how the session ended, if it was ended while it was away
}

// Error returns the text and the code.
func (r *Refusal) Error() string { return r.Text + ": " + r.Code.Error() }

// Unwrap returns the code.
func (r *Refusal) Unwrap() error { return r.Code }
