package nats

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/opentim/tim/server"
)

const (
	renewEvery = 2 * time.Second
	lease      = 6 * time.Second
	forgetDead = time.Hour // after this time a dead node that is named again is a stranger
)

// leases are the nodes that this one has heard of. A node lives for a lease after each of its heartbeats. The time in which
// this node could not hear does not count.
type leases struct {
	mu      sync.Mutex
	heard   map[server.NodeID]time.Time // until when each lives; kept for the dead that keys still name
	renewed time.Time                   // when this node sent its last heartbeat; zero before it joined
	deaf    time.Time                   // since when the connection is lost; zero if it is not
}

func (l *leases) begin() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = time.Now()
}

// hear notes a heartbeat, and reports whether that node was not alive before.
func (l *leases) hear(node server.NodeID, leaving bool) (fresh bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	until, known := l.heard[node]
	if leaving {
		l.heard[node] = now
		return false
	}
	l.heard[node] = now.Add(lease)
	return !known || !now.Before(until)
}

// tick notes a heartbeat of this node. If the last one was long ago, this process was stopped, and could not hear either.
func (l *leases) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if now.Sub(l.renewed) > 2*renewEvery {
		l.extend(l.renewed, now)
	}
	l.renewed = now
}

func (l *leases) cut(at time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf.IsZero() {
		l.deaf = at
	}
}

// forgive gives everybody who lived when the connection was lost a new lease.
func (l *leases) forgive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.deaf.IsZero() {
		l.extend(l.deaf, time.Now())
		l.deaf = time.Time{}
	}
}

func (l *leases) extend(since, now time.Time) {
	for node, until := range l.heard {
		if until.After(since) && until.Before(now.Add(lease)) {
			l.heard[node] = now.Add(lease)
		}
	}
}

// alive returns who lives besides this node, and whether that is known at all.
func (l *leases) alive() (nodes []server.NodeID, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if !l.deaf.IsZero() || now.Sub(l.renewed) > 2*renewEvery {
		return nil, false
	}
	for node, until := range l.heard {
		if now.Before(until) {
			nodes = append(nodes, node)
		}
	}
	return nodes, true
}

// named is told which nodes the keys of a bucket name. Strangers, of whom only keys know, count as alive for a while: long
// enough for whoever looks after the sessions of dead nodes to see them come and go.
func (l *leases) named(nodes map[server.NodeID][]server.UserKey, stranger time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	for node, until := range l.heard {
		if len(nodes[node]) == 0 && now.Sub(until) > forgetDead {
			delete(l.heard, node)
		}
	}
	for node := range nodes {
		if _, known := l.heard[node]; !known {
			l.heard[node] = now.Add(stranger)
		}
	}
}

// died returns when a node's lease ended, and whether it did. One that was never heard of died long ago.
func (l *leases) died(node server.NodeID) (at time.Time, dead bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	until := l.heard[node]
	return until, time.Now().After(until)
}

// Nodes returns the nodes that were heard within a lease, in order of their names. Nodes that only keys know of count as
// alive for a minute, once.
func (r *Registry) Nodes(context.Context) ([]server.NodeID, error) {
	if err := r.usable(); err != nil {
		return nil, err
	}
	list, known := r.leases.alive()
	if !known {
		return nil, fmt.Errorf("this node could not hear the others: %w", server.ErrUnavailable)
	}
	list = append(list, r.node)
	slices.Sort(list)
	return list, nil
}

func (r *Registry) leaseLoop() {
	ticks := time.NewTicker(renewEvery)
	defer ticks.Stop()
	for {
		r.leases.tick()
		_ = r.tellLease(false) // without a connection nobody hears anybody
		select {
		case <-r.life.Done():
			return
		case <-ticks.C:
		}
	}
}

func (r *Registry) tellLease(leaving bool) error {
	data, err := encode(&leaseMessage{Node: string(r.node), Leaving: leaving, Clock: time.Now().UnixMicro()})
	if err != nil {
		return err
	}
	return r.conn.Publish(r.leaseSubject(), data)
}

// hearLease notes a heartbeat of another node. One that is new hears this node at once.
func (r *Registry) hearLease(msg *nats.Msg) {
	var m leaseMessage
	if err := decode(msg.Data, &m); err != nil {
		r.o.Logger.Warn("registry: a heartbeat cannot be read", "error", err)
		return
	}
	node := server.NodeID(m.Node)
	fresh := r.leases.hear(node, m.Leaving)
	if !r.enter() {
		return
	}
	defer r.calls.Done()
	r.handler.HandleClock(node, time.UnixMicro(m.Clock))
	if fresh {
		_ = r.tellLease(false)
	}
}
