package server

import (
	"net/netip"
	"sync"
	"time"
)

const (
	failuresAllowed = 5           // in failureWindow, before an address has to wait
	failuresCredit  = 50          // most that successful logins can earn an address
	failureWindow   = time.Minute // also how long an address has to wait
	failuresMax     = 1 << 16     // addresses remembered
)

// failures limits failed logins by address: five a minute, then a minute of waiting, in which only good resume tickets are
// accepted from there. What fails is a ticket: one that is good, of a user who is banned, is no guess. Only addresses that failed lately are
// remembered, and no more than failuresMax of them: who fails from that many is not stopped by a limit for each. A login
// that succeeds from one of them takes a failure back, so that a few mistakes behind an address that many people share do
// not lock them all out.
type failures struct {
	mu   sync.Mutex
	seen map[netip.Addr]*failureBudget
}

type failureBudget struct {
	left    int       // failures until it is blocked
	since   time.Time // of the window's first failure
	blocked time.Time // until when; zero if it is not
}

// blocked returns how long an address has to wait, or 0.
func (f *failures) blocked(addr netip.Addr, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) == 0 {
		return 0
	}
	b := f.seen[Network(addr)]
	if b == nil || !now.Before(b.blocked) {
		return 0
	}
	return b.blocked.Sub(now)
}

// failed notes a failure and reports whether the address is blocked from now on.
func (f *failures) failed(addr netip.Addr, now time.Time) bool {
	if !addr.IsValid() {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.seen == nil {
		f.seen = make(map[netip.Addr]*failureBudget)
	}
	addr = Network(addr)
	b := f.seen[addr]
	if b == nil {
		if len(f.seen) == failuresMax {
			return false
		}
		b = new(failureBudget)
		f.seen[addr] = b
	}
	if b.over(now) {
		*b = failureBudget{left: failuresAllowed, since: now}
	}
	b.left--
	if b.left > 0 {
		return false
	}
	b.blocked = now.Add(failureWindow)
	return true
}

// succeeded notes a login that succeeded.
func (f *failures) succeeded(addr netip.Addr) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.seen) == 0 {
		return
	}
	if b := f.seen[Network(addr)]; b != nil {
		b.left = min(b.left+1, failuresCredit)
	}
}

// tidy drops addresses whose failures no longer count.
func (f *failures) tidy(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for addr, b := range f.seen {
		if b.over(now) {
			delete(f.seen, addr)
		}
	}
}

func (b *failureBudget) over(now time.Time) bool {
	return now.Sub(b.since) >= failureWindow && !now.Before(b.blocked)
}
