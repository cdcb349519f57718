package admin

import (
	"sync"

	"golang.org/x/time/rate"

	"github.com/opentim/tim/codes"
)

const appRate = 1000 // calls a second of one app, of all commands

// limits bound how often an app calls, by Tencent's numbers. Only callers who have proven who they are count, so nobody can use
// up the limits of others. Its zero value is ready.
type limits struct {
	mu       sync.Mutex
	limiters map[limited]*rate.Limiter // bounded by apps × commands
}

// limited is what a limiter is for; a nil command means all of an app's.
type limited struct {
	app uint64
	cmd *command
}

// take counts a call, or says that it comes too soon.
func (l *limits) take(app uint64, cmd *command) error {
	if !l.of(limited{app, cmd}, cmd.rate).Allow() {
		return fail(codes.RESTTooOften, "%s is called more than %d times a second", cmd.path, cmd.rate)
	}
	if !l.of(limited{app, nil}, appRate).Allow() {
		return fail(codes.AppTooOften, "app %d calls more than %d times a second", app, appRate)
	}
	return nil
}

func (l *limits) of(what limited, perSecond int) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.limiters == nil {
		l.limiters = make(map[limited]*rate.Limiter)
	}
	limiter := l.limiters[what]
	if limiter == nil {
		limiter = rate.NewLimiter(rate.Limit(perSecond), perSecond)
		l.limiters[what] = limiter
	}
	return limiter
}
