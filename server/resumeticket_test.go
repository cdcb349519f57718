package server

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
)

const testDay Day = 20_766

var (
	oldKey = []byte("an old key of 16 bytes or more")
	newKey = []byte("a new key of 16 bytes or more")
)

func signer(t testing.TB, keys ...[]byte) *resumeTickets {
	r, err := newResumeTickets(keys)
	require.NoError(t, err)
	return r
}

// resumable is what a ticket carries of a session.
func resumable(label string) Session {
	return Session{
		ID: "0123456789abcdef", Instance: strings.Repeat("i", 32), Platform: codes.PlatformWeb, Resumes: 7, Label: label,
		LoginSeq: uint64(testTime.UnixMicro()), TicketExpires: testTime.Add(24 * time.Hour),
	}
}

func TestAResumeTicketBringsBackWhatItWasMadeOf(t *testing.T) {
	s := resumable("Anna's browser")
	r := signer(t, newKey)
	ticket := r.sign(alice, &s, testDay, testTime)
	got, err := r.open(ticket)
	require.NoError(t, err)
	require.Equal(t, resumeTicket{key: alice, session: s, day: testDay, notAfter: s.TicketExpires}, got)
	require.Less(t, len(ticket), 130)
}

func TestAResumeTicketEndsAfterAWeekAtMost(t *testing.T) {
	s := resumable("")
	s.TicketExpires = testTime.Add(180 * 24 * time.Hour)
	r := signer(t, newKey)
	got, err := r.open(r.sign(alice, &s, testDay, testTime))
	require.NoError(t, err)
	require.Equal(t, testTime.Add(resumeLife), got.notAfter)
	require.Equal(t, s.TicketExpires, got.session.TicketExpires)
}

func TestAnyResumeTicketIsCompact(t *testing.T) {
	r := signer(t, newKey)
	rapid.Check(t, func(t *rapid.T) {
		s := Session{
			ID: newSessionID(), Instance: rapid.StringN(1, -1, MaxInstance).Draw(t, "instance"),
			Platform: rapid.SampledFrom(codes.Platforms()).Draw(t, "platform"), Resumes: rapid.Uint32().Draw(t, "resumes"),
			Label: rapid.StringN(0, -1, MaxLabel).Draw(t, "label"), LoginSeq: rapid.Uint64Range(0, 1<<53).Draw(t, "seq"),
			TicketExpires: time.Unix(rapid.Int64Range(1, 1<<40).Draw(t, "expires"), 0),
		}
		key := UserKey{rapid.Uint64().Draw(t, "app"), rapid.StringMatching(`[ -~]{1,32}`).Draw(t, "user")}
		ticket := r.sign(key, &s, testDay, testTime)
		require.LessOrEqual(t, len(ticket), resumeMax)
		got, err := r.open(ticket)
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(s.Label, got.session.Label))
		require.True(t, isText(got.session.Label, MaxLabel), "cut within a character")
		got.session.Label = s.Label
		require.Equal(t, key, got.key)
		require.Equal(t, s, got.session)
	})
}

func TestResumeKeysAreRotated(t *testing.T) {
	s := resumable("")
	before := signer(t, oldKey).sign(alice, &s, testDay, testTime)
	both := signer(t, newKey, oldKey)
	_, err := both.open(before)
	require.NoError(t, err)
	_, err = signer(t, newKey).open(before)
	require.ErrorIs(t, err, errResumeTicket)
	_, err = signer(t, newKey).open(both.sign(alice, &s, testDay, testTime))
	require.NoError(t, err, "the first key signs")

	_, err = newResumeTickets(nil)
	require.Error(t, err)
	_, err = newResumeTickets([][]byte{[]byte("too short")})
	require.ErrorContains(t, err, "fewer than 16")
}

func TestNoByteOfAResumeTicketCanBeChanged(t *testing.T) {
	s := resumable("label")
	r := signer(t, newKey)
	ticket := r.sign(alice, &s, testDay, testTime)
	for i := range ticket {
		for _, flip := range []byte{1, 0x80} {
			forged := bytes.Clone(ticket)
			forged[i] ^= flip
			_, err := r.open(forged)
			require.ErrorIs(t, err, errResumeTicket, "byte %d", i)
		}
		_, err := r.open(ticket[:i])
		require.ErrorIs(t, err, errResumeTicket, "cut to %d", i)
	}
	_, err := r.open(append(ticket, 0))
	require.ErrorIs(t, err, errResumeTicket)
}

// FuzzResumeTicket reads what the MAC would keep out as well: the parser must hold without it.
func FuzzResumeTicket(f *testing.F) {
	r := signer(f, newKey)
	s := resumable("label")
	ticket := r.sign(alice, &s, testDay, testTime)
	f.Add(ticket)
	f.Add(ticket[5 : len(ticket)-resumeMAC])
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = r.open(data)
		got, err := parseResumeTicket(data)
		if err != nil {
			require.Zero(t, got)
			return
		}
		require.LessOrEqual(t, len(got.key.User)+len(got.session.ID)+len(got.session.Instance)+len(got.session.Label), len(data))
	})
}

func BenchmarkResumeTicket(b *testing.B) {
	r := signer(b, newKey)
	s := resumable("Anna's browser")
	ticket := r.sign(alice, &s, testDay, testTime)
	b.Run("sign", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r.sign(alice, &s, testDay, testTime)
		}
	})
	b.Run("open", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := r.open(ticket); err != nil {
				b.Fatal(err)
			}
		}
	})
}
