package proof

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opentim/tim/server"
)

// kept checks that nothing was lost that was acknowledged, and that nothing is there that nobody asked for.
func (h *History) kept(f Final) (bad []string) {
	yes, maybe := map[string]bool{}, map[string]bool{} // who logged in, and who may have
	for _, l := range h.Logins {
		user := h.Devices[l.Device].User
		maybe[user] = true
		if l.Result == Yes {
			yes[user] = true
		}
	}
	if f.DAU < len(yes) || f.DAU > len(maybe) {
		bad = append(bad, fmt.Sprintf("%d daily actives, though %d users logged in and %d more may have", f.DAU, len(yes), len(maybe)-len(yes)))
	}
	accounts := maps.Clone(yes)
	for _, o := range h.Admin {
		if o.Kind == Import && o.Result == Yes {
			accounts[o.User] = true
		}
	}
	for _, user := range slices.Sorted(maps.Keys(accounts)) {
		if !f.Accounts[user] {
			bad = append(bad, fmt.Sprintf("the account of %s is lost", user))
		}
	}
	return slices.Concat(bad, h.bansKept(f), h.settingsKept(f), h.kicksKept())
}

// bansKept checks each user's last ban or unbanning that was acknowledged, if nothing without an answer came after it.
func (h *History) bansKept(f Final) (bad []string) {
	last := map[string]AdminOp{}
	for _, o := range h.Admin {
		if (o.Kind == Ban || o.Kind == Unban) && o.Result != No {
			last[o.User] = o
		}
	}
	for _, user := range slices.Sorted(maps.Keys(last)) {
		if o := last[user]; o.Result == Yes && f.Banned[user] != (o.Kind == Ban) {
			bad = append(bad, fmt.Sprintf("%s: banned is %t, after a command that wants %t: %s", user, f.Banned[user], o.Kind == Ban, o.Op))
		}
	}
	return bad
}

// settingsKept checks that the settings are those of the last change that was acknowledged, or of one after it.
func (h *History) settingsKept(f Final) (bad []string) {
	candidates := []AdminOp{{Settings: server.DefaultSettings()}}
	for _, o := range h.Admin {
		if o.Kind != SetSettings || o.Result == No {
			continue
		}
		if o.Result == Yes {
			candidates = nil
		}
		candidates = append(candidates, o)
	}
	if len(f.Settings) > 0 && !slices.ContainsFunc(candidates, func(o AdminOp) bool { return sameRules(o.Settings, f.Settings[0]) }) {
		bad = append(bad, fmt.Sprintf("the settings are %+v, which nobody set last; it was %+v", f.Settings[0], candidates[0].Settings))
	}
	return bad
}

// kicksKept checks that a kick or ban of a user ended every session that was there before it.
func (h *History) kicksKept() (bad []string) {
	in := h.signedIn()
	for _, name := range slices.Sorted(maps.Keys(in)) {
		var last DeviceOp // what the session is from
		for _, l := range h.Logins {
			if l.Device == name && l.Result != No && l.Call >= last.Call {
				last = l
			}
		}
		for _, o := range h.Admin {
			if in[name] && o.User == h.Devices[name].User && (o.Kind == KickUser || o.Kind == Ban) && o.Result == Yes && last.Return+h.Slack < o.Call {
				bad = append(bad, fmt.Sprintf("%s is signed in since %s, though all sessions were ended: %s", name, last.Return, o.Op))
			}
		}
	}
	return bad
}
