package server

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	limiterMax  = 1 << 16 // keys that are remembered; others are not limited
	limiterTidy = 1 << 10 // keys from which on those are forgotten that have been quiet
)

// A Limiter bounds how often something happens, for each key by itself. It remembers who did it lately, 65,536 keys at most: an
// attack by more of them than that is not stopped by a limit for each. Its methods may be called from any goroutine. A nil
// Limiter allows everything.
type Limiter[K comparable] struct {
	rate  rate.Limit
	burst int

	mu     sync.Mutex
	seen   map[K]*rate.Limiter
	tidyAt int       // keys
	tidied time.Time // when that was last done
}

// NewLimiter allows perSecond, and burst at once. Nothing is limited, and nil returned, if perSecond is zero.
func NewLimiter[K comparable](perSecond float64, burst int) *Limiter[K] {
	if perSecond <= 0 {
		return nil
	}
	return &Limiter[K]{rate: rate.Limit(perSecond), burst: max(burst, 1), seen: make(map[K]*rate.Limiter), tidyAt: limiterTidy}
}

// Take counts one more of key and returns 0, or counts nothing and returns how long key has to wait.
func (l *Limiter[K]) Take(key K, now time.Time) time.Duration {
	if l == nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.seen[key]
	if bucket == nil {
		if l.tidy(now); len(l.seen) >= limiterMax {
			return 0
		}
		bucket = rate.NewLimiter(l.rate, l.burst)
		l.seen[key] = bucket
	}
	one := bucket.ReserveN(now, 1)
	wait := one.DelayFrom(now)
	if wait > 0 {
		one.CancelAt(now)
	}
	return wait
}

// tidy forgets the keys that may do again all they ever might, when there are many, and at most once a second.
func (l *Limiter[K]) tidy(now time.Time) {
	if len(l.seen) < l.tidyAt || now.Sub(l.tidied) < time.Second {
		return
	}
	l.tidied = now
	for key, bucket := range l.seen {
		if bucket.TokensAt(now) >= float64(l.burst) {
			delete(l.seen, key)
		}
	}
	l.tidyAt = min(max(2*len(l.seen), limiterTidy), limiterMax)
}

// Network returns what is limited together: an IPv4 address, or an IPv6 network of 64 bits.
func Network(addr netip.Addr) netip.Addr {
	addr = addr.Unmap().WithZone("")
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return addr
}
