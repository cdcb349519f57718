package server

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/opentim/tim/codes"
)

const (
	resumeVersion = 2
	resumeLife    = 7 * 24 * time.Hour // after this a client logs in with its ticket again
	resumeMax     = 200                // bytes of a resume ticket; a label that does not fit is cut
	resumeMAC     = 16                 // bytes of HMAC-SHA256 that are sent
	resumeKeyMin  = 16                 // bytes of a key
)

// errResumeTicket says that a resume ticket is of no use. It never says more: who forges one learns nothing.
var errResumeTicket = errors.New("not a resume ticket of this server")

// A resumeTicket is what a session needs to come back anywhere, even where its key was lost.
type resumeTicket struct {
	key      UserKey
	session  Session   // its Node and AwayUntil are not carried
	day      Day       // is marked: a resume of that day need not ask the store
	notAfter time.Time // whole seconds
}

// resumeTickets signs and opens resume tickets:
//
//	version 1 byte, key 4 bytes, then app, loginSeq, resumes, platform, ticketExpires, notAfter, day as uvarints (times in Unix
//	seconds), then user, session, instance, label, each a length byte and its bytes; then the MAC over all of it.
type resumeTickets struct{ keys []*resumeKey }

type resumeKey struct {
	id   [4]byte
	macs sync.Pool // of *resumeHash
}

// A resumeHash has the key mixed in.
type resumeHash struct {
	hash.Hash
	sum [sha256.Size]byte
}

// newResumeTickets returns a signer whose first key signs and whose keys all verify.
func newResumeTickets(keys [][]byte) (*resumeTickets, error) {
	if len(keys) == 0 {
		return nil, errors.New("no resume key")
	}
	r := new(resumeTickets)
	for i, key := range keys {
		if len(key) < resumeKeyMin {
			return nil, fmt.Errorf("resume key %d has %d bytes, fewer than %d", i+1, len(key), resumeKeyMin)
		}
		key = bytes.Clone(key)
		k := &resumeKey{macs: sync.Pool{New: func() any { return &resumeHash{Hash: hmac.New(sha256.New, key)} }}}
		name := k.sum([]byte("name of a resume key"))
		copy(k.id[:], name[:])
		r.keys = append(r.keys, k)
	}
	return r, nil
}

func (k *resumeKey) sum(body []byte) [sha256.Size]byte {
	mac := k.macs.Get().(*resumeHash)
	defer k.macs.Put(mac)
	mac.Reset()
	mac.Write(body)
	mac.Sum(mac.sum[:0])
	return mac.sum
}

// sign returns the ticket of a session, good until its ticket ends or resumeLife has passed.
func (r *resumeTickets) sign(key UserKey, s *Session, day Day, now time.Time) []byte {
	notAfter := now.Add(resumeLife)
	if s.TicketExpires.Before(notAfter) {
		notAfter = s.TicketExpires
	}
	k := r.keys[0]
	b := make([]byte, 0, 160)
	b = append(b, resumeVersion)
	b = append(b, k.id[:]...)
	b = binary.AppendUvarint(b, key.App)
	b = binary.AppendUvarint(b, s.LoginSeq)
	b = binary.AppendUvarint(b, uint64(s.Resumes))
	b = binary.AppendUvarint(b, uint64(s.Platform))
	b = binary.AppendUvarint(b, uint64(s.TicketExpires.Unix()))
	b = binary.AppendUvarint(b, uint64(notAfter.Unix()))
	b = binary.AppendUvarint(b, uint64(max(day, 0)))
	for _, text := range [...]string{key.User, s.ID, s.Instance} {
		b = append(b, byte(len(text)))
		b = append(b, text...)
	}
	label := cut(s.Label, resumeMax-resumeMAC-1-len(b))
	b = append(b, byte(len(label)))
	b = append(b, label...)
	sum := k.sum(b)
	return append(b, sum[:resumeMAC]...)
}

// cut returns as many whole characters of text as fit into n bytes.
func cut(text string, n int) string {
	if len(text) <= n {
		return text
	}
	n = max(n, 0)
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n]
}

// open returns what a ticket says if one of the keys signed it. It does not look at the time.
func (r *resumeTickets) open(ticket []byte) (resumeTicket, error) {
	if len(ticket) > 2*resumeMax || len(ticket) < 1+len(resumeKey{}.id)+resumeMAC || ticket[0] != resumeVersion {
		return resumeTicket{}, errResumeTicket
	}
	body, mac := ticket[:len(ticket)-resumeMAC], ticket[len(ticket)-resumeMAC:]
	for _, k := range r.keys {
		if bytes.Equal(body[1:1+len(k.id)], k.id[:]) {
			sum := k.sum(body)
			if hmac.Equal(sum[:resumeMAC], mac) {
				return parseResumeTicket(body[1+len(k.id):])
			}
		}
	}
	return resumeTicket{}, errResumeTicket
}

func parseResumeTicket(body []byte) (resumeTicket, error) {
	p := resumeParser{rest: body}
	var t resumeTicket
	t.key.App = p.number(1<<64 - 1)
	t.session.LoginSeq = p.number(1<<64 - 1)
	t.session.Resumes = uint32(p.number(1<<32 - 1))
	t.session.Platform = codes.Platform(p.number(1<<31 - 1))
	t.session.TicketExpires = time.Unix(int64(p.number(1<<40)), 0)
	t.notAfter = time.Unix(int64(p.number(1<<40)), 0)
	t.day = Day(p.number(1<<31 - 1))
	t.key.User = p.text()
	t.session.ID = p.text()
	t.session.Instance = p.text()
	t.session.Label = p.text()
	if p.bad || len(p.rest) > 0 {
		return resumeTicket{}, errResumeTicket
	}
	return t, nil
}

// A resumeParser takes fields off the front of rest; after the first that is not there, every field is zero.
type resumeParser struct {
	rest []byte
	bad  bool
}

func (p *resumeParser) number(most uint64) uint64 {
	v, n := binary.Uvarint(p.rest)
	if p.bad || n <= 0 || v > most {
		p.bad = true
		return 0
	}
	p.rest = p.rest[n:]
	return v
}

func (p *resumeParser) text() string {
	if p.bad || len(p.rest) == 0 || len(p.rest)-1 < int(p.rest[0]) {
		p.bad = true
		return ""
	}
	n := 1 + int(p.rest[0])
	text := string(p.rest[1:n])
	p.rest = p.rest[n:]
	return text
}
