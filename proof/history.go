package proof

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
	"github.com/opentim/tim/server"
)

// Never is when an answer came that did not come.
const Never = time.Duration(math.MaxInt64)

// A Result is what the asker knows of what became of its request.
type Result uint8

const (
	Unknown Result = iota // no answer, or an error that does not say that nothing happened
	Yes
	No
)

// An Op is a request: when it was made and when its answer came, since the history began.
type Op struct {
	Call, Return time.Duration
	Result       Result
}

// A Device is an installation of a user's. Its name is its instance and its label, and no two have the same.
type Device struct {
	Name, User string
	Platform   codes.Platform
}

// A DeviceOp is a login or a logout.
type DeviceOp struct {
	Op
	Device string
}

// An AdminOp is what an administrator asked for.
type AdminOp struct {
	Op
	Kind     AdminKind
	User     string
	Settings server.Settings // for SetSettings: without a version
}

// An AdminKind is a command of the REST API.
type AdminKind uint8

const (
	KickUser AdminKind = iota
	Ban
	Unban
	Import
	SetSettings
)

// A Word is what a device was told.
type Word uint8

const (
	SignedIn  Word = iota // its status became logged in
	SignedOut             // its status became logged out
	Ended                 // it was kicked, or its ticket ended: an explanation
)

// A Told is a word to a device. Those to one device are in order.
type Told struct {
	At     time.Duration
	Device string
	Word   Word
	Code   codes.Code // for Ended
	Kick   core.Kick  // for Ended
}

// A History is everything that was asked and told.
type History struct {
	Devices         map[string]Device
	Logins, Logouts []DeviceOp
	Admin           []AdminOp // in the order in which they were asked, one after the other
	Told            []Told
	// Slack is how late settings may be in force: where a check compares moments of two nodes, the order of what is closer
	// together is not held against anybody. That clocks differ is no excuse, because nodes go with the fastest.
	Slack time.Duration
}

// Check returns everything that is wrong with the history, given what was found in the end.
func (h *History) Check(f Final) []string {
	return slices.Concat(h.settled(f), h.victims(), h.explained(), h.kept(f))
}

// A Final is what was found when all was well again.
type Final struct {
	Sessions map[string][]server.Session // that last, of every user, oldest login first
	Settings []server.Settings           // of each node
	Accounts map[string]bool             // who has one
	Banned   map[string]bool             // who was refused for a ban
	DAU      int
}

func (o Op) String() string {
	result := [...]string{"no answer", "yes", "no"}[o.Result]
	if o.Return == Never {
		return fmt.Sprintf("%s (asked at %s)", result, o.Call)
	}
	return fmt.Sprintf("%s (asked at %s, answered at %s)", result, o.Call, o.Return)
}

// telling returns what concerns the users that bad is about, for people.
func (h *History) telling(bad []string) string {
	type line struct {
		at   time.Duration
		text string
	}
	var lines []line
	mine := func(user string) bool {
		return slices.ContainsFunc(bad, func(b string) bool { return strings.Contains(b, user) })
	}
	for _, o := range h.Logins {
		if mine(h.Devices[o.Device].User) {
			lines = append(lines, line{o.Call, fmt.Sprintf("%s logs in: %s", o.Device, o.Op)})
		}
	}
	for _, o := range h.Logouts {
		if mine(h.Devices[o.Device].User) {
			lines = append(lines, line{o.Call, fmt.Sprintf("%s logs out: %s", o.Device, o.Op)})
		}
	}
	for _, o := range h.Admin {
		if o.Kind == SetSettings || mine(o.User) {
			lines = append(lines, line{o.Call, fmt.Sprintf("administrator: %s %s %v: %s", adminKinds[o.Kind], o.User, o.Settings, o.Op)})
		}
	}
	for _, t := range h.Told {
		if mine(h.Devices[t.Device].User) {
			lines = append(lines, line{t.At, fmt.Sprintf("%s hears: %s %d %v by %q of %s", t.Device, words[t.Word], t.Code, t.Kick.Reason, t.Kick.ByLabel, t.Kick.At.Format(time.StampMilli))})
		}
	}
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.at, b.at) })
	out := ""
	for _, l := range lines {
		out += fmt.Sprintf("%8.3f %s\n", l.at.Seconds(), l.text)
	}
	return out
}

var (
	adminKinds = [...]string{"kick", "ban", "unban", "import", "settings"}
	words      = [...]string{"signed in", "signed out", "ended"}
)
