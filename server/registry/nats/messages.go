package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/opentim/tim/server"
)

const (
	kickLimit   = 2 * time.Second // how long a node may be silent
	kicksAtOnce = 256             // that are handled; more wait

	// What waits to be handled, for each subject. More is dropped: kicks are repeated, news are asked for anew.
	pendingMessages = 1 << 16
	pendingBytes    = 16 << 20
)

var (
	answerTold   = []byte{recordVersion, 1}
	answerNobody = []byte{recordVersion, 0}
)

// Kick asks node to end a session and waits up to 2 s for the answer.
func (r *Registry) Kick(ctx context.Context, node server.NodeID, k server.Kick) (told bool, err error) {
	if err := r.usable(); err != nil && node != r.node {
		return false, err
	}
	if node == r.node {
		return r.kickHere(k)
	}
	data, err := encode(&kickMessage{
		App: k.Key.App, User: k.Key.User, Session: k.Session, LoginSeq: k.LoginSeq, Kick: toKickRecord(&k),
	})
	if err != nil {
		return false, fmt.Errorf("kick on %s: %w", node, err)
	}
	limited, cancel := context.WithTimeout(ctx, kickLimit)
	defer cancel()
	answer, err := within(limited, func() (*nats.Msg, error) {
		return r.conn.RequestWithContext(limited, r.gatewaySubject(node), data)
	})
	switch {
	case errors.Is(err, nats.ErrNoResponders):
		return false, fmt.Errorf("kick on %s: there is no such node", node)
	case err != nil && ctx.Err() == nil && limited.Err() != nil:
		return false, fmt.Errorf("kick on %s: it is silent", node)
	case err != nil:
		return false, fmt.Errorf("kick on %s: %w", node, err)
	case len(answer.Data) != len(answerTold) || answer.Data[0] != recordVersion:
		return false, fmt.Errorf("kick on %s: its answer cannot be read", node)
	}
	return answer.Data[1] == answerTold[1], nil
}

func (r *Registry) kickHere(k server.Kick) (told bool, err error) {
	if !r.enter() {
		return false, fmt.Errorf("kick on %s: it has not joined, or has left: %w", r.node, server.ErrUnavailable)
	}
	defer r.calls.Done()
	return r.handler.HandleKick(k), nil
}

// hearKick handles a kick beside others, so that a slow one holds up nobody.
func (r *Registry) hearKick(msg *nats.Msg) {
	var m kickMessage
	if err := decode(msg.Data, &m); err != nil {
		r.o.Logger.Warn("registry: a kick cannot be read", "error", err)
		return
	}
	k := m.Kick.kick(server.UserKey{App: m.App, User: m.User}, m.Session, m.LoginSeq)
	select {
	case r.kicks <- struct{}{}:
	case <-r.life.Done():
		return
	}
	if !r.enter() {
		<-r.kicks
		return
	}
	go func() {
		defer func() { <-r.kicks; r.calls.Done() }()
		answer := answerNobody
		if r.handler.HandleKick(k) {
			answer = answerTold
		}
		_ = msg.Respond(answer) // an answer that is lost is asked for again
	}()
}

// Announce tells this node, also if NATS cannot be reached, and all others.
func (r *Registry) Announce(ctx context.Context, n server.News) error {
	if !r.enter() {
		return fmt.Errorf("announce: this node has not joined, or has left: %w", server.ErrUnavailable)
	}
	r.handler.HandleNews(n)
	r.calls.Done()
	if err := r.usable(); err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	data, err := encode(&newsMessage{App: n.App, User: n.User})
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, r.times.patience)
	defer cancel()
	_, err = within(limited, func() (struct{}, error) { return struct{}{}, r.conn.Publish(r.newsSubject(), data) })
	if err != nil {
		return r.unavailable(ctx, "announce", err)
	}
	return nil
}

func (r *Registry) hearNews(msg *nats.Msg) {
	var m newsMessage
	if err := decode(msg.Data, &m); err != nil {
		r.o.Logger.Warn("registry: news cannot be read", "error", err)
		return
	}
	if r.enter() {
		defer r.calls.Done()
		r.handler.HandleNews(server.News{App: m.App, User: m.User})
	}
}
