package usersig

import (
	"bytes"
	stdzlib "compress/zlib"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
)

func TestVerifyAcceptsTheVendorsTicketsToTheirLastSecond(t *testing.T) {
	for _, v := range vectors(t) {
		for library, text := range map[string]string{"Node": v.Node, "Python": v.Python} {
			t.Run(v.Name+" by "+library, func(t *testing.T) {
				want := v.ticket(t)
				verifier := NewVerifier(v.App, v.Key)
				lastSecond := want.Expires.Add(time.Second - 1)
				for _, now := range []time.Time{want.Issued.AddDate(-10, 0, 0), want.Issued, want.Expires, lastSecond} {
					got, err := verifier.Verify(text, want.UserID, now)
					require.NoError(t, err, now)
					require.Equal(t, want, got)
					require.False(t, got.Expired(now))
				}
				_, err := verifier.Verify(text, want.UserID, lastSecond.Add(1))
				require.ErrorIs(t, err, codes.TicketExpired)
				require.True(t, want.Expired(lastSecond.Add(1)))
			})
		}
	}
}

// failures has a ticket for each way to be refused, and for each order of two.
var failures = []struct {
	name   string
	ticket func(t testing.TB) string
	want   codes.Code
	why    string // a part of the error
}{
	{"empty", text(""), codes.TicketEmpty, "is empty"},

	{"a stranger's character", text("eJyr#gr_"), codes.TicketUnreadable, `has "#" as character 5`},
	{"cut off in its base64", cut(101), codes.TicketUnreadable, "is cut off after 101 characters"},
	{"cut off in its zlib", cut(100), codes.TicketUnreadable, "is cut off after 100 characters"},
	{"cut off before its checksum", cut(232), codes.TicketUnreadable, "is cut off after 232 characters"},
	{"one character", text("e"), codes.TicketUnreadable, "is cut off after 1 characters"},
	{"only padding", text("____"), codes.TicketUnreadable, "is cut off"},
	{"two tickets in a row", twice, codes.TicketUnreadable, "it goes on"},
	{"no zlib", text(armor([]byte("hello, world"))), codes.TicketUnreadable, "not compressed with zlib"},
	{"zlib with a dictionary", text(armor([]byte{0x78, 0x20 | 0x1b, 0, 0, 0, 0, 0})), codes.TicketUnreadable, "not compressed with zlib"},
	{"deflate with a bad block", text(armor([]byte{0x78, 0x01, 0x07, 0, 0, 0})), codes.TicketUnreadable, "was altered"},
	{"a wrong checksum", wrongChecksum, codes.TicketUnreadable, "its checksum is wrong"},
	{"too long", text(strings.Repeat("A", MaxText+4)), codes.TicketUnreadable, "has 8196 characters"},
	{"a zip bomb", text(pack(strings.Repeat(" ", maxDocument+1), 9)), codes.TicketUnreadable, "inflates to more than 8192 bytes"},
	{"too many members", text(pack(strings.Repeat(`{"a":0,`, maxParts), 9)), codes.TicketUnreadable, "has more than 256 parts"},
	{"no JSON", doc(`hello`), codes.TicketUnreadable, "does not hold JSON"},
	{"half of the JSON", doc(plainFormat[:60]), codes.TicketUnreadable, "does not hold JSON"},
	{"something after the JSON", doc(plainFormat + `{}`), codes.TicketUnreadable, "does not hold JSON"},

	{"an array", doc(`["TLS.ver"]`), codes.TicketMalformed, "does not hold a JSON object"},
	{"null", doc(`null`), codes.TicketMalformed, "has no TLS.ver, TLS.identifier, TLS.sdkappid, TLS.time, TLS.expire, TLS.sig"},
	{"no members", doc(`{}`), codes.TicketMalformed, "has no TLS.ver"},
	{"no version", without(`"TLS.ver":"2.0",`), codes.TicketMalformed, "has no TLS.ver"},
	{"no user", without(`"TLS.identifier":ID,`), codes.TicketMalformed, "has no TLS.identifier"},
	{"no app", without(`"TLS.sdkappid":APP,`), codes.TicketMalformed, "has no TLS.sdkappid"},
	{"no time", without(`"TLS.time":TIME,`), codes.TicketMalformed, "has no TLS.time"},
	{"no expiry", without(`"TLS.expire":EXPIRE,`), codes.TicketMalformed, "has no TLS.expire"},
	{"no signature", without(`,"TLS.sig":SIG`), codes.TicketMalformed, "has no TLS.sig"},
	{"a member that is null", swap("ID", "null"), codes.TicketMalformed, "has no TLS.identifier"},
	{"a member in other capitals", swap("TLS.ver", "tls.VER"), codes.TicketMalformed, "has no TLS.ver"},
	{"version 1", swap(`"2.0"`, `"1.0"`), codes.TicketMalformed, `has TLS.ver "1.0"`},
	{"a version that is a number", swap(`"2.0"`, `2.0`), codes.TicketMalformed, "has a TLS.ver that is no string"},
	{"an app that is a string", swap("APP", `"1400000000"`), codes.TicketMalformed, "has a TLS.sdkappid that is no whole number"},
	{"a time that is half a second", swap("TIME", `1700000000.5`), codes.TicketMalformed, "has a TLS.time that is no whole number"},
	{"a negative expiry", swap("EXPIRE", `-86400`), codes.TicketMalformed, "has a TLS.expire that is no whole number"},
	{"an expiry that overflows", swap("EXPIRE", `9223372036854775807`), codes.TicketMalformed, "larger than 2^53-1"},
	{"a time of 17 digits", swap("TIME", `17000000000000000`), codes.TicketMalformed, "larger than 2^53-1"},
	{"a time with exponent", swap("TIME", `1e400`), codes.TicketMalformed, "has a TLS.time that is no whole number"},
	{"a list for a user", swap("ID", `["alice"]`), codes.TicketMalformed, "has a TLS.identifier that is no string"},
	{"a newline in the user", swap("ID", `"alice\nTLS.sdkappid:1"`), codes.TicketMalformed, "no userID"},
	{"a signature that is no base64", swap("SIG", `"?"`), codes.TicketMalformed, "TLS.sig that is not base64"},
	{"a short signature", swap("SIG", `"AAAA"`), codes.TicketMalformed, "a TLS.sig of 3 bytes; HMAC-SHA256 has 32"},
	{"a hexadecimal signature", swap("SIG", `"`+strings.Repeat("YWFh", 21)+`YQ=="`), codes.TicketMalformed, "a TLS.sig of 64 bytes"},
	{"a huge signature", swap("SIG", `"`+strings.Repeat("AAAA", 100)+`"`), codes.TicketMalformed, "a TLS.sig of 400 characters"},
	{"a userbuf that is no base64", swap("SIG", `SIG,"TLS.userbuf":"?"`), codes.TicketMalformed, "a TLS.userbuf that is not base64"},

	{"another app", changed(func(t *Ticket) { t.App++ }), codes.TicketAppMismatch, "was signed for SDKAppID 1400000001, this is 1400000000"},
	{"another user", changed(func(t *Ticket) { t.UserID = "bob" }), codes.TicketUserMismatch, `was signed for user "bob", not "alice"`},
	{"another user by a capital", changed(func(t *Ticket) { t.UserID = "Alice" }), codes.TicketUserMismatch, `was signed for user "Alice"`},
	{"another key", signedWith("another key"), codes.TicketKeyMismatch, "was signed with another key"},
	{"another time than was signed", swap("TIME", "1700000001"), codes.TicketKeyMismatch, "another key"},
	{"a longer life than was signed", swap("EXPIRE", "86401"), codes.TicketKeyMismatch, "another key"},
	{"a userbuf that was not signed", swap("SIG", `SIG,"TLS.userbuf":"AAEC"`), codes.TicketKeyMismatch, "another key"},
	{"expired", changed(func(t *Ticket) { t.Issued, t.Expires = t.Issued.Add(-time.Hour), t.Issued.Add(-time.Second) }),
		codes.TicketExpired, "expired 1 s ago by this machine's clock (2023-11-14 22:13:20 UTC)"},

	{"another app before another user", changed(func(t *Ticket) { t.App++; t.UserID = "bob" }), codes.TicketAppMismatch, ""},
	{"another user before another key", swap("ID", `"bob"`), codes.TicketUserMismatch, ""},
	{"another key before expiry", swap("EXPIRE", "1"), codes.TicketKeyMismatch, ""},
}

func text(s string) func(testing.TB) string { return func(testing.TB) string { return s } }
func doc(format string) func(testing.TB) string {
	return func(testing.TB) string { return pack(aliceJSON(format), 6) }
}
func without(part string) func(testing.TB) string { return swap(part, "") }
func swap(old, new string) func(testing.TB) string {
	format := strings.Replace(plainFormat, old, new, 1)
	if format == plainFormat {
		panic(old + " is not in the format")
	}
	return doc(format)
}
func changed(change func(*Ticket)) func(testing.TB) string {
	return func(t testing.TB) string { return sign(t, alice(change)) }
}
func cut(n int) func(testing.TB) string {
	return func(t testing.TB) string { return sign(t, alice())[:n] }
}
func twice(t testing.TB) string {
	once := sign(t, alice(func(t *Ticket) { t.UserID = "alice2" }))
	require.True(t, strings.HasSuffix(once, "_"), "this ticket ends with padding")
	return once + once
}
func signedWith(key string) func(testing.TB) string {
	return func(t testing.TB) string {
		s, err := alice().Sign(key)
		require.NoError(t, err)
		return s
	}
}
func wrongChecksum(testing.TB) string {
	raw := storeZlib([]byte(aliceJSON(plainFormat)))
	raw[len(raw)-1]++
	return armor(raw)
}

func TestVerifyNamesEachFailure(t *testing.T) {
	verifier := NewVerifier(testApp, testKey)
	for _, c := range failures {
		t.Run(c.name, func(t *testing.T) {
			got, err := verifier.Verify(c.ticket(t), "alice", testTime)
			require.ErrorIs(t, err, c.want)
			require.ErrorContains(t, err, c.why)
			require.Zero(t, got)

			_, err = verifier.Verify(sign(t, alice()), "alice", testTime)
			require.NoError(t, err, "a failure leaves nothing behind")
		})
	}
}

func TestAVerifierWithoutKeysSaysSo(t *testing.T) {
	for _, verifier := range []*Verifier{NewVerifier(testApp), NewVerifier(testApp, "", "")} {
		_, err := verifier.Verify(sign(t, alice()), "alice", testTime)
		require.ErrorIs(t, err, codes.TicketKeyMissing)
		_, err = verifier.Verify(sign(t, alice()), "bob", testTime)
		require.ErrorIs(t, err, codes.TicketUserMismatch, "what can be known without a key comes first")
		_, err = verifier.Verify(sign(t, alice()), "alice", testEnd.Add(time.Hour))
		require.ErrorIs(t, err, codes.TicketKeyMissing, "a time that nothing vouches for does not count")
	}
}

func TestEachKeyOfARotationVerifies(t *testing.T) {
	verifier := NewVerifier(testApp, "newest", "", "older", testKey)
	for _, key := range []string{"newest", "older", testKey} {
		text, err := alice().Sign(key)
		require.NoError(t, err)
		_, err = verifier.Verify(text, "alice", testTime)
		require.NoError(t, err, key)
	}
	text, err := alice().Sign("retired")
	require.NoError(t, err)
	_, err = verifier.Verify(text, "alice", testTime)
	require.ErrorIs(t, err, codes.TicketKeyMismatch)
}

func TestVerifyReadsEverySpelling(t *testing.T) {
	userBuf := func(line, member string) string {
		message := fmt.Sprintf("TLS.identifier:alice\nTLS.sdkappid:%d\nTLS.time:%d\nTLS.expire:86400\n%s", testApp, testTime.Unix(), line)
		return strings.Replace(plainFormat, "SIG", `"`+macOf(testKey, message)+`",`+member, 1)
	}
	long := bytes.Repeat([]byte{0, 1, 2}, 30)
	for _, c := range []struct {
		name, format string
		userBuf      []byte
	}{
		{"Node: compact, time before expire", plainFormat, nil},
		{"Go: expire before time, a newline at the end",
			`{"TLS.ver":"2.0","TLS.identifier":ID,"TLS.sdkappid":APP,"TLS.expire":EXPIRE,"TLS.time":TIME,"TLS.sig":SIG}` + "\n", nil},
		{"Python: blanks", `{"TLS.ver": "2.0", "TLS.identifier": ID, "TLS.sdkappid": APP, "TLS.expire": EXPIRE, "TLS.time": TIME, "TLS.sig": SIG}`, nil},
		{"Java: the order of a hash map",
			`{"TLS.identifier":ID,"TLS.sig":SIG,"TLS.expire":EXPIRE,"TLS.ver":"2.0","TLS.sdkappid":APP,"TLS.time":TIME}`, nil},
		{"C++: app before user",
			`{"TLS.ver":"2.0","TLS.sdkappid":APP,"TLS.identifier":ID,"TLS.time":TIME,"TLS.expire":EXPIRE,"TLS.sig":SIG}`, nil},
		{"PHP: slashes escaped", strings.ReplaceAll(aliceJSON(plainFormat), "/", `\/`), nil},
		{"Java of old: line breaks in a long userbuf, signed", userBuf("TLS.userbuf:"+mime(long, "\n")+"\n", `"TLS.userbuf":"`+mime(long, `\n`)+`"`), long},
		{"an empty userbuf, not signed", userBuf("", `"TLS.userbuf":""`), nil},
		{"an empty userbuf, signed", userBuf("TLS.userbuf:\n", `"TLS.userbuf":""`), nil},
		{"a userbuf that is null", userBuf("", `"TLS.userbuf":null`), nil},
		{"a userbuf", userBuf("TLS.userbuf:AAEC\n", `"TLS.userbuf":"AAEC"`), []byte{0, 1, 2}},
		{"an unknown string and number", strings.Replace(plainFormat, "{", `{"TLS.new":"\"x\\",  "n":0 ,`, 1), nil},
		{"unknown members that are nested", strings.Replace(plainFormat, "{", `{"a":{"TLS.ver":[1,{"TLS.sig":"}"}]},"b":true,"c":null,"d":-1.5e3,`, 1), nil},
		{"an unknown member outside ASCII", strings.Replace(plainFormat, "{", `{"名":"爱",`, 1), nil},
		{"names and values with \\u", strings.NewReplacer("TLS.ver", `TLS\u002ever`, "ID", `"\u0061lice"`).Replace(plainFormat), nil},
		{"blanks everywhere", "\t" + strings.NewReplacer(":", " : ", ",", "\r\n,\t").Replace(plainFormat) + " \n", nil},
		{"numbers with fraction and exponent", strings.NewReplacer("EXPIRE", "8.64e4", "TIME", "1700000000.0").Replace(plainFormat), nil},
		{"a member twice: the last counts", strings.Replace(plainFormat, "{", `{"TLS.sdkappid":7,"TLS.ver":"1.0",`, 1), nil},
	} {
		for _, level := range []int{stdzlib.DefaultCompression, stdzlib.BestSpeed, stdzlib.NoCompression, stdzlib.HuffmanOnly} {
			t.Run(fmt.Sprintf("%s, level %d", c.name, level), func(t *testing.T) {
				got, err := NewVerifier(testApp, testKey).Verify(pack(aliceJSON(c.format), level), "alice", testTime)
				require.NoError(t, err)
				require.Equal(t, alice(func(t *Ticket) { t.UserBuf = c.userBuf }), got)
			})
		}
	}
}

// mime writes b in base64 with a break after every 76 characters, as sun.misc.BASE64Encoder does.
func mime(b []byte, lineBreak string) string {
	var lines []string
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(b)), 76) {
		lines = append(lines, string(line))
	}
	return strings.Join(lines, lineBreak)
}

func TestTicketsMayHaveLineBreaks(t *testing.T) {
	whole := sign(t, alice())
	_, err := NewVerifier(testApp, testKey).Verify(whole[:76]+"\r\n"+whole[76:]+"\n", "alice", testTime)
	require.NoError(t, err)
}

func TestNoByteCanBeChanged(t *testing.T) {
	verifier := NewVerifier(testApp, testKey)
	whole := alice(func(t *Ticket) { t.UserBuf = []byte("for a room") })
	stored := sign(t, whole)
	document, err := json.Marshal(unpack(t, stored))
	require.NoError(t, err)
	for name, text := range map[string]string{"stored": stored, "compressed": pack(string(document), 6)} {
		t.Run(name, rapid.MakeCheck(func(t *rapid.T) {
			changed := []byte(text)
			i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			changed[i] ^= rapid.ByteRange(1, 255).Draw(t, "by")
			got, err := verifier.Verify(string(changed), "alice", testTime)
			// What is changed may mean the same: base64 and zlib have bits that nobody reads.
			if err == nil {
				require.Equal(t, whole, got)
			}
		}))
	}
}

func TestNoMemberCanBeChanged(t *testing.T) {
	verifier := NewVerifier(testApp, testKey)
	document := aliceJSON(plainFormat)
	for i := range document {
		for _, by := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
			changed := []byte(document)
			changed[i] ^= by
			_, err := verifier.Verify(armor(storeZlib(changed)), "alice", testTime)
			require.Error(t, err, "%s", changed)
		}
	}
}

func TestAVerifierIsForEverybody(t *testing.T) {
	verifier := NewVerifier(testApp, testKey)
	var wait sync.WaitGroup
	for i := range 8 {
		user := fmt.Sprintf("user-%d", i)
		text := sign(t, alice(func(t *Ticket) { t.UserID = user }))
		wait.Go(func() {
			for range 500 {
				got, err := verifier.Verify(text, user, testTime)
				if err != nil || got.UserID != user {
					t.Errorf("%s: %v, %v", user, got, err)
				}
				if _, err := verifier.Verify(text, "nobody", testTime); err == nil {
					t.Errorf("%s was taken for nobody", user)
				}
			}
		})
	}
	wait.Wait()
}

func TestAVerifierDoesNotPrintItsKeys(t *testing.T) {
	verifier := NewVerifier(testApp, testKey, "older")
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x"} {
		require.Equal(t, "usersig.Verifier of SDKAppID 1400000000 with 2 keys", fmt.Sprintf(format, verifier))
	}
}
