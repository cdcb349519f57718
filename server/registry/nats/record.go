package nats

import (
	"bytes"
	"fmt"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// recordVersion is the first byte of every value and message. A reader refuses one that it does not know, and records that
// have not exactly the fields it knows: another field needs a new version, and a release that reads both.
const recordVersion = 1

// A sessionRecord is a server.Session as it is kept. Times are Unix milliseconds, 0 for none.
type sessionRecord struct {
	//lint:ignore U1000 it tells msgpack to leave out the names
	_msgpack struct{} `msgpack:",as_array"`

	ID, Instance  string
	Platform      int32
	Label         string
	LoginSeq      uint64
	Resumes       uint32
	Node          string
	AwayUntil     int64
	TicketExpires int64
	Left          *kickRecord
}

// A kickRecord is a server.Kick without what is known anyway.
type kickRecord struct {
	//lint:ignore U1000 it tells msgpack to leave out the names
	_msgpack struct{} `msgpack:",as_array"`

	Reason     int32
	Code       int32
	ByPlatform int32
	ByLabel    string
	At         int64
	Resumes    uint32
}

// A kickMessage is a server.Kick on its way.
type kickMessage struct {
	//lint:ignore U1000 it tells msgpack to leave out the names
	_msgpack struct{} `msgpack:",as_array"`

	App      uint64
	User     string
	Session  string
	LoginSeq uint64
	Kick     kickRecord
}

// A newsMessage is a server.News on its way.
type newsMessage struct {
	//lint:ignore U1000 it tells msgpack to leave out the names
	_msgpack struct{} `msgpack:",as_array"`

	App  uint64
	User string
}

// A leaseMessage is a heartbeat, or a node's last word.
type leaseMessage struct {
	//lint:ignore U1000 it tells msgpack to leave out the names
	_msgpack struct{} `msgpack:",as_array"`

	Node    string
	Leaving bool
	Clock   int64 // Unix microseconds
}

func encode(v any) ([]byte, error) {
	out := bytes.NewBuffer(make([]byte, 0, 256))
	out.WriteByte(recordVersion)
	e := msgpack.GetEncoder()
	defer msgpack.PutEncoder(e)
	e.Reset(out)
	e.UseCompactInts(true)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("encode a record: %w", err)
	}
	return out.Bytes(), nil
}

func decode(data []byte, v any) error {
	if len(data) == 0 || data[0] != recordVersion {
		return fmt.Errorf("a record of another version than %d", recordVersion)
	}
	if err := msgpack.Unmarshal(data[1:], v); err != nil {
		return fmt.Errorf("decode a record: %w", err)
	}
	return nil
}

func encodeSessions(list []server.Session) ([]byte, error) {
	records := make([]sessionRecord, len(list))
	for i := range list {
		s := &list[i]
		records[i] = sessionRecord{
			ID: s.ID, Instance: s.Instance, Platform: int32(s.Platform), Label: s.Label, LoginSeq: s.LoginSeq,
			Resumes: s.Resumes, Node: string(s.Node), AwayUntil: stamp(s.AwayUntil), TicketExpires: stamp(s.TicketExpires),
		}
		if s.Left != nil {
			k := toKickRecord(s.Left)
			records[i].Left = &k
		}
	}
	return encode(records)
}

func decodeSessions(key server.UserKey, data []byte) ([]server.Session, error) {
	var records []sessionRecord
	if err := decode(data, &records); err != nil {
		return nil, err
	}
	list := make([]server.Session, len(records))
	for i := range records {
		r := &records[i]
		list[i] = server.Session{
			ID: r.ID, Instance: r.Instance, Platform: codes.Platform(r.Platform), Label: r.Label, LoginSeq: r.LoginSeq,
			Resumes: r.Resumes, Node: server.NodeID(r.Node), AwayUntil: moment(r.AwayUntil), TicketExpires: moment(r.TicketExpires),
		}
		if r.Left != nil {
			k := r.Left.kick(key, r.ID, r.LoginSeq)
			list[i].Left = &k
		}
	}
	return list, nil
}

func toKickRecord(k *server.Kick) kickRecord {
	return kickRecord{
		Reason: int32(k.Reason), Code: int32(k.Code), ByPlatform: int32(k.ByPlatform), ByLabel: k.ByLabel,
		At: stamp(k.At), Resumes: k.Resumes,
	}
}

func (r *kickRecord) kick(key server.UserKey, session string, loginSeq uint64) server.Kick {
	return server.Kick{
		Key: key, Session: session, LoginSeq: loginSeq, Reason: codes.KickReason(r.Reason), Code: codes.Code(r.Code),
		ByPlatform: codes.Platform(r.ByPlatform), ByLabel: r.ByLabel, At: moment(r.At), Resumes: r.Resumes,
	}
}

func stamp(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
