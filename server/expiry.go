package server

import "time"

const (
	expiringLead  = 10 * time.Minute // a client is reminded of its ticket's end so long before,
	expiringShare = 5                // but not before only one part in so many of the ticket's time is left
)

// armTicket sets h's timer for its ticket. The caller holds the table's lock.
func (h *Held) armTicket(now time.Time) {
	left := time.Unix(h.expires+1, 0).Sub(now)
	h.sessions.wheel.Start(&h.timer, left-min(expiringLead, left/expiringShare), h.ticketDue)
}

// ticketDue reminds the client of its ticket's end, or ends the session with it. It runs on the wheel.
func (h *Held) ticketDue() {
	s := h.sessions
	var expires time.Time
	var end, stale bool
	holds := s.held.with(h, func() {
		now := time.Now()
		expires = time.Unix(h.expires, 0)
		stale, end = s.wheel.Running(&h.timer), ended(expires, now)
		switch {
		case stale: // it was renewed when this was due
		case end:
			s.held.shard(h.id).drop(h)
		default:
			s.wheel.Start(&h.timer, time.Unix(h.expires+1, 0).Sub(now), h.ticketDue)
		}
	})
	switch {
	case !holds || stale:
	case !end:
		h.conn.TicketExpiring(expires)
	default:
		s.debug("ticket expired", h)
		h.conn.TicketExpired(expires)
		s.endLater(h, LoggedOut)
	}
}
