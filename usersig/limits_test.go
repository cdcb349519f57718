package usersig

import (
	stdzlib "compress/zlib"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVerifyAllocatesLittle(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	verifier := NewVerifier(testApp, testKey)
	for name, c := range map[string]struct {
		ticket string
		limit  float64
	}{
		"of Node":                  {pack(aliceJSON(plainFormat), 6), 0},
		"of Python":                {pack(aliceJSON(strings.ReplaceAll(strings.ReplaceAll(plainFormat, ":", ": "), ",", ", ")), 6), 0},
		"of PHP, slashes escaped":  {pack(strings.ReplaceAll(aliceJSON(plainFormat), "/", `\/`), 6), 0},
		"of ours":                  {sign(t, alice()), 0},
		"of ours, with a userbuf":  {sign(t, alice(func(t *Ticket) { t.UserBuf = make([]byte, 40) })), 1},
		"of somebody who is fancy": {pack(aliceJSON(strings.Replace(plainFormat, "{", `{"é":0,`, 1)), 6), 40},
	} {
		got := testing.AllocsPerRun(200, func() {
			if _, err := verifier.Verify(c.ticket, "alice", testTime); err != nil {
				t.Fatal(err)
			}
		})
		require.LessOrEqual(t, got, c.limit, "a ticket %s", name)
	}
}

// hostile are tickets of at most MaxText characters that were made to cost us much, and how many bytes of memory they may.
func hostile() map[string]struct {
	ticket string
	limit  uint64
} {
	members := func(n int) string {
		var b strings.Builder
		b.WriteString(`{"é":0`) // keeps scan from reading it
		for i := range n {
			fmt.Fprintf(&b, `,"%x":0`, i)
		}
		return pack(b.String()+"}", 9)
	}
	return map[string]struct {
		ticket string
		limit  uint64
	}{
		"64 MiB of blanks":          {pack(strings.Repeat(" ", 64<<20), 9)[:MaxText], 1 << 10},
		"a bomb that is whole":      {pack(strings.Repeat(" ", 4<<20), 9), 1 << 10},
		"a text of nothing":         {strings.Repeat("x", MaxText), 1 << 10},
		"deep nesting":              {pack(strings.Repeat("[", maxDocument), 9), 1 << 10},
		"a thousand members":        {members(900), 1 << 10},
		"as many members as it may": {members(maxParts - 2), 64 << 10},
	}
}

func TestHostileTicketsCostLittleMemory(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector empties pools at random")
	}
	verifier := NewVerifier(testApp, testKey)
	for name, c := range hostile() {
		require.LessOrEqual(t, len(c.ticket), MaxText, name)
		_, err := verifier.Verify(c.ticket, "alice", testTime)
		require.Error(t, err, name)
		const runs = 20
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			_, _ = verifier.Verify(c.ticket, "alice", testTime)
		}
		runtime.ReadMemStats(&after)
		spent := (after.TotalAlloc - before.TotalAlloc) / runs
		t.Logf("%s: %d characters cost %d bytes", name, len(c.ticket), spent)
		require.LessOrEqual(t, spent, c.limit, name)
	}
}

func TestTheLimitsAreExact(t *testing.T) {
	verifier := NewVerifier(testApp, testKey)
	filled := func(size int) string {
		document := aliceJSON(plainFormat)
		return pack(document+strings.Repeat(" ", size-len(document)), stdzlib.BestCompression)
	}
	_, err := verifier.Verify(filled(maxDocument), "alice", testTime)
	require.NoError(t, err)
	_, err = verifier.Verify(filled(maxDocument+1), "alice", testTime)
	require.ErrorContains(t, err, "inflates to more than")

	// Line breaks fill a text up without changing it.
	whole := sign(t, alice())
	fill := strings.Repeat("\n", MaxText-len(whole))
	_, err = verifier.Verify(whole+fill, "alice", testTime)
	require.NoError(t, err)
	_, err = verifier.Verify(whole+fill+"\n", "alice", testTime)
	require.ErrorContains(t, err, "at most 8192 are read")
}
