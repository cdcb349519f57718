package server

import (
	"context"
	"errors"
	"fmt"
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

func refuse(code codes.Code, format string, args ...any) *Refusal {
	return &Refusal{Code: code, Text: fmt.Sprintf(format, args...)}
}

// refuseKicked is the answer to a session that had to leave while it was away, or that has to stay out.
func refuseKicked(k *Kick) *Refusal {
	r := refuse(k.Code, "the session was ended: %s", k.Reason)
	r.Kick = k
	return r
}

// refuseBroken is the answer when something of ours failed. What it was is for the server's log, not for the client.
func refuseBroken(err error) *Refusal {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return refuse(codes.ServerTimeout, "the login took too long")
	}
	return refuse(codes.ServerInternal, "the login could not be recorded")
}
