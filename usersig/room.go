package usersig

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/opentim/tim/codes"
)

// A Privilege is a set of things that a user may do in a TRTC room.
type Privilege uint32

// What a user may do in a room. Screen is the auxiliary stream.
const (
	CanCreate Privilege = 1 << iota
	CanEnter
	CanSendAudio
	CanReceiveAudio
	CanSendVideo
	CanReceiveVideo
	CanSendScreen
	CanReceiveScreen

	CanAll Privilege = 1<<iota - 1
)

// A Room is one TRTC room, with a numeric ID or, if Name is not empty, with a name, and what its bearer may do there.
type Room struct {
	ID   uint32
	Name string
	May  Privilege
}

// PrivateMapKey returns the UserBuf that lets userID of app use room until expires, in whole seconds. Put it into a
// Ticket with the same App, UserID and Expires and sign that: the text is what TRTC calls a PrivateMapKey.
//
// It fails with codes.InvalidUserID for a bad userID and codes.InvalidParameters if the room has neither ID nor name or has both, if
// it permits nothing, or if app or expires do not fit the 32 bits this format has for them.
func PrivateMapKey(app uint64, userID string, expires time.Time, room Room) ([]byte, error) {
	if err := CheckUserID(userID); err != nil {
		return nil, fmt.Errorf("make a private map key: %w", err)
	}
	until := expires.Unix()
	switch {
	case app == 0 || app > math.MaxUint32:
		return nil, fmt.Errorf("make a private map key: SDKAppID %d is out of range: %w", app, codes.InvalidParameters)
	case until < 1 || until > math.MaxUint32:
		return nil, fmt.Errorf("make a private map key: the time %d s is out of range: %w", until, codes.InvalidParameters)
	case (room.ID == 0) == (room.Name == ""):
		return nil, fmt.Errorf("make a private map key: a room has either an ID or a name: %w", codes.InvalidParameters)
	case room.May == 0:
		return nil, fmt.Errorf("make a private map key: nothing is permitted: %w", codes.InvalidParameters)
	case len(room.Name) > MaxUserBuf/2:
		return nil, fmt.Errorf("make a private map key: the room's name has %d bytes: %w", len(room.Name), codes.InvalidParameters)
	}
	return room.encode(uint32(app), userID, uint32(until)), nil
}

// encode writes the format: everything big-endian, strings after their length in 16 bits.
func (r Room) encode(app uint32, userID string, until uint32) []byte {
	version := byte(0)
	if r.Name != "" {
		version = 1
	}
	b := []byte{version}
	b = binary.BigEndian.AppendUint16(b, uint16(len(userID)))
	b = append(b, userID...)
	b = binary.BigEndian.AppendUint32(b, app)
	b = binary.BigEndian.AppendUint32(b, r.ID)
	b = binary.BigEndian.AppendUint32(b, until)
	b = binary.BigEndian.AppendUint32(b, uint32(r.May))
	b = binary.BigEndian.AppendUint32(b, 0) // account type
	if r.Name != "" {
		b = binary.BigEndian.AppendUint16(b, uint16(len(r.Name)))
		b = append(b, r.Name...)
	}
	return b
}
