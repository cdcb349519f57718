package server

import "github.com/opentim/tim/codes"

// Unsettled returns how many sessions of this node were admitted provisionally and are not in the registry yet.
func (s *Sessions) Unsettled() int { return s.unsettled.len() }

// OnlineBy returns how many sessions are held by live connections of this node, by platform. It looks at every one, which takes
// some milliseconds for each hundred thousand: it is for reports.
func (s *Sessions) OnlineBy() map[codes.Platform]int {
	count := make(map[codes.Platform]int)
	for i := range s.held.shards {
		sh := &s.held.shards[i]
		sh.mu.Lock()
		for _, h := range sh.held {
			if h.state == holding {
				count[h.platform]++
			}
		}
		sh.mu.Unlock()
	}
	return count
}
