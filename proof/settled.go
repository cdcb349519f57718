package proof

import (
	"fmt"
	"maps"
	"slices"

	"github.com/opentim/tim/server"
)

// settled checks that everybody's sessions are what the settings allow and what the devices believe.
func (h *History) settled(f Final) (bad []string) {
	in := h.signedIn()
	for i, s := range f.Settings {
		if !sameSettings(s, f.Settings[0]) {
			bad = append(bad, fmt.Sprintf("node %d has the settings %+v, node 0 %+v", i, s, f.Settings[0]))
		}
	}
	for _, user := range slices.Sorted(maps.Keys(f.Sessions)) {
		sessions := f.Sessions[user]
		for _, d := range server.Departures(sessions, f.Settings[0]) {
			bad = append(bad, fmt.Sprintf("%s: %s is too many by the policy (%s)", user, d.Session.Label, d.Reason))
		}
		for _, s := range sessions {
			if !in[s.Label] {
				bad = append(bad, fmt.Sprintf("%s: the registry has a session of %s, which does not believe to be signed in", user, s.Label))
			}
			if !s.AwayUntil.IsZero() {
				bad = append(bad, fmt.Sprintf("%s: the session of %s is away, though nothing is broken any more", user, s.Label))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		d := h.Devices[name]
		has := slices.ContainsFunc(f.Sessions[d.User], func(s server.Session) bool { return s.Label == name })
		if in[name] && !has {
			bad = append(bad, fmt.Sprintf("%s: %s believes to be signed in, and the registry has no such session", d.User, name))
		}
	}
	return bad
}

// signedIn returns which devices were told last that they are signed in.
func (h *History) signedIn() map[string]bool {
	in := map[string]bool{}
	for _, t := range h.Told {
		switch t.Word {
		case SignedIn:
			in[t.Device] = true
		case SignedOut:
			in[t.Device] = false
		}
	}
	return in
}

func sameSettings(a, b server.Settings) bool {
	return a.Version == b.Version && sameRules(a, b)
}

// sameRules compares what settings say, whenever they were set.
func sameRules(a, b server.Settings) bool {
	if a.Policy != b.Policy {
		return false
	}
	for p := range allPlatforms() {
		if a.Limit(p) != b.Limit(p) {
			return false
		}
	}
	return true
}
