package core

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/internal/timtest"
	"github.com/opentim/tim/internal/wire"
)

func TestAFunctionIsDeliveredAmongTheEvents(t *testing.T) {
	simulate(t, nil, func(w *world) {
		require.True(t, w.Deliver(func() { w.note("before", nil) }))
		w.tells("before OK")
		w.logIn("alice", "alice1")
		w.told()
		require.True(t, w.Deliver(func() {
			w.Close()
			w.note("inside", nil)
		}))
		w.tells("inside OK", signsOut, "closed OK")
		require.False(t, w.Deliver(func() { t.Error("delivered after closed") }))
		require.False(t, new(Client).Deliver(func() {}))
	})
}

func TestFunctionsCountAmongTheCallsThatWait(t *testing.T) {
	simulate(t, func(s *timtest.Server, _ *Options) {
		s.OnFrame = func(*timtest.Conn, wire.Frame) bool { return true }
	}, func(w *world) {
		for range maxCalls {
			require.NoError(t, w.StartLogin("alice", ticket("alice1"), nil))
		}
		require.False(t, w.Deliver(func() {}))
	})
}
