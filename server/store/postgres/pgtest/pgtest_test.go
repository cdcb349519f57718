//go:build unix

package pgtest

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAServerThatIsKilledComesBackAndIsGoneInTheEnd(t *testing.T) {
	s, err := New(Options{})
	require.NoError(t, err)
	require.NoError(t, s.Kill())
	require.NoError(t, s.Run())
	require.Contains(t, s.Log(), "was interrupted", "it noticed that it was killed")
	require.NoError(t, s.Stop())
	require.NoError(t, s.Run())
	require.NoError(t, s.Close())
	require.NoDirExists(t, s.Dir())
}
