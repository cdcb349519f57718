package memory

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A journal is a row of records: length, checksum, fields. The first is its head: version and node. Each of the others is what a
// user has from then on. Numbers are varints, texts have their length first.
const (
	recordVersion = 1
	recordMax     = 1 << 20 // bytes; a length that is larger is none
	recordHead    = 8
)

var checksum = crc32.MakeTable(crc32.Castagnoli)

// seal completes the record that begins at a place of out.
func seal(out []byte, at int) []byte {
	data := out[at+recordHead:]
	binary.LittleEndian.PutUint32(out[at:], uint32(len(data)))
	binary.LittleEndian.PutUint32(out[at+4:], crc32.Checksum(data, checksum))
	return out
}

func appendText(out []byte, s string) []byte {
	return append(binary.AppendUvarint(out, uint64(len(s))), s...)
}

func appendHead(out []byte, node server.NodeID) []byte {
	at := len(out)
	out = append(out, make([]byte, recordHead)...)
	out = binary.AppendUvarint(out, recordVersion)
	return seal(appendText(out, string(node)), at)
}

// appendUser appends what a user has. Only what a login says is in it: a resume, a renewal or a lost connection makes no record.
func appendUser(out []byte, key server.UserKey, sessions []server.Session) []byte {
	at := len(out)
	out = append(out, make([]byte, recordHead)...)
	out = binary.AppendUvarint(out, key.App)
	out = appendText(out, key.User)
	for i := range sessions {
		s := &sessions[i]
		if s.Left != nil {
			continue
		}
		out = appendText(out, s.ID)
		out = appendText(out, s.Instance)
		out = binary.AppendUvarint(out, uint64(s.Platform))
		out = appendText(out, s.Label)
		out = binary.AppendUvarint(out, s.LoginSeq)
		out = binary.AppendVarint(out, s.TicketExpires.Unix())
	}
	return seal(out, at)
}

var errTorn = errors.New("it ends within a record, or is damaged from there on")

// readRecord reads the fields of a record. The error is io.EOF where no more follow.
func readRecord(in *bufio.Reader) (fields, error) {
	var head [recordHead]byte
	switch n, err := io.ReadFull(in, head[:]); {
	case n == 0 && errors.Is(err, io.EOF):
		return fields{}, io.EOF
	case err != nil:
		return fields{}, errTorn
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n == 0 || n > recordMax { // a power cut may leave zeros
		return fields{}, errTorn
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(in, data); err != nil || crc32.Checksum(data, checksum) != binary.LittleEndian.Uint32(head[4:]) {
		return fields{}, errTorn
	}
	return fields{data: data}, nil
}

// fields are what is left of a record.
type fields struct {
	data []byte
	bad  bool
}

func (f *fields) take(n int) []byte {
	if n <= 0 || n > len(f.data) {
		f.data, f.bad = nil, true
		return nil
	}
	taken := f.data[:n]
	f.data = f.data[n:]
	return taken
}

func (f *fields) uint() uint64 {
	v, n := binary.Uvarint(f.data)
	f.take(n)
	return v
}

func (f *fields) int() int64 {
	v, n := binary.Varint(f.data)
	f.take(n)
	return v
}

func (f *fields) text() string {
	n := f.uint()
	if n == 0 {
		return ""
	}
	return string(f.take(int(min(n, recordMax+1))))
}

func (f *fields) node() (server.NodeID, error) {
	if version := f.uint(); version != recordVersion {
		return "", fmt.Errorf("it is of version %d and not %d", version, recordVersion)
	}
	node := server.NodeID(f.text())
	if f.bad || node == "" {
		return "", errTorn
	}
	return node, nil
}

func (f *fields) user(node server.NodeID) (key server.UserKey, sessions []server.Session, err error) {
	key = server.UserKey{App: f.uint(), User: f.text()}
	for len(f.data) > 0 {
		sessions = append(sessions, server.Session{
			ID: f.text(), Instance: f.text(), Platform: codes.Platform(f.uint()), Label: f.text(), LoginSeq: f.uint(),
			TicketExpires: time.Unix(f.int(), 0), Node: node,
		})
	}
	if f.bad {
		return key, nil, errTorn
	}
	return key, sessions, nil
}
