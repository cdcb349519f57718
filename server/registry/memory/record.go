package memory

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

const (
	recordVersion = 1
	recordMax     = 1 << 20 // bytes; a length that is larger is none
)

// A headRecord is the first of a journal.
type headRecord struct {
	//lint:ignore U1000 it tells msgpack to leave out the names
	_msgpack struct{} `msgpack:",as_array"`

	Version int
	Node    string // whose sessions these are
}

// A userRecord is what a user has from then on. Only what a login says is in it: a resume, a renewal or a lost connection makes
// no record.
type userRecord struct {
	//lint:ignore U1000 it tells msgpack to leave out the names
	_msgpack struct{} `msgpack:",as_array"`

	App      uint64
	User     string
	Sessions []sessionRecord
}

type sessionRecord struct {
	//lint:ignore U1000 it tells msgpack to leave out the names
	_msgpack struct{} `msgpack:",as_array"`

	ID, Instance  string
	Platform      int32
	Label         string
	LoginSeq      uint64
	TicketExpires int64 // Unix seconds
}

func newUserRecord(key server.UserKey, sessions []server.Session) userRecord {
	u := userRecord{App: key.App, User: key.User, Sessions: []sessionRecord{}}
	for i := range sessions {
		if s := &sessions[i]; s.Left == nil {
			u.Sessions = append(u.Sessions, sessionRecord{
				ID: s.ID, Instance: s.Instance, Platform: int32(s.Platform), Label: s.Label, LoginSeq: s.LoginSeq, TicketExpires: s.TicketExpires.Unix(),
			})
		}
	}
	return u
}

func (u *userRecord) sessions(node server.NodeID) []server.Session {
	list := make([]server.Session, len(u.Sessions))
	for i, r := range u.Sessions {
		list[i] = server.Session{
			ID: r.ID, Instance: r.Instance, Platform: codes.Platform(r.Platform), Label: r.Label, LoginSeq: r.LoginSeq, Node: node,
			TicketExpires: time.Unix(r.TicketExpires, 0),
		}
	}
	server.SortSessions(list)
	return list
}

var checksum = crc32.MakeTable(crc32.Castagnoli)

// appendRecord appends the length of a record, its checksum, and the record.
func appendRecord(out *bytes.Buffer, v any) error {
	at := out.Len()
	out.Write(make([]byte, 8))
	e := msgpack.GetEncoder()
	defer msgpack.PutEncoder(e)
	e.Reset(out)
	e.UseCompactInts(true)
	if err := e.Encode(v); err != nil {
		return err
	}
	data := out.Bytes()[at:]
	binary.LittleEndian.PutUint32(data, uint32(len(data)-8))
	binary.LittleEndian.PutUint32(data[4:], crc32.Checksum(data[8:], checksum))
	return nil
}

var errTorn = errors.New("it ends within a record, or is damaged from there on")

// readRecord reads a record. The error is io.EOF where no more follow.
func readRecord(in *bufio.Reader, v any) error {
	var head [8]byte
	if _, err := io.ReadFull(in, head[:]); err != nil {
		if err == io.EOF { //nolint:errorlint // ReadFull returns it as it is
			return io.EOF
		}
		return errTorn
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n > recordMax {
		return errTorn
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(in, data); err != nil || crc32.Checksum(data, checksum) != binary.LittleEndian.Uint32(head[4:]) {
		return errTorn
	}
	if err := msgpack.Unmarshal(data, v); err != nil {
		return fmt.Errorf("a record cannot be read: %w", err)
	}
	return nil
}
