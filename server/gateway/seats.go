package gateway

import "sync"

// seats number the connections. A number is used again, so a seat has a generation: news that comes late, such as an event
// for a descriptor that was closed and opened again, finds nobody.
type seats struct {
	mu   sync.Mutex
	list []seat
	free []uint32
}

type seat struct {
	conn       *conn
	generation uint32
}

// A place is one connection's seat.
type place struct{ number, generation uint32 }

// take gives c its place, before anybody can find it there.
func (s *seats) take(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == 0 {
		s.list = append(s.list, seat{})
		s.free = append(s.free, uint32(len(s.list)-1))
	}
	n := s.free[len(s.free)-1]
	s.free = s.free[:len(s.free)-1]
	c.place = place{n, s.list[n].generation}
	s.list[n].conn = c
}

// leave empties a seat. Leaving twice does nothing.
func (s *seats) leave(p place) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := &s.list[p.number]; at.generation == p.generation {
		at.conn = nil
		at.generation++
		s.free = append(s.free, p.number)
	}
}

// at returns who sits at p, or nil if they left.
func (s *seats) at(p place) *conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if int(p.number) >= len(s.list) || s.list[p.number].generation != p.generation {
		return nil
	}
	return s.list[p.number].conn
}

// all returns everybody, in no order.
func (s *seats) all() []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*conn, 0, len(s.list)-len(s.free))
	for _, at := range s.list {
		if at.conn != nil {
			all = append(all, at.conn)
		}
	}
	return all
}
