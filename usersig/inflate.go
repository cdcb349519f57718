package usersig

import (
	"encoding/binary"
	"errors"
	"hash/adler32"
)

// What can be wrong with packed bytes.
var (
	errNoZlib    = errors.New("no zlib")
	errTruncated = errors.New("the end is missing")
	errCorrupt   = errors.New("it makes no sense")
	errChecksum  = errors.New("the checksum is wrong")
	errTooLong   = errors.New("there is no room for all of it")
)

// An inflater undoes zlib (RFC 1950, 1951) for texts as short as tickets, from one slice into another. One for texts of any
// length keeps a window of 32 KiB, and tables that pay off later than a ticket ends: filling them, and fetching them into the
// processor's cache between two logins, would cost more than the rest of a ticket's check.
type inflater struct {
	in   []byte
	at   int    // what of in comes next
	bits uint64 // read from in and not used yet, lowest first
	have uint   // how many count; those above are what fill will read again

	literals, distances, lengths huffman
	used                         [maxLiterals + maxDistances]code
}

// inflate appends to out what packed holds, and fails with errTooLong where out has no room. What follows its end is ignored.
func (z *inflater) inflate(out, packed []byte) ([]byte, error) {
	switch {
	case len(packed) < 2:
		return out, errTruncated
	case packed[0]&15 != 8 || packed[0]>>4 > 7 || binary.BigEndian.Uint16(packed)%31 != 0 || packed[1]&0x20 != 0:
		return out, errNoZlib
	}
	z.in, z.at, z.bits, z.have = packed, 2, 0, 0
	defer func() { z.in = nil }()
	for last := false; !last; {
		head, err := z.take(3)
		if err != nil {
			return out, err
		}
		last = head&1 != 0
		switch head >> 1 {
		case 0:
			out, err = z.stored(out)
		case 1:
			out, err = z.block(out, &fixed.literals, &fixed.distances)
		case 2:
			if err = z.tables(); err == nil {
				out, err = z.block(out, &z.literals, &z.distances)
			}
		default:
			err = errCorrupt
		}
		if err != nil {
			return out, err
		}
	}
	z.align()
	if len(z.in)-z.at < 4 {
		return out, errTruncated
	}
	if binary.BigEndian.Uint32(z.in[z.at:]) != adler32.Checksum(out) {
		return out, errChecksum
	}
	return out, nil
}

// fill reads what fits into bits, 7 bytes or more, or all there is.
func (z *inflater) fill() {
	if len(z.in)-z.at >= 8 {
		z.bits |= binary.LittleEndian.Uint64(z.in[z.at:]) << z.have
		n := (63 - z.have) / 8
		z.at += int(n)
		z.have += n * 8
		return
	}
	for ; z.have <= 56 && z.at < len(z.in); z.at++ {
		z.bits |= uint64(z.in[z.at]) << z.have
		z.have += 8
	}
}

// take returns the next n bits, at most 16.
func (z *inflater) take(n uint) (int, error) {
	if z.have < n {
		if z.fill(); z.have < n {
			return 0, errTruncated
		}
	}
	v := z.bits & (1<<n - 1)
	z.bits >>= n
	z.have -= n
	return int(v), nil
}

// align drops what is left of the current byte. What follows is at in[at:].
func (z *inflater) align() {
	z.at -= int(z.have / 8)
	z.bits, z.have = 0, 0
}

// stored takes a block that is not compressed.
func (z *inflater) stored(out []byte) ([]byte, error) {
	z.align()
	if len(z.in)-z.at < 4 {
		return out, errTruncated
	}
	n, not := binary.LittleEndian.Uint16(z.in[z.at:]), binary.LittleEndian.Uint16(z.in[z.at+2:])
	z.at += 4
	rest := z.in[z.at:]
	switch {
	case n != ^not:
		return out, errCorrupt
	case int(n) > len(rest):
		return out, errTruncated
	case int(n) > cap(out)-len(out):
		return out, errTooLong
	}
	z.at += int(n)
	return append(out, rest[:n]...), nil
}

// block takes a compressed block.
func (z *inflater) block(out []byte, literals, distances *huffman) ([]byte, error) {
	for {
		var room bool
		if out, room = z.quickly(out, literals); !room {
			return out, errTooLong
		}
		symbol, err := z.symbol(literals)
		switch {
		case err != nil:
			return out, err
		case symbol < endOfBlock:
			if len(out) == cap(out) {
				return out, errTooLong
			}
			out = append(out, byte(symbol))
			continue
		case symbol == endOfBlock:
			return out, nil
		}
		if out, err = z.repeat(out, symbol-endOfBlock-1, distances); err != nil {
			return out, err
		}
	}
}

// quickly takes bytes with common codes, as most of a ticket is, up to what is anything else. It reports whether there was room.
func (z *inflater) quickly(out []byte, literals *huffman) ([]byte, bool) {
	at, bits, have := z.at, z.bits, z.have // in registers
	for len(z.in)-at >= 8 {
		if have < quickLiterals {
			bits |= binary.LittleEndian.Uint64(z.in[at:]) << have
			at += int((63 - have) / 8)
			have |= 56
		}
		c := literals.quick[bits&(1<<quickLiterals-1)]
		n := uint(c & 15)
		if n == 0 || c>>4 >= endOfBlock {
			break
		}
		if len(out) == cap(out) {
			return out, false
		}
		out = append(out, byte(c>>4))
		bits >>= n
		have -= n
	}
	z.at, z.bits, z.have = at, bits, have
	return out, true
}

// repeat appends what was written before, once more. length is an index of matchLengths.
func (z *inflater) repeat(out []byte, length int, distances *huffman) ([]byte, error) {
	n, err := z.extended(matchLengths[:], length)
	if err != nil {
		return out, err
	}
	symbol, err := z.symbol(distances)
	if err != nil {
		return out, err
	}
	back, err := z.extended(matchDistances[:], symbol)
	switch {
	case err != nil:
		return out, err
	case back > len(out):
		return out, errCorrupt
	case n > cap(out)-len(out):
		return out, errTooLong
	}
	for ; n > 0; n-- { // one by one: the end may repeat what was just written
		out = append(out, out[len(out)-back])
	}
	return out, nil
}

// extended returns the number at i of table, plus its extra bits.
func (z *inflater) extended(table []extension, i int) (int, error) {
	if i >= len(table) {
		return 0, errCorrupt
	}
	more, err := z.take(uint(table[i].extra))
	return int(table[i].base) + more, err
}

// An extension is a number that a symbol stands for, to which the next extra bits are added.
type extension struct {
	base  uint16
	extra uint8
}

var matchLengths = [...]extension{
	{3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 0}, {8, 0}, {9, 0}, {10, 0}, {11, 1}, {13, 1}, {15, 1}, {17, 1}, {19, 2}, {23, 2}, {27, 2},
	{31, 2}, {35, 3}, {43, 3}, {51, 3}, {59, 3}, {67, 4}, {83, 4}, {99, 4}, {115, 4}, {131, 5}, {163, 5}, {195, 5}, {227, 5}, {258, 0},
}

var matchDistances = [...]extension{
	{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 1}, {7, 1}, {9, 2}, {13, 2}, {17, 3}, {25, 3}, {33, 4}, {49, 4}, {65, 5}, {97, 5}, {129, 6},
	{193, 6}, {257, 7}, {385, 7}, {513, 8}, {769, 8}, {1025, 9}, {1537, 9}, {2049, 10}, {3073, 10}, {4097, 11}, {6145, 11}, {8193, 12},
	{12289, 12}, {16385, 13}, {24577, 13},
}
