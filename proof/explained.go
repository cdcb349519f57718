package proof

import (
	"fmt"
	"slices"
)

// explained checks that whoever was signed out without asking for it was told why, once, and that nobody else was.
func (h *History) explained() (bad []string) {
	type state struct {
		in    bool
		words int // explanations since it was signed in
	}
	states := map[string]*state{}
	for _, t := range h.Told {
		s := states[t.Device]
		if s == nil {
			s = new(state)
			states[t.Device] = s
		}
		switch t.Word {
		case SignedIn:
			*s = state{in: true}
		case Ended:
			s.words++
			if !s.in {
				bad = append(bad, fmt.Sprintf("%s was told at %s that its session ended, and had none", t.Device, t.At))
			} else if s.words > 1 {
				bad = append(bad, fmt.Sprintf("%s was told at %s for the %d. time that its session ended", t.Device, t.At, s.words))
			}
		case SignedOut:
			if s.in && s.words == 0 && !h.loggedOut(t) {
				bad = append(bad, fmt.Sprintf("%s was signed out at %s and nobody told it why", t.Device, t.At))
			}
			s.in = false
		}
	}
	return bad
}

// loggedOut reports whether the device asked for it.
func (h *History) loggedOut(t Told) bool {
	return slices.ContainsFunc(h.Logouts, func(o DeviceOp) bool {
		return o.Device == t.Device && o.Call <= t.At && t.At <= o.Return
	})
}
