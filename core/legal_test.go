package core

import (
	"fmt"

	"github.com/opentim/tim/codes"
)

// legal checks that events and answers come in an order that the design allows. It knows of a client only what it is told.
type legal struct {
	status     codes.LoginStatus
	connection codes.ConnectionState
	ready      bool
	ending     bool // kicked_offline or user_sig_expired was told, and logged_out must follow
	closed     bool
	wrong      string // the first thing that is against the rules
}

func newLegal() *legal {
	return &legal{status: codes.LoggedOut, connection: codes.StateDisconnected}
}

func (l *legal) hear(e Event) {
	switch {
	case l.closed:
		l.breaks("%s after closed", words(e))
	case l.status == codes.LoggedIn != l.ready && e.Kind != codes.EventReady && e.Kind != codes.EventLog:
		l.breaks("%s between a status and what it means for ready", words(e))
	case l.ending && e.Kind != codes.EventLog && (e.Kind != codes.EventLoginStatus || e.Status != codes.LoggedOut):
		l.breaks("%s after the end of a session", words(e))
	}
	switch e.Kind {
	case codes.EventLoginStatus:
		l.hearStatus(e.Status)
	case codes.EventReady:
		if e.Ready == l.ready || e.Ready != (l.status == codes.LoggedIn) {
			l.breaks("%s while %s", words(e), l.status)
		}
		l.ready = e.Ready
	case codes.EventConnecting:
		l.hearConnection(e, codes.StateConnecting, l.connection == codes.StateDisconnected && l.status != codes.LoggedOut)
	case codes.EventConnected:
		// A login is told after the connection that it came over, so that nobody is logged in yet.
		l.hearConnection(e, codes.StateConnected, l.connection == codes.StateConnecting && e.Resumed == (l.status == codes.LoggedIn))
	case codes.EventDisconnected:
		l.hearConnection(e, codes.StateDisconnected, l.connection != codes.StateDisconnected)
	case codes.EventKickedOffline, codes.EventUserSigExpired:
		if l.ending = true; l.status != codes.LoggedIn {
			l.breaks("%s while %s", words(e), l.status)
		}
	case codes.EventUserSigWillExpire:
		if l.status != codes.LoggedIn {
			l.breaks("%s while %s", words(e), l.status)
		}
	case codes.EventClosed:
		if l.closed = true; l.status != codes.LoggedOut || l.connection != codes.StateDisconnected {
			l.breaks("closed while %s, %s", l.status, l.connection)
		}
	}
}

func (l *legal) hearStatus(to codes.LoginStatus) {
	from := l.status
	if l.ending, l.status = false, to; from == to || from == codes.LoggedOut && to == codes.LoggedIn || from == codes.LoggedIn && to == codes.LoggingIn {
		l.breaks("%s after %s", to, from)
	}
}

func (l *legal) hearConnection(e Event, to codes.ConnectionState, allowed bool) {
	if !allowed {
		l.breaks("%s while %s, %s", words(e), l.connection, l.status)
	}
	l.connection = to
}

// answered hears the answer to a login, which comes after the events that led to it.
func (l *legal) answered(user string, err error) {
	switch {
	case l.closed:
		l.breaks("an answer after closed")
	case err == nil && (l.status != codes.LoggedIn || !l.ready):
		l.breaks("login %s OK while %s", user, l.status)
	}
}

func (l *legal) breaks(format string, args ...any) {
	if l.wrong == "" {
		l.wrong = fmt.Sprintf(format, args...)
	}
}
