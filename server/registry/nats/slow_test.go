package nats_test

import (
	"fmt"
	"sync"
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
	goOn := sync.OnceFunc(func() { close(h.goOn) })
	t.Cleanup(goOn) // before the registry is closed, which waits for the handler
	require.NoError(t, busy.Join(ctx, "busy.1", h))
	require.NoError(t, other.Join(ctx, "other.1", deaf{}))
	const many = 1<<16 + 5000
	for i := range many {
		news := server.News{App: 1, User: fmt.Sprint(i)}
		if other.Announce(ctx, news) != nil { // a busy machine loses its connections
			soon(t, 20*time.Second, "it is announced", func() bool { return other.Announce(ctx, news) == nil })
		}
	}
	soon(t, 20*time.Second, "a kick does not wait for the news", func() bool {
		told, err := other.Kick(ctx, "busy.1", server.Kick{Key: key("alice"), Session: "s", LoginSeq: 1})
		return err == nil && told
	})
	soon(t, 20*time.Second, "a key does not wait for the news", func() bool {
		return busy.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) { return []server.Session{aSession}, nil }) == nil
	})
	require.Zero(t, h.heard.Load(), "it is still busy with the first")
	goOn()
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
