package server

// Away returns how many sessions whose connection was lost wait on this node for their release.
func (s *Sessions) Away() int {
	n := 0
	for i := range s.held.shards {
		sh := &s.held.shards[i]
		sh.mu.Lock()
		n += len(sh.held) - sh.live
		sh.mu.Unlock()
	}
	return n
}

// TicketDue is what the wheel calls when the reminder or the end of h's ticket is due.
func (h *Held) TicketDue() { h.ticketDue() }
