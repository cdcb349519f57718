package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

func TestOnlySoManyAreAdmittedProvisionally(t *testing.T) {
	s := &Sessions{unsettled: unsettled{list: make([]*Held, unsettledMax-1), some: make(chan struct{}, 1)}}
	a := &admission{kind: login}
	require.Nil(t, s.vouchProvisionally(t.Context(), a, proof{}))
	require.False(t, s.unsettled.add(new(Held)))
	bad := s.vouchProvisionally(t.Context(), a, proof{})
	require.Equal(t, codes.ServiceNotReady, bad.Code)
	require.NotZero(t, bad.RetryAfter)
}
