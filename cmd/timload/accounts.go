package main

import (
	"bytes"
	"compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/usersig"
)

// The app of every server that timload starts. The key protects nothing: it lives as long as one run on loopback.
const (
	appID  = 1400000001
	appKey = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e"

	ticketLife = 24 * time.Hour
)

// The ASCII texts of tickets, as base64 writes them, and as tickets do.
var (
	fromTicket = strings.NewReplacer("*", "+", "-", "/", "_", "=")
	toTicket   = strings.NewReplacer("+", "*", "/", "-", "=", "_")
)

// ticketFor returns a ticket as the vendor's libraries write it: compressed. usersig stores what it signs without compression,
// which is cheaper to verify, and would flatter the server.
func ticketFor(user string) (string, error) {
	stored, err := usersig.Sign(appID, appKey, user, ticketLife)
	if err != nil {
		return "", err
	}
	raw, err := base64.StdEncoding.DecodeString(fromTicket.Replace(stored))
	if err != nil {
		return "", err
	}
	document, err := zlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	w := packers.Get().(*zlib.Writer)
	defer packers.Put(w)
	w.Reset(&packed)
	if _, err := io.Copy(w, document); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return toTicket.Replace(base64.StdEncoding.EncodeToString(packed.Bytes())), nil
}

var packers = sync.Pool{New: func() any { return zlib.NewWriter(nil) }}

// jwtFor returns a token (HS256) for user, as the centrifuge baseline verifies it.
func jwtFor(user string) string {
	now := time.Now()
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"sub":%q,"iat":%d,"exp":%d}`, user, now.Unix(), now.Add(ticketLife).Unix()))
	mac := hmac.New(sha256.New, []byte(appKey))
	mac.Write([]byte(signed))
	return signed + "." + encode(mac.Sum(nil))
}

// loginOf returns the frame that signs user in, with a fresh ticket. All users of a run have the same length, so that their
// frames do.
func loginOf(user string, platform codes.Platform) (*wire.Login, error) {
	ticket, err := ticketFor(user)
	if err != nil {
		return nil, err
	}
	return &wire.Login{
		Request:  1,
		Version:  wire.Version,
		App:      appID,
		User:     user,
		Ticket:   ticket,
		Platform: platform,
		Instance: "3f1c9a52e07d4b68",
		Label:    "timload",
		SDK:      "timload/1",
	}, nil
}

// userPattern says how users are called, to Go and to SQLite.
const userPattern = "user_%010d"

func userName(i int) string { return fmt.Sprintf(userPattern, i) }

// manyLogins returns the frames that sign in users 0 to n-1.
func manyLogins(n int) ([][]byte, error) {
	frames := make([][]byte, n)
	for i := range frames {
		login, err := loginOf(userName(i), codes.PlatformAndroid)
		if err != nil {
			return nil, err
		}
		frames[i] = wire.Append(nil, login)
	}
	return frames, nil
}

// asMessages returns frames as messages that are ready to be written.
func asMessages(frames [][]byte) [][]byte {
	messages := make([][]byte, len(frames))
	for i, frame := range frames {
		messages[i] = appendMessage(nil, opBinary, frame)
	}
	return messages
}

// inHandshakes returns requests that carry frames.
func inHandshakes(request []byte, frames [][]byte) [][]byte {
	requests := make([][]byte, len(frames))
	for i, frame := range frames {
		requests[i] = carrying(request, frame)
	}
	return requests
}
