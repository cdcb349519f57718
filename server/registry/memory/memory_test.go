package memory_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/server/registry/registrytest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRegistry(t *testing.T) {
	registrytest.Run(t, registrytest.Engine{
		Case: synctest.Test,
		New: func(*testing.T) registrytest.Cluster {
			c := memory.NewCluster()
			return registrytest.Cluster{
				Open:  func(*testing.T) server.Registry { return c.Open() },
				Crash: func(_ *testing.T, r server.Registry) { r.(*memory.Registry).Crash() },
			}
		},
	})
}

func TestAViewThatHasNotJoinedIsUnavailable(t *testing.T) {
	ctx := context.Background()
	r := memory.Open()
	check := func() {
		_, err := r.Sessions(ctx, server.UserKey{})
		require.ErrorIs(t, err, server.ErrUnavailable)
		err = r.Update(ctx, server.UserKey{}, func([]server.Session) ([]server.Session, error) { panic("not reached") })
		require.ErrorIs(t, err, server.ErrUnavailable)
		for _, err := range r.UsersOn(ctx, "x") {
			require.ErrorIs(t, err, server.ErrUnavailable)
		}
	}
	check()
	require.NoError(t, r.Join(ctx, "a.1", nil))
	require.Error(t, r.Join(ctx, "a.1", nil), "twice")
	require.NoError(t, r.Close())
	check()
	require.NoError(t, r.Close())
}

// BenchmarkUpdate replaces the one session of a user: the least that an admission costs.
func BenchmarkUpdate(b *testing.B) {
	ctx := context.Background()
	r := memory.Open()
	require.NoError(b, r.Join(ctx, "a.1", nil))
	keys := make([]server.UserKey, 50_000)
	for i := range keys {
		keys[i] = server.UserKey{App: 1400000001, User: fmt.Sprintf("user%d", i)}
	}
	one := []server.Session{{ID: "0123456789abcdef", Platform: codes.PlatformIOS, LoginSeq: 1, Node: "a.1", TicketExpires: time.Now()}}
	change := func([]server.Session) ([]server.Session, error) { return one, nil }
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := r.Update(ctx, keys[i], change); err != nil {
			b.Fatal(err)
		}
		if i++; i == len(keys) {
			i = 0
		}
	}
}
