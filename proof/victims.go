package proof

import (
	"fmt"
	"iter"
	"slices"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// victims checks that whoever had to leave had to leave for somebody: for a login of the same user that was in the way and not
// over before the victim's own login began, or for an administrator.
func (h *History) victims() (bad []string) {
	for _, t := range h.Told {
		if t.Word != Ended {
			continue
		}
		if why := h.unfair(t); why != "" {
			bad = append(bad, fmt.Sprintf("%s was ended at %s (code %d, reason %v, by %q): %s", t.Device, t.At, t.Code, t.Kick.Reason, t.Kick.ByLabel, why))
		}
	}
	return bad
}

func (h *History) unfair(t Told) string {
	victim := h.Devices[t.Device]
	login, ok := h.loginBefore(t)
	if !ok {
		return "it was not signed in"
	}
	switch t.Kick.Reason {
	case codes.KickMultipleAccount, codes.KickMultipleDevice:
		return h.unfairRule(t, victim, login)
	case codes.KickRESTAPI:
		if h.administered(victim.User, login, t, KickUser, Ban) {
			return ""
		}
		return "no administrator was there"
	case 0: // refused when it came back: only what an administrator did can do that while tickets last
		if (t.Code == codes.TicketRevoked || t.Code == codes.AccountBanned) && h.administered(victim.User, login, t, KickUser, Ban) {
			return ""
		}
		return "nothing explains that code"
	}
	return "nobody can have had that reason"
}

func (h *History) unfairRule(t Told, victim Device, login DeviceOp) string {
	by, known := h.Devices[t.Kick.ByLabel]
	switch {
	case !known:
		return "nobody is called that"
	case by.User != victim.User:
		return "that is a device of " + by.User
	case by.Name == victim.Name:
		return "that is itself"
	case by.Platform != t.Kick.ByPlatform:
		return fmt.Sprintf("that is no %s", t.Kick.ByPlatform)
	case (by.Platform == victim.Platform) != (t.Kick.Reason == codes.KickMultipleAccount):
		return "the platforms do not fit the reason"
	}
	for _, l := range h.Logins {
		// Newer is: it can have happened after the victim's, and before the kick.
		if l.Device == by.Name && l.Result != No && l.Call <= t.At+h.Slack && l.Return >= login.Call-h.Slack && h.inTheWay(victim, by, login, t) {
			return ""
		}
	}
	return "that device did not log in since, or was not in the way"
}

// inTheWay reports whether settings that can have been in force make victim leave for by.
func (h *History) inTheWay(victim, by Device, login DeviceOp, t Told) bool {
	if victim.Platform == by.Platform {
		return true // how many others there were, settled checks in the end
	}
	for s := range h.inForce(login, t) {
		for _, g := range s.Policy.Groups() {
			if slices.Contains(g, victim.Platform) && slices.Contains(g, by.Platform) {
				return true
			}
		}
	}
	return false
}

// inForce yields the settings that can have been in force between a login and its end.
func (h *History) inForce(login DeviceOp, t Told) iter.Seq[server.Settings] {
	return func(yield func(server.Settings) bool) {
		present := AdminOp{Op: Op{Result: Yes}, Settings: server.DefaultSettings()}
		candidates := []AdminOp{present}
		for _, o := range h.Admin {
			if o.Kind != SetSettings || o.Result == No || o.Call > t.At+h.Slack {
				continue
			}
			if o.Result == Yes && o.Return+h.Slack < login.Call { // nothing before it counts any more
				candidates = nil
			}
			candidates = append(candidates, o)
		}
		for _, c := range candidates {
			if !yield(c.Settings) {
				return
			}
		}
	}
}

// loginBefore returns the login that made the session that was ended.
func (h *History) loginBefore(t Told) (last DeviceOp, found bool) {
	for _, l := range h.Logins {
		if l.Device == t.Device && l.Result != No && l.Call <= t.At && (!found || l.Call > last.Call) {
			last, found = l, true
		}
	}
	return last, found
}

// administered reports whether an administrator can have ended a session of user between its login and t.
func (h *History) administered(user string, login DeviceOp, t Told, kinds ...AdminKind) bool {
	return slices.ContainsFunc(h.Admin, func(o AdminOp) bool {
		return o.User == user && slices.Contains(kinds, o.Kind) && o.Result != No && o.Call <= t.At && o.Return >= login.Call-h.Slack
	})
}

func allPlatforms() iter.Seq[codes.Platform] { return slices.Values(codes.Platforms()) }
