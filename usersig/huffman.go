package usersig

import "math/bits"

const (
	maxLiterals  = 286 // symbols: bytes, the end of a block, and lengths of matches
	maxDistances = 30
	endOfBlock   = 256
	maxCode      = 15 // bits
)

// A code is a symbol and how many bits stand for it: symbol<<4 | bits. 0 is none.
type code uint16

// Codes of at most that many bits are found at once, by a table. More would take longer to fill than it saves in a ticket.
const (
	quickLiterals  = 8
	quickDistances = 5
	quickLengths   = 6
	quickMost      = 8
)

// A huffman knows which bits stand for which symbol.
type huffman struct {
	quick [1 << quickMost]code // by the next bits; 0 where the code is longer, or none
	mask  uint                 // of the bits that quick goes by
	count [maxCode + 1]uint16  // how many codes have that many bits
	order [maxLiterals + 2]uint16
}

// build takes the codes that are used, in the order of their symbols, and reports whether they make sense: together they are all
// the bits there can be, or one single bit, or nothing.
func (h *huffman) build(used []code, quick uint) bool {
	h.mask = 1<<quick - 1
	clear(h.quick[:h.mask+1])
	clear(h.count[:])
	for _, c := range used {
		h.count[c&15]++
	}
	var next, place [maxCode + 2]uint16 // code and index in order of the next symbol, by bits
	left := 1
	for n := 1; n <= maxCode; n++ {
		left = left*2 - int(h.count[n])
		if left < 0 {
			return false
		}
		next[n+1] = (next[n] + h.count[n]) << 1
		place[n+1] = place[n] + h.count[n]
	}
	if left > 0 && len(used) > 0 && (len(used) > 1 || h.count[1] == 0) {
		return false
	}
	for _, c := range used {
		n := c & 15
		h.order[place[n]] = uint16(c >> 4)
		place[n]++
		if uint(n) <= quick {
			for i := uint(bits.Reverse16(next[n]) >> (16 - n)); i <= h.mask; i += 1 << n {
				h.quick[i] = c
			}
		}
		next[n]++
	}
	return true
}

// symbol returns the next symbol.
func (z *inflater) symbol(h *huffman) (int, error) {
	if z.have < maxCode {
		z.fill()
	}
	c := h.quick[uint(z.bits)&h.mask]
	n := uint(c & 15)
	if n == 0 || n > z.have {
		return z.rareSymbol(h)
	}
	z.bits >>= n
	z.have -= n
	return int(c >> 4), nil
}

// rareSymbol goes bit by bit: the codes of one length follow each other, and begin where the shorter ones end.
func (z *inflater) rareSymbol(h *huffman) (int, error) {
	code, first, index := 0, 0, 0
	for n := uint(1); n <= maxCode; n++ {
		if n > z.have {
			return 0, errTruncated
		}
		code |= int(z.bits>>(n-1)) & 1
		count := int(h.count[n])
		if code-first < count {
			z.bits >>= n
			z.have -= n
			return int(h.order[index+code-first]), nil
		}
		index += count
		first = (first + count) << 1
		code <<= 1
	}
	return 0, errCorrupt
}

// lengthOrder is the order in which the lengths of the codes for lengths are sent.
var lengthOrder = [...]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// tables reads the codes of a block, which come as their lengths, which are packed as well.
func (z *inflater) tables() error {
	head, err := z.take(14)
	if err != nil {
		return err
	}
	literals, distances, lengths := head&31+257, head>>5&31+1, head>>10+4
	if literals > maxLiterals || distances > maxDistances {
		return errCorrupt
	}
	if err := z.lengthCodes(lengths); err != nil {
		return err
	}
	n, ofLiterals, err := z.codes(literals, literals+distances)
	if err != nil {
		return err
	}
	if !z.literals.build(z.used[:ofLiterals], quickLiterals) || !z.distances.build(z.used[ofLiterals:n], quickDistances) {
		return errCorrupt
	}
	return nil
}

func (z *inflater) lengthCodes(count int) error {
	var sizes [len(lengthOrder)]code
	for _, symbol := range lengthOrder[:count] {
		n, err := z.take(3)
		if err != nil {
			return err
		}
		sizes[symbol] = code(n)
	}
	used := z.used[:0]
	for symbol, n := range sizes {
		if n > 0 {
			used = append(used, code(symbol)<<4|n)
		}
	}
	if !z.lengths.build(used, quickLengths) {
		return errCorrupt
	}
	return nil
}

// codes reads the codes of all symbols into used: n of them, ofLiterals for the first literals symbols.
func (z *inflater) codes(literals, all int) (n, ofLiterals int, err error) {
	var length int // of the last code
	for i := 0; i < all; {
		symbol, err := z.symbol(&z.lengths)
		if err != nil {
			return 0, 0, err
		}
		repeat := 1
		switch {
		case symbol < 16:
			length = symbol
		case symbol == 16 && i == 0:
			return 0, 0, errCorrupt
		default:
			kind := runs[symbol-16]
			if symbol > 16 {
				length = 0
			}
			more, err := z.take(uint(kind.extra))
			if err != nil {
				return 0, 0, err
			}
			repeat = int(kind.base) + more
		}
		if i+repeat > all {
			return 0, 0, errCorrupt
		}
		for ; repeat > 0; repeat-- {
			if length > 0 {
				at := i
				if i >= literals {
					at -= literals
				} else {
					ofLiterals++
				}
				z.used[n] = code(at)<<4 | code(length)
				n++
			}
			i++
		}
	}
	return n, ofLiterals, nil
}

// runs are how often the last length is repeated, and a length of 0.
var runs = [...]extension{{3, 2}, {3, 3}, {11, 7}}

// fixed are the codes of blocks that bring none. They are only read.
var fixed = func() (z struct{ literals, distances huffman }) {
	var used []code
	for symbol := range maxLiterals + 2 {
		n := 8
		switch {
		case symbol >= 280:
			n = 8
		case symbol >= 256:
			n = 7
		case symbol >= 144:
			n = 9
		}
		used = append(used, code(symbol<<4|n))
	}
	z.literals.build(used, quickLiterals)
	used = used[:0]
	for symbol := range maxDistances + 2 {
		used = append(used, code(symbol<<4|5))
	}
	z.distances.build(used, quickDistances)
	return z
}()
