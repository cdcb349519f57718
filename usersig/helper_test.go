package usersig

import (
	"bytes"
	stdzlib "compress/zlib"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	testApp = 1400000000
	testKey = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e" // of the published examples
)

// testTime is when the tickets of these tests are signed, testEnd the last second they are valid.
var (
	testTime = time.Unix(1_700_000_000, 0).UTC()
	testEnd  = testTime.Add(24 * time.Hour)
)

// A vector is a known answer: texts that the vendor's own libraries wrote, and what is in them.
type vector struct {
	Name    string
	App     uint64 `json:"sdkappid"`
	Key     string
	Node    string // tls-sig-api-v2 1.0.2 from npm
	Python  string // tls-sig-api-v2 1.1 from PyPI
	Decoded map[string]any
}

func vectors(t testing.TB) []vector {
	t.Helper()
	text, err := os.ReadFile("testdata/vectors.json")
	require.NoError(t, err)
	var all []vector
	require.NoError(t, json.Unmarshal(text, &all))
	require.Len(t, all, 5)
	return all
}

// ticket returns what the vector says.
func (v vector) ticket(t testing.TB) Ticket {
	t.Helper()
	issued := time.Unix(int64(v.Decoded["TLS.time"].(float64)), 0).UTC()
	ticket := Ticket{
		App:     uint64(v.Decoded["TLS.sdkappid"].(float64)),
		UserID:  v.Decoded["TLS.identifier"].(string),
		Issued:  issued,
		Expires: issued.Add(time.Duration(v.Decoded["TLS.expire"].(float64)) * time.Second),
	}
	if text, ok := v.Decoded["TLS.userbuf"].(string); ok {
		var err error
		ticket.UserBuf, err = base64.StdEncoding.DecodeString(text)
		require.NoError(t, err)
	}
	return ticket
}

// alice returns a good ticket, and a function that changes it first.
func alice(change ...func(*Ticket)) Ticket {
	ticket := Ticket{App: testApp, UserID: "alice", Issued: testTime, Expires: testEnd}
	for _, f := range change {
		f(&ticket)
	}
	return ticket
}

func sign(t testing.TB, ticket Ticket) string {
	t.Helper()
	text, err := ticket.Sign(testKey)
	require.NoError(t, err)
	return text
}

// aliceJSON returns a document for alice with all members right, in the order and spelling of format: ID, APP, TIME, EXPIRE and SIG
// stand for the values, with quotes where they are strings.
func aliceJSON(format string) string {
	message := fmt.Sprintf("TLS.identifier:alice\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:86400\n", testApp, testTime.Unix())
	return strings.NewReplacer("ID", `"alice"`, "APP", fmt.Sprint(testApp), "TIME", fmt.Sprint(testTime.Unix()), "EXPIRE", "86400",
		"SIG", `"`+macOf(testKey, message)+`"`).Replace(format)
}

const plainFormat = `{"TLS.ver":"2.0","TLS.identifier":ID,"TLS.sdkappid":APP,"TLS.time":TIME,"TLS.expire":EXPIRE,"TLS.sig":SIG}`

func macOf(key, message string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// pack writes doc as a ticket, compressed as the standard library does it at level.
func pack(doc string, level int) string {
	var b bytes.Buffer
	w, err := stdzlib.NewWriterLevel(&b, level)
	if err != nil {
		panic(err)
	}
	if _, err := io.WriteString(w, doc); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return armor(b.Bytes())
}

// armor writes bytes in the base64 of tickets, the way other helpers do: replace after encoding.
func armor(raw []byte) string {
	return strings.NewReplacer("+", "*", "/", "-", "=", "_").Replace(base64.StdEncoding.EncodeToString(raw))
}

// unpack returns the members of a ticket by the standard library alone.
func unpack(t testing.TB, ticket string) map[string]any {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(ticket))
	require.NoError(t, err)
	z, err := stdzlib.NewReader(bytes.NewReader(raw))
	require.NoError(t, err)
	doc, err := io.ReadAll(z)
	require.NoError(t, err)
	var members map[string]any
	require.NoError(t, json.Unmarshal(doc, &members))
	return members
}
