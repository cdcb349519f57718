package proof

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A UserOp is a request about one user's sessions, for the check that they happen as if one after the other.
type UserOp struct {
	Op
	Kind UserKind
	User string
	// Device logs in or out. Its name is all that tells it apart.
	Device Device
	// Found is what a read answered: the names of the devices that have a session, oldest login first.
	Found []string
	// ForNow is a login that may have been admitted while the registry was away. It is written to the user's key later, at the place
	// of its own time, for a moment perhaps even after its logout: reads may show it or not. Whoever had to leave for it has left.
	ForNow bool
}

// A UserKind is what a UserOp asks for.
type UserKind uint8

const (
	LogIn  UserKind = iota
	LogOut          // of Device
	Read
)

// Linear reports whether there is an order of all requests of each user, in which each happens between its call and its
// return, that makes all answers right. A request without an answer happens at any time after its call, or not at all. The
// second result is false if that could not be found out within the time.
func Linear(ops []UserOp, settings server.Settings, within time.Duration) (linear, known bool) {
	forNow := map[string]bool{}
	for _, o := range ops {
		forNow[o.Device.Name] = forNow[o.Device.Name] || o.ForNow
	}
	list := make([]porcupine.Operation, 0, len(ops))
	for i, o := range ops {
		if o.ForNow {
			o.Result = Unknown
		}
		if o.Result == Unknown {
			o.Return = Never
		}
		o.Found = slices.DeleteFunc(slices.Clone(o.Found), func(name string) bool { return forNow[name] })
		list = append(list, porcupine.Operation{ClientId: i, Input: o, Output: o, Call: int64(o.Call), Return: int64(o.Return)})
	}
	switch porcupine.CheckOperationsTimeout(model(settings), list, within) {
	case porcupine.Ok:
		return true, true
	case porcupine.Illegal:
		return false, true
	}
	return false, false
}

// Crooked returns, for people, what happened to the first user of whom there is no such order, shortly before it was lost.
func Crooked(ops []UserOp, settings server.Settings, within time.Duration) string {
	users := map[string][]UserOp{}
	for _, o := range ops {
		users[o.User] = append(users[o.User], o)
	}
	for _, mine := range users {
		if linear, known := Linear(mine, settings, within); linear || !known {
			continue
		}
		slices.SortFunc(mine, func(a, b UserOp) int { return cmp.Compare(a.Return, b.Return) })
		n := sort.Search(len(mine), func(n int) bool {
			linear, known := Linear(heard(mine, n), settings, within)
			return known && !linear
		})
		out := ""
		last := heard(mine, n)
		for _, o := range last[max(0, len(last)-25):] {
			out += fmt.Sprintf("%s %s %s %v: %s\n", o.User, [...]string{"login", "logout", "read"}[o.Kind], o.Device.Name, o.Found, o.Op)
		}
		return out
	}
	return ""
}

// heard returns what was asked when the first n answers had come, those answers included.
func heard(ops []UserOp, n int) (list []UserOp) {
	if n == 0 {
		return nil
	}
	until := ops[min(n, len(ops))-1].Return
	for _, o := range ops {
		if o.Call > until {
			continue
		}
		if o.Return > until {
			o.Result, o.Return = Unknown, Never
		}
		list = append(list, o)
	}
	return list
}

// unseen ends the name of a device that is signed in for now.
const unseen = "~"

// model is what one user's sessions do: a state is the devices that have a session, oldest login first, as "name/platform".
func model(settings server.Settings) porcupine.Model {
	m := porcupine.NondeterministicModel{
		Partition: byUser,
		Init:      func() []any { return []any{""} },
		Step: func(state, input, _ any) []any {
			o := input.(UserOp)
			if o.Result == No {
				return []any{state}
			}
			next, ok := apply(state.(string), o, settings)
			switch {
			case o.Result == Unknown && o.Kind == Read:
				return []any{state}
			case o.Result == Unknown:
				return []any{state, next}
			case !ok:
				return nil
			}
			return []any{next}
		},
		DescribeOperation: func(input, _ any) string {
			o := input.(UserOp)
			return fmt.Sprintf("%d %s %v: %s", o.Kind, o.Device.Name, o.Found, o.Op)
		},
	}
	return m.ToModel()
}

// apply returns what a request makes of a state, and whether its answer fits that.
func apply(state string, o UserOp, settings server.Settings) (next string, ok bool) {
	list := parse(state)
	switch o.Kind {
	case Read:
		var names []string
		for _, s := range list {
			if !strings.HasSuffix(s.ID, unseen) {
				names = append(names, s.ID)
			}
		}
		return state, slices.Equal(names, o.Found)
	case LogOut:
		return format(slices.DeleteFunc(list, func(s server.Session) bool { return strings.TrimSuffix(s.ID, unseen) == o.Device.Name })), true
	}
	name := o.Device.Name
	if o.ForNow {
		name += unseen
	}
	list = slices.DeleteFunc(list, func(s server.Session) bool { return s.ID == name })
	newest := uint64(1)
	if len(list) > 0 {
		newest = list[len(list)-1].LoginSeq + 1
	}
	list = append(list, server.Session{ID: name, Instance: name, Platform: o.Device.Platform, LoginSeq: newest})
	for _, d := range server.Departures(list, settings) {
		list = slices.DeleteFunc(list, func(s server.Session) bool { return s.ID == d.Session.ID })
	}
	return format(list), true
}

func parse(state string) (list []server.Session) {
	for i, part := range strings.Fields(state) {
		name, platform, _ := strings.Cut(part, "/")
		p, ok := codes.ParsePlatform(platform)
		if !ok {
			panic("proof: a state with the platform " + platform)
		}
		list = append(list, server.Session{ID: name, Instance: name, Platform: p, LoginSeq: uint64(i + 1)})
	}
	return list
}

func format(list []server.Session) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = s.ID + "/" + s.Platform.String()
	}
	return strings.Join(parts, " ")
}

func byUser(history []porcupine.Operation) [][]porcupine.Operation {
	parts := map[string][]porcupine.Operation{}
	for _, o := range history {
		user := o.Input.(UserOp).User
		parts[user] = append(parts[user], o)
	}
	var all [][]porcupine.Operation
	for _, p := range parts {
		all = append(all, p)
	}
	return all
}
