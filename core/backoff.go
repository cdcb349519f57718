package core

import (
	"math/rand/v2"
	"time"
)

const (
	waitBase          = 500 * time.Millisecond
	waitLeast         = 200 * time.Millisecond
	waitMost          = 20 * time.Second
	waitMostBackgound = 300 * time.Second
	stableAfter       = 30 * time.Second // a connection that lived this long makes waits start from the base again

	// So many refused connections do not make waits longer: a server that restarts is down, not crowded, and has room when it
	// is back. One that refuses for longer is gone, and not worth a phone's battery.
	patientRefusals = 10
)

// ceiling is the longest wait before try number n, counted from 0. window is the server's reconnect window, 0 if it gave
// none: it replaces the base, and no cap cuts it, because a window shorter than the server needs is no better than none.
func ceiling(n int, window time.Duration, background bool) time.Duration {
	most, c := waitMost, waitBase
	if background {
		most = waitMostBackgound
	}
	if window > 0 {
		most, c = max(most, window), window
	}
	for range n {
		if c *= 2; c >= most {
			break
		}
	}
	return min(c, most)
}

// fullJitter draws a wait between 0 and c, and at least 200 ms. Clients that all lost the same server spread over all of c.
func fullJitter(c time.Duration) time.Duration { return max(waitLeast, rand.N(c+1)) }
