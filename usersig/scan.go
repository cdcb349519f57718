package usersig

// scan fills c from doc if doc is as plain as what signing libraries write: one flat JSON object of strings in ASCII and
// whole numbers, no member of ours twice. It returns false for anything else, legal or not: parse decides about that.
// Where scan returns true, parse would have found the same.
func (c *claims) scan(doc, spare []byte) bool {
	s := scanner{doc: doc, spare: spare[:0]}
	if s.next() != '{' {
		return false
	}
	for {
		if s.next() != '"' {
			return false
		}
		name, ok := s.text()
		if !ok || s.next() != ':' || !s.value(c, name) {
			return false
		}
		switch s.next() {
		case ',':
		case '}':
			s.blanks()
			return s.at == len(doc)
		default:
			return false
		}
	}
}

type scanner struct {
	doc   []byte
	at    int    // what comes next
	spare []byte // where unescaped strings go
}

func (s *scanner) blanks() {
	for s.at < len(s.doc) {
		switch s.doc[s.at] {
		case ' ', '\n', '\r', '\t':
			s.at++
		default:
			return
		}
	}
}

// next skips blanks and takes one byte. It returns 0, which has no meaning in JSON, at the end.
func (s *scanner) next() byte {
	s.blanks()
	if s.at == len(s.doc) {
		return 0
	}
	s.at++
	return s.doc[s.at-1]
}

// value takes the value of the member called name, into c if it is one of ours.
func (s *scanner) value(c *claims, name []byte) bool {
	bit, text, number := c.member(name)
	if c.seen&bit != 0 {
		return false
	}
	c.seen |= bit
	switch first := s.next(); {
	case first == '"':
		got, ok := s.text()
		if text != nil {
			*text = got
		}
		return ok && (text != nil || bit == 0)
	case '0' <= first && first <= '9':
		got, ok := s.number(first)
		if number != nil {
			*number = got
		}
		return ok && (number != nil || bit == 0)
	}
	return false
}

// number takes the rest of a whole number of at most 16 digits.
func (s *scanner) number(first byte) (uint64, bool) {
	n := uint64(first - '0')
	start := s.at
	for ; s.at < len(s.doc) && '0' <= s.doc[s.at] && s.doc[s.at] <= '9'; s.at++ {
		n = n*10 + uint64(s.doc[s.at]-'0')
		if s.at-start == 15 {
			return 0, false
		}
	}
	return n, first != '0' || s.at == start
}

// text takes a string after its first quote.
func (s *scanner) text() ([]byte, bool) {
	start := s.at
	for ; s.at < len(s.doc); s.at++ {
		switch b := s.doc[s.at]; {
		case b == '"':
			s.at++
			return s.doc[start : s.at-1], true
		case b == '\\':
			return s.escaped(start)
		case b < 0x20 || b >= 0x80:
			return nil, false
		}
	}
	return nil, false
}

// escaped takes a string that began at start and has escapes of one character that stand for themselves. PHP writes
// every slash that way, and half of all signatures have one.
func (s *scanner) escaped(start int) ([]byte, bool) {
	begin := len(s.spare)
	s.spare = append(s.spare, s.doc[start:s.at]...)
	for ; s.at < len(s.doc); s.at++ {
		b := s.doc[s.at]
		switch {
		case b == '"':
			s.at++
			return s.spare[begin:], true
		case b == '\\':
			s.at++
			if s.at == len(s.doc) {
				return nil, false
			}
			if b = s.doc[s.at]; b != '/' && b != '"' && b != '\\' {
				return nil, false
			}
		case b < 0x20 || b >= 0x80:
			return nil, false
		}
		s.spare = append(s.spare, b)
	}
	return nil, false
}
