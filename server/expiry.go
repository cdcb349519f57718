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
	var end bool
	holds := s.held.with(h, func() {
		now := time.Now()
		expires = time.Unix(h.expires, 0)
		if end = ended(expires, now); !end {
			s.wheel.Start(&h.timer, time.Unix(h.expires+1, 0).Sub(now), h.ticketDue)
		}
	})
	switch {
	case holds && !end:
		h.conn.TicketExpiring(expires)
	case holds && s.held.end(h):
		s.debug("ticket expired", h)
		h.conn.TicketExpired(expires)
		s.endLater(h, LoggedOut)
	}
}
