package usersig

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

func TestExplainAGoodTicket(t *testing.T) {
	text := sign(t, alice(func(t *Ticket) { t.UserBuf = []byte("room") }))
	got := Explain(text, testApp, "alice", testKey, testTime.Add(48*time.Minute))
	require.Equal(t, codes.OK, got.Code)
	require.True(t, got.KeyChecked && got.KeyFits)
	require.Empty(t, got.Problems)
	require.Empty(t, got.Hints)
	require.Equal(t, `accepted: the ticket is good for another 23 h 12 m
  SDKAppID  1400000000
  user      "alice"
  issued    2023-11-14 22:13:20 UTC (48 m ago)
  expires   2023-11-15 22:13:20 UTC (in 23 h 12 m)
  userbuf   4 bytes
  key       fits
  text      272 characters`, got.String())
}

func TestExplainNamesEverythingThatIsWrong(t *testing.T) {
	text := sign(t, alice(func(t *Ticket) { t.App++ }))
	got := Explain(text, testApp, "bob", "another key", testEnd.Add(3*time.Hour+12*time.Minute))
	require.Equal(t, `refused: the ticket belongs to another SDKAppID (70014)
  - it was signed for SDKAppID 1400000001, this is 1400000000
  - it was signed for user "alice", not "bob"
  - it was signed with another key
  - it expired 3 h 12 m ago by this machine's clock (2023-11-16 01:25:20 UTC)
  SDKAppID  1400000001
  user      "alice"
  issued    2023-11-14 22:13:20 UTC (1 d 3 h ago)
  expires   2023-11-15 22:13:20 UTC (3 h 12 m ago)
  key       does not fit
  text      236 characters`, got.String())
}

func TestExplainWithoutAKeyOrAnExpectation(t *testing.T) {
	got := Explain(sign(t, alice()), 0, "", "", testEnd.Add(time.Second))
	require.Equal(t, codes.TicketKeyMissing, got.Code)
	require.False(t, got.KeyChecked || got.KeyFits)
	require.Equal(t, []string{
		"it has a signature that cannot be checked: there is no key",
		"it expired 1 s ago by this machine's clock (2023-11-15 22:13:21 UTC)",
	}, got.Problems)
	require.Equal(t, alice(), got.Ticket)
}

func TestExplainAgreesWithVerify(t *testing.T) {
	for _, keys := range [][]string{{testKey}, {"newer", testKey}, nil} {
		verifier := NewVerifier(testApp, keys...)
		for _, c := range failures {
			text := c.ticket(t)
			_, err := verifier.Verify(text, "alice", testTime)
			got := verifier.Explain(text, "alice", testTime)
			require.ErrorIs(t, err, got.Code, c.name)
			require.Contains(t, err.Error(), strings.TrimPrefix(got.Problems[0], "it "), c.name)
		}
	}
}

func TestExplainShowsWhatCanBeRead(t *testing.T) {
	got := Explain(without(`,"TLS.sig":SIG`)(t), testApp, "alice", testKey, testTime)
	require.Equal(t, alice(), got.Ticket)
	got = Explain(swap("EXPIRE", "9223372036854775807")(t), testApp, "alice", testKey, testTime)
	require.Equal(t, Ticket{App: testApp, UserID: "alice"}, got.Ticket)
	got = Explain(swap("ID", `"a\nb"`)(t), testApp, "alice", testKey, testTime)
	require.Empty(t, got.Ticket.UserID)
}

func TestExplainGuessesTheMistake(t *testing.T) {
	whole := sign(t, alice(func(t *Ticket) { t.UserID = "alice2" }))
	mistaken := func(key, message string) string {
		return pack(strings.Replace(aliceJSON(strings.Replace(plainFormat, "SIG", "MISTAKE", 1)), "MISTAKE", `"`+macOf(key, message)+`"`, 1), 6)
	}
	message := fmt.Sprintf("TLS.identifier:alice\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:86400\n", testApp, testTime.Unix())
	fromHex, err := hex.DecodeString(testKey)
	require.NoError(t, err)
	tickets := func(text string) func(testing.TB) string { return func(testing.TB) string { return text } }
	for _, c := range []struct {
		name   string
		ticket func(testing.TB) string
		code   codes.Code
		hint   string
	}{
		{"padding lost", tickets(strings.TrimRight(whole, "_")), codes.TicketUnreadable, "only the __ at its end is missing"},
		{"quotes", tickets(`"` + whole + `"`), codes.TicketUnreadable, "blanks or quotes around it"},
		{"URL-encoded", tickets(strings.ReplaceAll(whole, "*", "%2A") + "%5F"), codes.TicketUnreadable, "it is URL-encoded"},
		{"plain base64", tickets(whole[:8] + "+" + whole[9:]), codes.TicketUnreadable, "it is in plain base64"},
		{"JSON", tickets(aliceJSON(plainFormat)), codes.TicketUnreadable, "it is the JSON itself"},
		{"a JWT", tickets("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"), codes.TicketUnreadable, "it looks like a JWT"},
		{"not compressed", tickets(armor([]byte(aliceJSON(plainFormat)))), codes.TicketUnreadable, "its JSON was not compressed"},
		{"gzip", tickets(armor([]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"))), codes.TicketUnreadable, "gzip instead of zlib"},

		{"a v1 ticket", tickets(pack(`{"TLS.account_type":"0","TLS.identifier":"alice","TLS.appid_at_3rd":"0","TLS.sdk_appid":"1400000000",`+
			`"TLS.expire_after":"86400","TLS.version":"201512300000","TLS.time":"1700000000","TLS.sig":"MEUCIQ=="}`, 6)), codes.TicketMalformed, "old v1 ticket"},
		{"an ECDSA signature", swap("SIG", `"`+base64.StdEncoding.EncodeToString(append([]byte{0x30, 0x45}, make([]byte, 69)...))+`"`),
			codes.TicketMalformed, "looks like ECDSA"},
		{"a MAC in hex", swap("SIG", `"`+base64.StdEncoding.EncodeToString([]byte(testKey))+`"`), codes.TicketMalformed, "written in hex"},

		{"the user's capitals", changed(func(t *Ticket) { t.UserID = "Alice" }), codes.TicketUserMismatch, "one has capitals"},
		{"the right key, another app", changed(func(t *Ticket) { t.App = 7 }), codes.TicketAppMismatch, "the key fits: whoever signs has the right key"},

		{"a newline in the signer's key", tickets(mistaken(testKey+"\n", message)), codes.TicketKeyMismatch, "a newline at its end"},
		{"the key decoded from hex", tickets(mistaken(string(fromHex), message)), codes.TicketKeyMismatch, "the key looks hex"},
		{"the key in capitals", tickets(mistaken(strings.ToUpper(testKey), message)), codes.TicketKeyMismatch, "in capitals"},
		{"PHP's single quotes", tickets(mistaken(testKey, strings.ReplaceAll(message, "\n", `\n`))), codes.TicketKeyMismatch, "single quotes"},
		{"no newline at the end", tickets(mistaken(testKey, strings.TrimSuffix(message, "\n"))), codes.TicketKeyMismatch, "without the newline"},
		{"a userbuf that was not signed", swap("SIG", `SIG,"TLS.userbuf":"AAEC"`), codes.TicketKeyMismatch, "without its userbuf"},

		{"signed ahead of time", changed(func(t *Ticket) { t.Issued, t.Expires = testTime.Add(2*time.Hour), testEnd }), codes.OK,
			"not yet issued: its time is 2 h ahead of this clock (2023-11-14 22:13:20 UTC); one of the two clocks is wrong"},
		{"a time in milliseconds", changed(func(t *Ticket) {
			t.Issued, t.Expires = time.Unix(testTime.UnixMilli(), 0), time.Unix(testTime.UnixMilli()+60, 0)
		}), codes.OK, "TLS.time looks like milliseconds"},
		{"an expiry that is a date", changed(func(t *Ticket) { t.Expires = t.Issued.Add(1_500_000_000 * time.Second) }), codes.OK,
			"its TLS.expire, 1500000000, looks like a date"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Explain(c.ticket(t), testApp, "alice", testKey, testTime)
			require.Equal(t, c.code, got.Code)
			require.Len(t, got.Hints, 1, got)
			require.Contains(t, got.Hints[0], c.hint)
		})
	}
}

func TestExplainSeesBlanksAroundTheServersKey(t *testing.T) {
	got := Explain(sign(t, alice()), testApp, "alice", testKey+"\n", testTime)
	require.Equal(t, codes.TicketKeyMismatch, got.Code)
	require.Equal(t, []string{"it fits the key without the blanks around it: correct the key here"}, got.Hints)
}

func TestExplainSaysThatAKeyIsOld(t *testing.T) {
	got := NewVerifier(testApp, "newest", testKey).Explain(sign(t, alice()), "alice", testTime)
	require.Equal(t, codes.OK, got.Code)
	require.Equal(t, []string{"it was signed with an old key, number 2 of 2"}, got.Hints)
}

func TestExplainTellsNothingThatOpensADoor(t *testing.T) {
	for _, c := range failures {
		text := c.ticket(t)
		said := Explain(text, testApp, "alice", testKey, testTime).String()
		require.NotContains(t, said, testKey, c.name)
		if len(text) > 4 {
			require.NotContains(t, said, text, c.name)
		}
	}
}

func TestSpell(t *testing.T) {
	for seconds, want := range map[int64]string{
		0: "0 s", 59: "59 s", 60: "1 m", 61: "1 m 1 s", 3600: "1 h", 3601: "1 h", 11520: "3 h 12 m",
		86399: "23 h 59 m", 86400: "1 d", 97200: "1 d 3 h", 365 * 86400: "1 y", 400 * 86400: "1 y 35 d",
	} {
		require.Equal(t, want, spell(seconds))
	}
}
