package usersig

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/zlib"

	"github.com/opentim/tim/codes"
)

// A reader takes a ticket apart: text, zlib, JSON, form. It is some 70 KiB, reused, and used by one goroutine at a time.
type reader struct {
	claims claims // of the last ticket; what they point to is gone with the next
	form   form

	raw    [MaxText * 3 / 4]byte
	buffer [maxDocument + 1]byte
	doc    []byte // the JSON: the used part of buffer
	spare  [256]byte
	source bytes.Reader
	zlib   io.ReadCloser // nil before the first use
}

var readers = sync.Pool{New: func() any { return new(reader) }}

// read fills r.claims and r.form. A malformed ticket leaves what could be read of it in r.claims.
func (r *reader) read(ticket string) *refusal {
	r.claims, r.form, r.doc = claims{}, form{}, nil
	if ticket == "" {
		return refuse(codes.TicketEmpty, "is empty")
	}
	raw, bad := r.decode(ticket)
	if bad != nil {
		return bad
	}
	if bad := r.inflate(raw, len(ticket)); bad != nil {
		return bad
	}
	if bytes.Count(r.doc, []byte(":"))+bytes.Count(r.doc, []byte("{"))+bytes.Count(r.doc, []byte("[")) > maxParts {
		return refuse(codes.TicketUnreadable, "has more than %d parts", maxParts)
	}
	if !r.claims.scan(r.doc, r.spare[:]) {
		if bad := r.claims.parse(r.doc); bad != nil {
			return bad
		}
	}
	return r.claims.decode(&r.form)
}

// decode undoes the base64. Line breaks in a ticket do no harm, as with other verifiers.
func (r *reader) decode(ticket string) ([]byte, *refusal) {
	if len(ticket) > MaxText {
		return nil, refuse(codes.TicketUnreadable, "has %d characters; at most %d are read", len(ticket), MaxText)
	}
	n, err := ticketEncoding.Decode(r.raw[:], []byte(ticket))
	if err == nil {
		return r.raw[:n], nil
	}
	var at base64.CorruptInputError
	if errors.As(err, &at) && int(at) < len(ticket) {
		switch c := ticket[at]; {
		case c != '_' && strings.IndexByte(ticketAlphabet, c) < 0:
			return nil, refuse(codes.TicketUnreadable, "has %q as character %d, which no ticket has", ticket[at:at+1], at+1)
		case int(at)+4 < len(ticket):
			return nil, refuse(codes.TicketUnreadable, "was altered: a ticket ends with _, but after character %d it goes on", at)
		}
	}
	return nil, refuse(codes.TicketUnreadable, "is cut off after %d characters", len(ticket))
}

// inflate undoes the compression of a ticket of length characters, into r.doc.
func (r *reader) inflate(raw []byte, length int) *refusal {
	r.source.Reset(raw)
	var err error
	if r.zlib == nil {
		r.zlib, err = zlib.NewReader(&r.source)
	} else {
		err = r.zlib.(zlib.Resetter).Reset(&r.source, nil)
	}
	n := 0
	for err == nil && n < len(r.buffer) {
		var k int
		k, err = r.zlib.Read(r.buffer[n:])
		n += k
	}
	switch {
	case n == len(r.buffer):
		return refuse(codes.TicketUnreadable, "inflates to more than %d bytes", maxDocument)
	case err == io.EOF:
		r.doc = r.buffer[:n]
		return nil
	case err == io.ErrUnexpectedEOF:
		return refuse(codes.TicketUnreadable, "is cut off after %d characters", length)
	case err == zlib.ErrChecksum:
		return refuse(codes.TicketUnreadable, "was altered: its checksum is wrong")
	case err == zlib.ErrHeader || err == zlib.ErrDictionary:
		return refuse(codes.TicketUnreadable, "is not compressed with zlib, or its beginning is missing")
	}
	return refuse(codes.TicketUnreadable, "was altered: it cannot be decompressed")
}
