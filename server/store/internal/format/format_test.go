package format

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// Marks of random accounts on random days are where Place says, and a Union counts what a set would.
func TestMarksAreASetOfAccounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunks := map[ChunkKey]*Chunk{}
		marked := map[[2]int64]bool{}
		everybody := map[int64]bool{}
		for range rapid.IntRange(0, 50).Draw(t, "marks") {
			day := rapid.Int64Range(0, 2).Draw(t, "day")
			number := rapid.Int64Range(0, 20_000).Draw(t, "number")
			n, _, _ := Place(number)
			key := ChunkKey{1, server.Day(day), n}
			if chunks[key] == nil {
				chunks[key] = NewChunk(nil)
			}
			require.Equal(t, !marked[[2]int64{day, number}], chunks[key].Mark(number, true))
			require.True(t, chunks[key].Changed)
			marked[[2]int64{day, number}] = true
			everybody[number] = true
		}
		var u Union
		for key, c := range chunks {
			u.Add(key.Chunk, c.Bits)
		}
		require.EqualValues(t, len(everybody), u.Accounts)
		for m := range marked {
			n, _, _ := Place(m[1])
			c := chunks[ChunkKey{1, server.Day(m[0]), n}]
			require.True(t, c.Mark(m[1], false))
			require.False(t, c.Mark(m[1], false))
		}
	})
}

func TestSettingsWithNamesThatNobodyKnowsAreRefused(t *testing.T) {
	policy, limits, err := EncodeSettings(server.Settings{Policy: codes.PolicyDual, Limits: map[codes.Platform]int{codes.PlatformWeb: 3}})
	require.NoError(t, err)
	for _, c := range []struct{ policy, limits string }{{"half", limits}, {policy, `{"Fridge":1}`}, {policy, `3`}, {policy, ``}} {
		_, _, err := DecodeSettings(c.policy, c.limits)
		require.Error(t, err, "%v", c)
	}
	_, _, err = DecodeSettings(policy, limits)
	require.NoError(t, err)
}
