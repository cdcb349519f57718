package usersig

import (
	"bytes"
	stdzlib "compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
)

// slowVerify is what Verify means, in the plainest way: no pools, the standard library, one step after the other.
func slowVerify(ticket string, app uint64, userID, key string, now time.Time) (Ticket, codes.Code) {
	if ticket == "" {
		return Ticket{}, codes.TicketEmpty
	}
	if len(ticket) > MaxText || strings.ContainsAny(ticket, "+/=") {
		return Ticket{}, codes.TicketUnreadable
	}
	raw, err := base64.StdEncoding.DecodeString(strings.NewReplacer("*", "+", "-", "/", "_", "=").Replace(ticket))
	if err != nil {
		return Ticket{}, codes.TicketUnreadable
	}
	z, err := stdzlib.NewReader(bytes.NewReader(raw))
	if err != nil {
		return Ticket{}, codes.TicketUnreadable
	}
	doc, err := io.ReadAll(io.LimitReader(z, maxDocument+1))
	if err != nil || len(doc) > maxDocument || !json.Valid(doc) {
		return Ticket{}, codes.TicketUnreadable
	}
	parts := strings.Count(string(doc), ":") + strings.Count(string(doc), "{") + strings.Count(string(doc), "[")
	if parts > maxParts {
		return Ticket{}, codes.TicketUnreadable
	}
	return slowJudge(doc, app, userID, key, now)
}

func slowJudge(doc []byte, app uint64, userID, key string, now time.Time) (Ticket, codes.Code) {
	decoder := json.NewDecoder(bytes.NewReader(doc))
	decoder.UseNumber()
	var value any
	if decoder.Decode(&value) != nil {
		return Ticket{}, codes.TicketUnreadable
	}
	members, _ := value.(map[string]any)
	text := func(name string) string { s, _ := members[name].(string); return s }
	number := func(name string) int64 {
		literal, ok := members[name].(json.Number)
		if n, err := strconv.ParseInt(literal.String(), 10, 64); ok && err == nil {
			return n
		}
		f, err := literal.Float64()
		if !ok || err != nil || f != math.Floor(f) || math.Abs(f) > 1<<53 {
			return -1
		}
		return int64(f)
	}
	id, issued, validity, inApp := text("TLS.identifier"), number("TLS.time"), number("TLS.expire"), number("TLS.sdkappid")
	mac, err := base64.StdEncoding.Strict().DecodeString(text("TLS.sig"))
	userBuf, bufErr := base64.StdEncoding.DecodeString(text("TLS.userbuf"))
	_, bufIsText := members["TLS.userbuf"].(string)
	if text("TLS.ver") != "2.0" || CheckUserID(id) != nil || err != nil || len(mac) != 32 || bufErr != nil ||
		(members["TLS.userbuf"] != nil && !bufIsText) || min(issued, validity, inApp) < 0 || max(issued, validity, inApp) >= 1<<53 {
		return Ticket{}, codes.TicketMalformed
	}
	switch {
	case uint64(inApp) != app:
		return Ticket{}, codes.TicketAppMismatch
	case id != userID:
		return Ticket{}, codes.TicketUserMismatch
	}
	message := fmt.Sprintf("TLS.identifier:%s\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:%d\n", id, inApp, issued, validity)
	withLine := message + "TLS.userbuf:" + text("TLS.userbuf") + "\n"
	fits := func(message string) bool { return macOf(key, message) == base64.StdEncoding.EncodeToString(mac) }
	if !(fits(message) && text("TLS.userbuf") == "") && !(fits(withLine) && bufIsText) {
		return Ticket{}, codes.TicketKeyMismatch
	}
	if now.Unix() > issued+validity {
		return Ticket{}, codes.TicketExpired
	}
	if len(userBuf) == 0 {
		userBuf = nil
	}
	return Ticket{App: app, UserID: id, Issued: time.Unix(issued, 0).UTC(), Expires: time.Unix(issued+validity, 0).UTC(), UserBuf: userBuf}, codes.OK
}

// agree fails t if Verify and slowVerify differ about ticket, and returns their common answer.
func agree(t testing.TB, verifier *Verifier, ticket, userID string, now time.Time) codes.Code {
	t.Helper()
	got, err := verifier.Verify(ticket, userID, now)
	code := codes.OK
	if err != nil {
		require.ErrorAs(t, err, &code)
	}
	want, wantCode := slowVerify(ticket, testApp, userID, testKey, now)
	require.Equal(t, wantCode, code, "%q: %v", ticket, err)
	require.Equal(t, want, got, "%q", ticket)
	return code
}

// seedDocuments are JSON that a fuzzer learns most from.
func seedDocuments() []string {
	seeds := []string{plainFormat, `{}`, `null`, `[{}]`, `{"TLS.ver":"2.0",}`, strings.Replace(plainFormat, "{", `{"x":{"y":[1]},"z":"\u00e9",`, 1)}
	for _, c := range [][2]string{
		{"SIG", `SIG,"TLS.userbuf":""`}, {"SIG", `SIG,"TLS.userbuf":null`}, {"SIG", `SIG,"TLS.userbuf":"AA=="`}, {"EXPIRE", "8.64e4"},
		{"EXPIRE", "-0"}, {"EXPIRE", "086400"}, {"TIME", "9007199254740991"}, {"TIME", "9007199254740992"}, {"ID", `"\/\"\\"`}, {",", ",,"},
	} {
		seeds = append(seeds, strings.Replace(plainFormat, c[0], c[1], 1))
	}
	for i, s := range seeds {
		seeds[i] = aliceJSON(s)
	}
	return append(seeds, strings.ReplaceAll(aliceJSON(plainFormat), "/", `\/`))
}

func seedTickets(f *testing.F) []string {
	var seeds []string
	for _, c := range failures {
		seeds = append(seeds, c.ticket(f))
	}
	for _, v := range vectors(f) {
		seeds = append(seeds, v.Node, v.Python)
	}
	for _, d := range seedDocuments() {
		seeds = append(seeds, pack(d, 6))
	}
	return append(seeds, sign(f, alice()))
}

// FuzzVerify feeds whole tickets and any clock. For this and the others, testdata/fuzz has what was found to reach code that the
// seeds do not.
func FuzzVerify(f *testing.F) {
	for _, s := range seedTickets(f) {
		f.Add(s, "alice", int64(0))
	}
	f.Add(sign(f, alice()), "bob", int64(86401))
	verifier := NewVerifier(testApp, testKey)
	f.Fuzz(func(t *testing.T, ticket, userID string, late int64) {
		agree(t, verifier, ticket, userID, time.Unix(late, 0))
		agree(t, verifier, ticket, userID, testTime.Add(time.Duration(late)))
	})
}

// FuzzDocument feeds what is inside a ticket, which a fuzzer cannot reach through base64 and a checksum. It also compares the
// quick scan with the full parser, member by member.
func FuzzDocument(f *testing.F) {
	for _, s := range seedDocuments() {
		f.Add(s)
	}
	verifier := NewVerifier(testApp, testKey)
	f.Fuzz(func(t *testing.T, document string) {
		if len(document) > maxDocument {
			return
		}
		agree(t, verifier, armor(storeZlib([]byte(document))), "alice", testTime)

		var quick, slow claims
		if quick.scan([]byte(document), nil) {
			require.Nil(t, slow.parse([]byte(document)), "scan read what is not JSON: %q", document)
			require.Equal(t, slow.seen, quick.seen, "%q", document)
			require.Equal(t, fmt.Sprintf("%q %d %d %d", [][]byte{slow.ver, slow.user, slow.sig, slow.userBuf}, slow.app, slow.issued, slow.validity),
				fmt.Sprintf("%q %d %d %d", [][]byte{quick.ver, quick.user, quick.sig, quick.userBuf}, quick.app, quick.issued, quick.validity), "%q", document)
		}
	})
}

// FuzzExplain checks that an explanation agrees with Verify and keeps its secrets.
func FuzzExplain(f *testing.F) {
	for _, s := range seedTickets(f) {
		f.Add(s, "alice", testKey, int64(0))
	}
	f.Add(sign(f, alice()), "", "", int64(1<<62))
	f.Fuzz(func(t *testing.T, ticket, userID, key string, late int64) {
		now := time.Unix(late, 0)
		e := Explain(ticket, testApp, userID, key, now)
		require.NotEmpty(t, e.String())
		require.Equal(t, e.Code == codes.OK, len(e.Problems) == 0)
		_, err := NewVerifier(testApp, key).Verify(ticket, userID, now)
		if userID != "" {
			require.Equal(t, e.Code == codes.OK, err == nil)
			require.True(t, err == nil || errors.Is(err, e.Code), "%v, but %v", err, e.Code)
		}
		if len(ticket) > 64 {
			require.NotContains(t, e.String(), ticket)
		}
		if key == testKey {
			require.NotContains(t, e.String(), key)
		}
	})
}

// TestVerifyAgreesWithTheSlowWay draws documents that are nearly tickets, signed for what they say.
func TestVerifyAgreesWithTheSlowWay(t *testing.T) {
	verifier := NewVerifier(testApp, testKey)
	count := map[codes.Code]int{}
	rapid.Check(t, func(t *rapid.T) {
		pick := func(label string, values ...string) string { return rapid.SampledFrom(values).Draw(t, label) }
		number := func(label, usual string) string {
			if rapid.IntRange(0, 5).Draw(t, "usual") > 0 {
				return usual
			}
			return pick(label, usual+".0", usual+"e0", "-1", "0", "-0", `"`+usual+`"`, "1e3", "null", "9007199254740992")
		}
		id := pick("id", "alice", "alice", "alice", "alice", "bob", `al\u0069ce`, "Alice", "")
		app, at, life := number("app", fmt.Sprint(testApp)), number("time", fmt.Sprint(testTime.Unix())), number("expire", "86400")
		buf := pick("userbuf", "", "", `,"TLS.userbuf":""`, `,"TLS.userbuf":"AAEC"`, `,"TLS.userbuf":"A\nAEC"`, `,"TLS.userbuf":7`)
		message := "TLS.identifier:alice\nTLS.sdkappid:1400000000\nTLS.time:1700000000\nTLS.expire:86400\n" +
			pick("line", "", "", "TLS.userbuf:\n", "TLS.userbuf:AAEC\n", "TLS.userbuf:A\nAEC\n")
		document := fmt.Sprintf(`{%s"TLS.ver":"2.0","TLS.identifier":"%s","TLS.sdkappid":%s,"TLS.time":%s,"TLS.expire":%s%s,"TLS.sig":"%s"}`,
			pick("first", "", "", `"a":[{}],`, `"TLS.time":5,`, `"tls.ver":"1",`), id, app, at, life, buf, macOf(testKey, message))
		now := testTime.Add(time.Duration(rapid.Int64Range(-1, 86401).Draw(t, "age")) * time.Second)
		ticket := pack(document, rapid.IntRange(-2, 9).Draw(t, "level"))
		got, err := verifier.Verify(ticket, "alice", now)
		want, wantCode := slowVerify(ticket, testApp, "alice", testKey, now)
		code := codes.OK
		if err != nil && !errors.As(err, &code) {
			t.Fatal(err)
		}
		require.Equal(t, wantCode, code, document)
		require.Equal(t, want, got, document)
		count[code]++
	})
	t.Log(count)
}
