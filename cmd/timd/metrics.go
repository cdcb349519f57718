package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/opentim/tim/server/admin"
	"github.com/opentim/tim/server/gateway"
	"github.com/opentim/tim/server/registry/nats"
)

// A counting is a registry that knows figures of its own; a node that is alone has none. Both methods are cheap and may be called
// at any time between Join and Close.
type counting interface {
	// LeaseAge is how long ago this node's lease was renewed last. A lease ends when it is 6 s old.
	LeaseAge() time.Duration
	// Conflicts counts the updates of keys that had to be made anew because somebody else was faster.
	Conflicts() uint64
}

var _ counting = (*nats.Registry)(nil)

// measure makes the node count what it does, if somebody is to be told. The store and the sessions are not used yet.
func (n *node) measure(l *loaded) {
	if l.MetricsListen != "" {
		n.metrics = admin.NewMetrics()
		n.store = n.metrics.Store(n.store)
	}
}

// measured is what the gateway gets.
func (n *node) measured() gateway.Sessions {
	if n.metrics == nil {
		return n.sessions
	}
	return n.metrics.Sessions(n.sessions)
}

// serveMetrics answers Prometheus at /metrics, on a port of its own: whoever reaches it may read it.
func (n *node) serveMetrics(ctx context.Context, l *loaded) error {
	if n.metrics == nil {
		return nil
	}
	n.measureGateway()
	n.measureRegistry()
	n.measureWebhook()
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", n.metrics.Handler())
	return n.serveBeside(ctx, l, "metrics_listen", l.MetricsListen, "metrics", "/metrics", mux)
}

// serveBeside serves h on an address that is for operators only, unless it is empty.
func (n *node) serveBeside(ctx context.Context, l *loaded, key, address, what, path string, h http.Handler) error {
	if address == "" {
		return nil
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return l.wrong(key, err.Error())
	}
	s := &http.Server{Handler: h, ReadTimeout: 10 * time.Second, WriteTimeout: 2 * time.Minute}
	n.beside = append(n.beside, s)
	go func() { _ = s.Serve(listener) }()
	n.log.Info(what, "url", fmt.Sprintf("http://%s%s", listener.Addr(), path))
	return nil
}

func (n *node) measureGateway() {
	stats := n.gateway.Stats
	n.metrics.Gauge("tim_connections", "Connections of all kinds.", func() float64 { return float64(stats().Connections) })
	n.metrics.Gauge("tim_reconnect_backlog", "Clients that were refused for the moment and whose turn is still to come.",
		func() float64 { return float64(stats().Backlog) })
	n.metrics.Gauge("tim_reconnect_window_seconds", "Time over which clients are told to spread when they come back.",
		func() float64 { return stats().Window.Seconds() })
	n.metrics.Gauge("tim_sessions_unsettled", "Sessions that were admitted while the registry could not be reached, and are not written to it yet.",
		func() float64 { return float64(n.sessions.Unsettled()) })
	n.metrics.Counter("tim_overloaded_total", "Logins and resumes that were told to come back later, because there were too many at a time.",
		func() uint64 { return stats().Overloaded })
	n.metrics.Counter("tim_turned_away_total", "Connections that a limit closed at once.", func() uint64 { return stats().TurnedAway })
	n.metrics.Counter("tim_flooding_total", "Connections that ended because they sent too many frames.", func() uint64 { return stats().Flooding })
	n.metrics.Counter("tim_panics_total", "Faults of this program that each ended a connection instead of the node; the log has where.",
		func() uint64 { return stats().Panics })
}

func (n *node) measureRegistry() {
	r, ok := n.registry.(counting)
	if !ok {
		return
	}
	n.metrics.Gauge("tim_lease_age_seconds", "Time since this node's lease was renewed; at 6 s the others take it for dead.",
		func() float64 { return r.LeaseAge().Seconds() })
	n.metrics.Gauge("tim_clock_behind_seconds", "How far this node's clock is behind the fastest clock of the cluster.",
		func() float64 { return n.sessions.ClockBehind().Seconds() })
	n.metrics.Counter("tim_registry_conflicts_total", "Updates of a user's key that had to be made anew because another node was faster.", r.Conflicts)
}
