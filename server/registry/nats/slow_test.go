package nats_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

// A node that does not keep up loses news. It is told that it may have missed some, and its kicks and keys go on meanwhile.
func TestANodeThatCannotKeepUpKnowsThatItMissedNews(t *testing.T) {
	t.Parallel()
	o := nats.Options{URL: startServer(t, 0).ClientURL(), Cluster: newCluster()}
	busy, other := open(t, o), open(t, o)
	busy.BePatient(5 * time.Second)
	h := &busyHandler{goOn: make(chan struct{})}
	require.NoError(t, busy.Join(ctx, "busy.1", h))
	require.NoError(t, other.Join(ctx, "other.1", deaf{}))
	const many = 1<<16 + 5000
	for i := range many {
		require.NoError(t, other.Announce(ctx, server.News{App: 1, User: fmt.Sprint(i)}))
	}
	told, err := other.Kick(ctx, "busy.1", server.Kick{Key: key("alice"), Session: "s", LoginSeq: 1})
	require.NoError(t, err)
	require.True(t, told, "a kick does not wait for the news")
	require.NoError(t, busy.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) { return []server.Session{aSession}, nil }))
	close(h.goOn)
	soon(t, 20*time.Second, "it is told that it missed some", func() bool { return h.missed.Load() > 0 })
	require.Less(t, h.heard.Load(), int64(many))
}

type busyHandler struct {
	goOn          chan struct{}
	heard, missed atomic.Int64
}

func (h *busyHandler) HandleKick(server.Kick) bool { return true }

func (h *busyHandler) HandleClock(server.NodeID, time.Time) {}

func (h *busyHandler) HandleNews(n server.News) {
	if n == (server.News{}) {
		h.missed.Add(1)
		return
	}
	<-h.goOn
	h.heard.Add(1)
}
