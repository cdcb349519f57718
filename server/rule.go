package server

import (
	"slices"

	"github.com/opentim/tim/codes"
)

// Departures is the rule of who may be online: it returns the sessions of one user that have to leave under settings, oldest
// first. sessions are all of the user's, in the order of SortSessions. An instance counts once, by its newest session: older
// ones of it leave as replaced, which is no eviction. Of the others a session leaves if, counted over the whole set, leaving
// ones included,
//
//   - at least limit newer sessions of its own platform exist: multiple_account, or
//   - a newer session of another platform of its policy group exists: multiple_device.
//
// Nothing else leaves. What stays depends only on the set, not on the order in which its members became known. For that,
// sessions that left by the rule before (Session.Left) count like the others; ones that left for another reason do not. Against
// its own instance nothing counts that left: who was told to leave and is signed in again has logged in since, also where a
// clock that is late says that it was before.
func Departures(sessions []Session, settings Settings) []Departure {
	return departures(nil, sessions, settings)
}

// departures is Departures with room for them.
func departures(list []Departure, sessions []Session, settings Settings) []Departure {
	var room [16]*Session
	newer := room[:0] // newest first
	for i := len(sessions) - 1; i >= 0; i-- {
		s := &sessions[i]
		if !counts(s) {
			continue
		}
		reason, by := verdict(s, sessions[i+1:], newer, settings)
		if !slices.ContainsFunc(newer, s.sameInstance) { // an instance counts once
			newer = append(newer, s)
		}
		if reason != 0 && s.Left == nil {
			list = append(list, Departure{Session: *s, Reason: reason, By: *by})
		}
	}
	slices.Reverse(list)
	return list
}

// verdict returns why s has to leave, and for whom, or 0. later are all who came after s, of whom newer count.
func verdict(s *Session, later []Session, newer []*Session, settings Settings) (codes.KickReason, *Session) {
	for i := len(later) - 1; i >= 0; i-- {
		if n := &later[i]; n.Left == nil && s.sameInstance(n) {
			return codes.KickReplaced, n
		}
	}
	var own, other *Session // the newest
	instances := 0
	for _, n := range newer {
		switch {
		case s.sameInstance(n): // it left
		case n.Platform == s.Platform:
			instances++
			if own == nil {
				own = n
			}
		case other == nil && settings.Policy.SameGroup(n.Platform, s.Platform):
			other = n
		}
	}
	switch {
	case instances >= settings.Limit(s.Platform):
		return codes.KickMultipleAccount, own
	case other != nil:
		return codes.KickMultipleDevice, other
	}
	return 0, nil
}

func (s *Session) sameInstance(n *Session) bool {
	return n.Platform == s.Platform && n.Instance == s.Instance
}

// counts reports whether s speaks against older sessions.
func counts(s *Session) bool { return s.Left == nil || byRule(s.Left.Reason) }

func byRule(r codes.KickReason) bool {
	return r == codes.KickMultipleAccount || r == codes.KickMultipleDevice
}
