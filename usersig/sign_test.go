package usersig

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
)

func TestSignWritesWhatTheVendorsLibrariesWrite(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			text, err := v.ticket(t).Sign(v.Key)
			require.NoError(t, err)
			require.Equal(t, v.Decoded, unpack(t, text))
		})
	}
}

func TestSignFromNow(t *testing.T) {
	before := time.Now().Unix()
	text, err := Sign(testApp, testKey, "alice", 1500*time.Millisecond)
	after := time.Now().Unix()
	require.NoError(t, err)
	got, err := NewVerifier(testApp, testKey).Verify(text, "alice", time.Now())
	require.NoError(t, err)
	require.GreaterOrEqual(t, got.Issued.Unix(), before)
	require.LessOrEqual(t, got.Issued.Unix(), after)
	require.Equal(t, time.Second, got.Expires.Sub(got.Issued), "fractions of a second are dropped")
}

func TestSignRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		key    string
		change func(*Ticket)
		want   codes.Code
	}{
		{"an empty key", "", func(*Ticket) {}, codes.TicketKeyMissing},
		{"an empty userID", "k", func(t *Ticket) { t.UserID = "" }, codes.InvalidUserID},
		{"33 bytes of userID", "k", func(t *Ticket) { t.UserID = strings.Repeat("a", 33) }, codes.InvalidUserID},
		{"a newline in the userID", "k", func(t *Ticket) { t.UserID = "alice\nTLS.sdkappid:1" }, codes.InvalidUserID},
		{"a byte below the blank", "k", func(t *Ticket) { t.UserID = "a\x1f" }, codes.InvalidUserID},
		{"DEL", "k", func(t *Ticket) { t.UserID = "a\x7f" }, codes.InvalidUserID},
		{"a userID outside ASCII", "k", func(t *Ticket) { t.UserID = "爱丽丝" }, codes.InvalidUserID},
		{"SDKAppID 0", "k", func(t *Ticket) { t.App = 0 }, codes.InvalidParameters},
		{"an SDKAppID that JavaScript cannot hold", "k", func(t *Ticket) { t.App = 1 << 53 }, codes.InvalidParameters},
		{"no validity", "k", func(t *Ticket) { t.Expires = t.Issued.Add(999 * time.Millisecond) }, codes.InvalidParameters},
		{"a negative validity", "k", func(t *Ticket) { t.Expires = t.Issued.Add(-time.Second) }, codes.InvalidParameters},
		{"more than 50 years", "k", func(t *Ticket) { t.Expires = t.Issued.Add(MaxValidity + time.Second) }, codes.InvalidParameters},
		{"no times", "k", func(t *Ticket) { t.Issued, t.Expires = time.Time{}, time.Time{} }, codes.InvalidParameters},
		{"only an end", "k", func(t *Ticket) { t.Issued = time.Time{} }, codes.InvalidParameters},
		{"the end of time", "k", func(t *Ticket) { t.Expires = time.Unix(math.MaxInt64, 0) }, codes.InvalidParameters},
		{"a large userbuf", "k", func(t *Ticket) { t.UserBuf = make([]byte, MaxUserBuf+1) }, codes.InvalidParameters},
	} {
		t.Run(c.name, func(t *testing.T) {
			text, err := alice(c.change).Sign(c.key)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, text)
		})
	}
	for _, validity := range []time.Duration{math.MinInt64, -time.Second, 0, time.Second - 1, MaxValidity + time.Second, math.MaxInt64} {
		_, err := Sign(testApp, testKey, "alice", validity)
		require.ErrorIs(t, err, codes.InvalidParameters, validity)
	}
}

func TestErrorsNeverNameTheKey(t *testing.T) {
	const secret = "correct horse battery staple"
	_, err := alice(func(t *Ticket) { t.App = 0 }).Sign(secret)
	require.NotContains(t, err.Error(), secret)
	_, err = NewVerifier(testApp, secret).Verify(sign(t, alice()), "alice", testTime)
	require.NotContains(t, err.Error(), secret)
}

func TestWhatIsSignedVerifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.StringN(1, 100, -1).Draw(t, "key")
		issued := time.Unix(rapid.Int64Range(0, maxNumber).Draw(t, "issued"), 0).UTC()
		life := rapid.Int64Range(1, int64(MaxValidity/time.Second)).Draw(t, "life")
		want := Ticket{
			App:     rapid.Uint64Range(1, maxNumber).Draw(t, "app"),
			UserID:  rapid.StringMatching(`[ -~]{1,32}`).Draw(t, "user"),
			Issued:  issued,
			Expires: issued.Add(time.Duration(life) * time.Second),
			UserBuf: rapid.SliceOfN(rapid.Byte(), 0, MaxUserBuf).Draw(t, "userbuf"),
		}
		if len(want.UserBuf) == 0 {
			want.UserBuf = nil
		}
		text, err := want.Sign(key)
		if err != nil {
			t.Fatal(err)
		}
		now := time.Unix(issued.Unix()+rapid.Int64Range(0, life).Draw(t, "age"), 0)
		got, err := NewVerifier(want.App, key).Verify(text, want.UserID, now)
		if err != nil {
			t.Fatal(err)
		}
		require.Equal(t, want, got)
		if _, err := NewVerifier(want.App, key+"x").Verify(text, want.UserID, now); !errors.Is(err, codes.TicketKeyMismatch) {
			t.Fatalf("with another key: %v", err)
		}
	})
}

func TestTheLargestUserBufCanBeRead(t *testing.T) {
	largest := alice(func(t *Ticket) {
		t.App, t.UserID, t.UserBuf = maxNumber, strings.Repeat(`"`, MaxUserID), make([]byte, MaxUserBuf)
	})
	text := sign(t, largest)
	require.LessOrEqual(t, len(text), MaxText)
	got, err := NewVerifier(maxNumber, testKey).Verify(text, largest.UserID, testTime)
	require.NoError(t, err)
	require.Equal(t, largest, got)
}
