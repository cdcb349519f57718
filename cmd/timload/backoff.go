package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/opentim/tim/codes"
)

// These are the rules of tim's engine (core): after n failures a client waits a random time up to base·2ⁿ, where base is the
// window that the server gave it.
const (
	waitBase  = 500 * time.Millisecond // without a window
	waitMost  = 20 * time.Second       // or the window, if that is longer
	waitLeast = 200 * time.Millisecond
)

// wait draws how long the client waits before it tries again and counts the failure. What the server asked for, if it did,
// goes before. A connection that nobody accepted does not count: the server is not crowded but gone. A deaf client comes back as soon as it may, whatever it was told.
func (p *phone) wait(serverAsked time.Duration, gone bool) time.Duration {
	if p.deaf {
		return waitLeast
	}
	wait := serverAsked
	if wait == 0 {
		wait = rand.N(p.longestWait() + 1)
	}
	if !gone {
		p.failures++
	}
	return max(wait, waitLeast)
}

func (p *phone) longestWait() time.Duration {
	base := p.window
	if base <= 0 {
		base = waitBase
	}
	return min(max(waitMost, base), base<<min(p.failures, 16))
}

// afterFailure says how long to wait after an attempt that failed, or returns an error if it was the last.
func (h *herd) afterFailure(p *phone, err error) (time.Duration, error) {
	var refused *refusedError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		h.unreached.Add(1)
		return p.wait(0, true), nil
	case !errors.As(err, &refused):
		h.cut.Add(1)
		h.mu.Lock()
		h.cutBy = err
		h.mu.Unlock()
		return p.wait(0, false), nil
	case p.resume != nil && refused.Code == codes.TicketUnreadable:
		p.resume = nil
		return p.wait(0, false), nil
	case refused.Code.Retry() || refused.RetryAfter > 0:
		h.refused.Add(1)
		return p.wait(time.Duration(refused.RetryAfter)*time.Millisecond, false), nil
	default:
		return 0, fmt.Errorf("%s must not come back: %w", p.user, err)
	}
}
