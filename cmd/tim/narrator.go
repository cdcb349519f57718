package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
)

// A narrator prints what happens: in plain words for a person, or as JSON lines for a program.
type narrator struct {
	mu   sync.Mutex
	out  io.Writer
	json bool
	user string
	now  func() time.Time

	// What was told before: the same failure of each try is told once.
	status codes.LoginStatus
	failed string
}

func newNarrator(out io.Writer, asJSON bool, user string) *narrator {
	return &narrator{out: out, json: asJSON, user: user, now: time.Now}
}

// A line is one JSON line. Times are RFC 3339 in UTC.
type line struct {
	Time       time.Time  `json:"time"`
	Event      string     `json:"event"`
	User       string     `json:"user,omitempty"`
	Status     string     `json:"status,omitempty"`
	Resumed    *bool      `json:"resumed,omitempty"`
	Ready      *bool      `json:"ready,omitempty"`
	Repeat     *bool      `json:"repeat,omitempty"`
	Code       codes.Code `json:"code,omitempty"`
	Text       string     `json:"text,omitempty"`
	Reason     string     `json:"reason,omitempty"`
	ByPlatform string     `json:"by_platform,omitempty"`
	ByLabel    string     `json:"by_label,omitempty"`
	At         *time.Time `json:"at,omitempty"`
	Session    string     `json:"session,omitempty"`
}

func (n *narrator) tell(e core.Event) {
	if n.json {
		n.print(eventLine(e))
		return
	}
	if words := n.news(e); words != "" {
		n.say(words)
	}
}

// news says what e means to a person, or "" if that was told already.
func (n *narrator) news(e core.Event) string {
	words := eventWords(e, n.user)
	switch e.Kind {
	case codes.EventLoginStatus:
		n.status = e.Status
	case codes.EventConnecting:
		if n.failed != "" {
			return ""
		}
	case codes.EventConnected:
		n.failed = ""
	case codes.EventDisconnected:
		if n.status == codes.LoggingIn && e.Code != codes.OK {
			words = "cannot connect: " + e.Text + "; trying again"
		}
		if words == n.failed {
			return ""
		}
		n.failed = words
	}
	return words
}

func (n *narrator) loggedIn(r core.LoginResult) {
	if n.json {
		at := r.TicketExpires.UTC()
		n.print(line{Event: "result", User: n.user, Repeat: &r.Repeat, Session: r.Session, At: &at})
		return
	}
	n.say(fmt.Sprintf("%s is logged in; the ticket is valid until %s. Ctrl-C logs out.", n.user, moment(r.TicketExpires)))
}

// say prints one sentence with the time of day. As JSON, what a person is told in passing is left out.
func (n *narrator) say(words string) {
	if n.json {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	fmt.Fprintf(n.out, "%s  %s\n", n.now().Format("15:04:05"), words)
}

func (n *narrator) print(l line) {
	n.mu.Lock()
	defer n.mu.Unlock()
	l.Time = n.now().UTC()
	data, err := json.Marshal(l)
	if err != nil {
		panic("tim: a line that is no JSON: " + err.Error())
	}
	n.out.Write(append(data, '\n'))
}

func eventLine(e core.Event) line {
	l := line{Event: e.Kind.String(), Code: e.Code, Text: e.Text}
	switch e.Kind {
	case codes.EventConnected:
		l.Resumed = &e.Resumed
	case codes.EventLoginStatus:
		l.Status = e.Status.String()
	case codes.EventReady:
		l.Ready = &e.Ready
	case codes.EventKickedOffline:
		at := e.Kick.At.UTC()
		l.Reason, l.ByLabel, l.At = e.Kick.Reason.String(), e.Kick.ByLabel, &at
		if e.Kick.ByPlatform != 0 {
			l.ByPlatform = e.Kick.ByPlatform.String()
		}
	case codes.EventUserSigWillExpire:
		at := e.At.UTC()
		l.At = &at
	}
	return l
}

// eventWords says what e means to a person, or "" if another line says it already.
func eventWords(e core.Event, user string) string {
	switch e.Kind {
	case codes.EventConnecting:
		return "connecting"
	case codes.EventConnected:
		if e.Resumed {
			return "connected again; nothing was lost and nobody was kicked"
		}
		return "connected"
	case codes.EventDisconnected:
		if e.Code == codes.OK {
			return "disconnected"
		}
		return fmt.Sprintf("the connection is lost: %s; %s stays logged in and comes back by itself", e.Text, user)
	case codes.EventKickedOffline:
		if r := e.Kick.Reason; r == codes.KickRESTAPI || r == codes.KickAccountDeleted {
			return kickWords(e.Kick, user) + " Older tickets may be refused now." // and a banned user is
		}
		return kickWords(e.Kick, user) + " Run the same command to log in again."
	case codes.EventUserSigWillExpire:
		return "the ticket ends at " + moment(e.At) + "; without a new one the session ends then"
	case codes.EventUserSigExpired:
		return "the ticket has ended, and the session with it: log in with a new one"
	case codes.EventLog:
		return e.Level.String() + ": " + e.Text
	}
	return ""
}

func kickWords(k core.Kick, user string) string {
	by := "another device"
	if k.ByPlatform != 0 {
		by = "another device (" + k.ByPlatform.String() + ")"
	}
	if k.ByLabel != "" {
		by = fmt.Sprintf("%q (%s)", k.ByLabel, k.ByPlatform)
	}
	at := k.At.Local().Format("15:04:05")
	switch k.Reason {
	case codes.KickMultipleAccount:
		return fmt.Sprintf("%s was kicked at %s: %s signed in, and no more devices of this platform may be online.", user, at, by)
	case codes.KickMultipleDevice:
		return fmt.Sprintf("%s was kicked at %s: %s signed in, and this platform may not be online beside it.", user, at, by)
	case codes.KickRESTAPI:
		return fmt.Sprintf("%s was kicked at %s by an administrator.", user, at)
	case codes.KickReplaced:
		return fmt.Sprintf("%s was kicked at %s: this same device signed in over a newer connection.", user, at)
	case codes.KickAccountDeleted:
		return fmt.Sprintf("%s was kicked at %s: the account was deleted.", user, at)
	}
	return fmt.Sprintf("%s was kicked at %s (%s).", user, at, k.Reason)
}

func moment(t time.Time) string {
	left := time.Until(t).Round(time.Minute)
	if left < 2*time.Minute {
		left = time.Until(t).Round(time.Second)
	}
	return fmt.Sprintf("%s (in %s)", t.Local().Format("Mon 2 Jan 15:04:05"), shortDuration(left))
}

// shortDuration writes 24h0m0s as 24h.
func shortDuration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"0s", "0m"} {
		if len(s) > len(zero)+1 && s[len(s)-2:] == zero && (s[len(s)-3] < '0' || s[len(s)-3] > '9') {
			s = s[:len(s)-2]
		}
	}
	return s
}
