package core

import (
	"time"

	"github.com/opentim/tim/codes"
)

// An alarm is a moment at which the engine tells itself something.
type alarm int

const (
	alarmAttempt alarm = iota // this try to connect and sign in has taken too long
	alarmAlive                // the server was silent for too long, or did not answer a probe
	alarmRetry                // the wait for the next try is over
	alarmAsk                  // the ticket should be renewed
	alarmCount
)

// stateAlarms end with the state that armed them. alarmAsk ends with the session.
var stateAlarms = []alarm{alarmAttempt, alarmAlive, alarmRetry}

func (e *engine) arm(a alarm, in time.Duration) { e.alarms[a] = e.now.add(in) }

func (e *engine) disarm(all ...alarm) {
	for _, a := range all {
		e.alarms[a] = moment{}
	}
}

// ring applies what is due by now. Every step starts with it: a machine that slept wakes with alarms that nothing rang.
func (e *engine) ring() {
	rang := false
	for a, at := range e.alarms {
		if e.alarms[a] != at || !at.reached(e.now) { // an alarm that rang before may have changed this one
			continue
		}
		e.alarms[a] = moment{}
		e.apply(e.alarmSignal(alarm(a), at))
		rang = true
	}
	if e.settleOverdue(); rang || len(e.settled) > 0 {
		e.publish()
	}
}

func (e *engine) alarmSignal(a alarm, at moment) *signal {
	switch a {
	case alarmAttempt:
		return &signal{kind: lost, failure: e.whySlow()}
	case alarmRetry:
		return &signal{kind: retry}
	case alarmAsk:
		return &signal{kind: ask}
	case alarmAlive:
		return e.silence(at)
	}
	panic("core: no such alarm")
}

// rearm sets the one timer to the next alarm or the next call's deadline. Setting a timer may wake a thread of Go's, so one
// that rings too early stays as it is while a login is under way: it will find nothing to do and be set anew.
func (e *engine) rearm() {
	next, armed := time.Duration(0), false
	consider := func(at moment) {
		if !at.set() {
			return
		}
		if in := at.until(e.now); !armed || in < next {
			next, armed = in, true
		}
	}
	for _, at := range e.alarms {
		consider(at)
	}
	for _, k := range e.calls {
		if k.kind != logout {
			consider(k.deadline)
		}
	}
	at := e.now.mono + next
	switch early := e.ringsAt != 0 && e.ringsAt <= at; {
	case !armed:
		e.stopTimer()
	case early && (e.ringsAt == at || e.state != online):
	case e.timer == nil:
		e.timer, e.ringsAt = time.AfterFunc(next, e.rang), at
	default:
		e.timer.Reset(next)
		e.ringsAt = at
	}
}

func (e *engine) rang() {
	e.mu.Lock()
	e.ringsAt = 0
	e.mu.Unlock()
	e.post(&signal{kind: tick})
}

// stopTimer does not trust ringsAt, which a timer that has just rung sets to 0 although it may have been set again since.
func (e *engine) stopTimer() {
	if e.timer != nil {
		e.timer.Stop()
	}
	e.ringsAt = 0
}

// whyLate names why a call was not answered in time: the last failure, or how far the present try came.
func (e *engine) whyLate() failure {
	if s := e.session; s != nil && s.last.code != codes.OK {
		return s.last
	}
	return e.whySlow()
}

// whySlow names what the present try waits for.
func (e *engine) whySlow() failure {
	if e.state == dialing && !e.link.reached.Load() {
		return failure{code: codes.ConnectTimeout}
	}
	return failure{code: codes.AckTimeout}
}
