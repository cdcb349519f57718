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

// Arriving returns how many logins and resumes are not admitted yet.
func (s *Sessions) Arriving() int {
	n := 0
	for i := range s.held.shards {
		sh := &s.held.shards[i]
		sh.mu.Lock()
		n += len(sh.arriving)
		sh.mu.Unlock()
	}
	return n
}

// Timers returns how many run.
func (w *Wheel) Timers() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	count := func(head *Timer) {
		for t := head.next; t != head; t = t.next {
			n++
		}
	}
	count(&w.ready)
	for l := range w.slots {
		for s := range w.slots[l] {
			count(&w.slots[l][s])
		}
	}
	return n
}
