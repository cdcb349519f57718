package codes

import (
	"slices"
	"strings"
)

type platformInfo struct {
	rest, webhook string
	maxInstances  int
}

// Platforms returns every platform.
func Platforms() []Platform { return values(namesPlatform) }

// Policies returns every policy.
func Policies() []Policy { return values(namesPolicy) }

// ParsePlatform returns the Platform called name, in any case, and whether there is one.
func ParsePlatform(name string) (Platform, bool) { return parse(namesPlatform, name) }

// ParsePolicy returns the Policy called name, in any case, and whether there is one.
func ParsePolicy(name string) (Policy, bool) { return parse(namesPolicy, name) }

func parse[T ~int32](names []named[T], name string) (T, bool) {
	for _, n := range names {
		if strings.EqualFold(n.name, name) {
			return n.value, true
		}
	}
	return 0, false
}

// REST returns the name of p in query_online_status, such as "iPhone", or "" for a number that is not known.
func (p Platform) REST() string { return platforms[p].rest }

// Webhook returns the name of p in State.StateChange, such as "iOS", or "" for a number that is not known.
func (p Platform) Webhook() string { return platforms[p].webhook }

// MaxInstances returns the highest instance limit that an app may set for p, or 0 for a number that is not known.
func (p Platform) MaxInstances() int { return platforms[p].maxInstances }

// Groups returns the platforms that push each other out: one platform of each group may be online. Every platform is in
// exactly one group. A policy that is not known has no groups. The caller must not change the result.
func (p Policy) Groups() [][]Platform { return policyGroups[p] }

// SameGroup reports whether a and b are in one group of p. It allocates nothing.
func (p Policy) SameGroup(a, b Platform) bool {
	for _, group := range policyGroups[p] {
		if slices.Contains(group, a) {
			return slices.Contains(group, b)
		}
	}
	return false
}
