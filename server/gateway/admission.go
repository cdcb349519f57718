package gateway

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// firstGuess is the admissions per second of one core, until they are measured.
	firstGuess = 5000
	// leastCapacity keeps a bad measurement from locking everybody out.
	leastCapacity = 200
	// sample is how many admissions make a measurement, and sampleTime how long they may take: more slowly, and the process
	// was busy with something else.
	sample     = 2000
	sampleTime = 4 * time.Second
	// share is the part of the capacity that clients who come back are told to use. The rest is for others, and because each
	// was told when it signed in, when the node was emptier: a node that filled from n to m comes back ln(m/n) times faster.
	share = 0.25
	// maxWait bounds what a client is told to wait.
	maxWait = 2 * time.Minute
)

// An admission says how many logins and resumes are taken, and when the others shall come back.
type admission struct {
	limiter *rate.Limiter
	fixed   bool

	mu      sync.Mutex
	next    time.Time // when the next one who is refused shall come back
	count   int       // admissions since the sample began
	began   time.Time
	cpuThen time.Duration
}

// newAdmission takes perSecond, or measures if it is zero.
func newAdmission(perSecond float64) *admission {
	a := &admission{fixed: perSecond > 0}
	if !a.fixed {
		perSecond = firstGuess * float64(runtime.GOMAXPROCS(0))
	}
	a.limiter = rate.NewLimiter(rate.Limit(perSecond), int(perSecond)+1)
	return a
}

// comeback is how many clients per second shall come back after they were all thrown out.
func (a *admission) comeback() float64 {
	if a.fixed {
		return float64(a.limiter.Limit())
	}
	return float64(a.limiter.Limit()) * share
}

// allow reports whether one more is admitted now, or how long it shall wait: those who are refused are given one turn after
// the other, at the rate of admission.
func (a *admission) allow(now time.Time) (bool, time.Duration) {
	if a.limiter.AllowN(now, 1) {
		if !a.fixed {
			a.measure(now)
		}
		return true, 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	turn := time.Duration(float64(time.Second) / float64(a.limiter.Limit()))
	if soonest := now.Add(time.Second); a.next.Before(soonest) { // the burst comes back first
		a.next = soonest
	}
	a.next = a.next.Add(turn)
	if wait := a.next.Sub(now); wait <= maxWait {
		return false, wait
	}
	return false, maxWait/2 + rand.N(maxWait/2)
}

// A window is the time over which clients are told to come back. It changes slowly and is worked out now and then.
type window struct {
	length atomic.Int64 // a time.Duration
	until  atomic.Int64 // Unix milliseconds
}

// reconnectWindow is the time over which all clients of this node would have to come back for it to admit each at once.
func (g *Gateway) reconnectWindow() time.Duration {
	now := time.Now().UnixMilli()
	if now >= g.window.until.Load() {
		length := time.Duration(float64(g.sessions.Online()) / g.admission.comeback() * float64(time.Second))
		g.window.length.Store(int64(min(max(length, g.o.ReconnectMin), g.o.ReconnectMax)))
		g.window.until.Store(now + 100)
	}
	return time.Duration(g.window.length.Load())
}

// measure follows what an admission costs, everything that the process does beside it included.
func (a *admission) measure(now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count++; a.count < sample && a.count > 1 {
		return
	}
	cpu := processCPU()
	if took := now.Sub(a.began); a.count >= sample && took < sampleTime && cpu > a.cpuThen {
		cost := (cpu - a.cpuThen).Seconds() / sample
		capacity := max(float64(runtime.GOMAXPROCS(0))/cost, leastCapacity)
		capacity = (float64(a.limiter.Limit()) + capacity) / 2
		a.limiter.SetLimitAt(now, rate.Limit(capacity))
		a.limiter.SetBurstAt(now, int(capacity)+1)
	}
	a.count, a.began, a.cpuThen = 1, now, cpu
}
