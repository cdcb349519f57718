package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/admin"
	"github.com/opentim/tim/server/gateway"
	"github.com/opentim/tim/server/registry/memory"
	"github.com/opentim/tim/server/registry/nats"
	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/postgres"
	"github.com/opentim/tim/server/store/sqlite"
	"github.com/opentim/tim/server/webhook"
)

const (
	storeFile  = "tim.db"     // in the data directory
	resumeFile = "resume.key" // there too: what signs resume tickets
	// journalFile, there too, says who is signed in on a node that is alone.
	journalFile = "sessions.journal"
	// exitTime bounds what is left to do after the clients were sent away.
	exitTime = 5 * time.Second
)

// A node is a running server.
type node struct {
	log      *slog.Logger
	drain    gateway.Drain
	draining atomic.Bool
	store    server.Store
	registry server.Registry
	sessions *server.Sessions
	gateway  *gateway.Gateway
	listener net.Listener
	served   chan error
	closed   chan struct{}

	webhook *webhook.Webhook // nil if no app has one
	metrics *admin.Metrics   // nil if nobody asks
	beside  []*http.Server   // on ports of their own
}

// start builds a node and makes it accept clients on l, which it closes in any case.
func start(ctx context.Context, l *loaded, log *slog.Logger, listener net.Listener) (_ *node, err error) {
	n := &node{log: log, listener: listener, served: make(chan error, 1), closed: make(chan struct{})}
	defer func() {
		if err != nil {
			_ = listener.Close()
			n.close(ctx)
		}
	}()
	apps, err := l.serverApps()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(l.DataDir, 0o700); err != nil {
		return nil, l.wrong("data_dir", err.Error())
	}
	resumeKeys, err := l.resumeKeys()
	if err != nil {
		return nil, err
	}
	if n.registry, err = openRegistry(l, log); err != nil {
		return nil, err
	}
	accounts, err := openStore(ctx, l)
	if err != nil {
		return nil, err
	}
	n.store = accounts
	n.measure(l)
	if n.webhook, err = l.openWebhook(ctx, log); err != nil {
		return nil, err
	}
	n.sessions, err = server.New(ctx, server.Options{
		Node: nodeID(l.Node), Apps: apps, Registry: n.registry, Store: n.store, ResumeKeys: keyBytes(resumeKeys),
		Grace: l.Grace, GraceWeb: l.GraceWeb, SweepEvery: l.Sweep, EvictRate: l.EvictRate, UserLogins: l.Limits.UserLoginsPerSecond, Observer: n.observer(), Logger: log,
	})
	if err != nil {
		return nil, err
	}
	options, err := n.gatewayOptions(l)
	if err != nil {
		return nil, err
	}
	if n.gateway, err = gateway.New(options); err != nil {
		return nil, err
	}
	if err := n.serveMetrics(ctx, l); err != nil {
		return nil, err
	}
	if err := n.serveProfiles(ctx, l); err != nil {
		return nil, err
	}
	n.drain = gateway.Drain{Over: l.DrainTime}
	go func() { n.served <- n.gateway.Serve(listener) }()
	go n.tidy()
	return n, nil
}

// openStore opens where the accounts are: in a database that nodes share, or in a file of this one.
func openStore(ctx context.Context, l *loaded) (*store.Store, error) {
	if l.Store != "" {
		s, err := postgres.Open(ctx, l.Store, store.Options{})
		if err != nil {
			return nil, l.wrong("store", err.Error())
		}
		return s, nil
	}
	s, err := sqlite.Open(ctx, filepath.Join(l.DataDir, storeFile), store.Options{})
	if err != nil {
		return nil, l.wrong("data_dir", err.Error())
	}
	return s, nil
}

// openRegistry opens what says who is online: NATS, which nodes share, or this node's memory.
func openRegistry(l *loaded, log *slog.Logger) (server.Registry, error) {
	if l.Registry == "" {
		return memory.OpenJournal(filepath.Join(l.DataDir, journalFile), log), nil
	}
	for key, file := range map[string]string{"cluster.key_file": l.Cluster.KeyFile, "cluster.credentials_file": l.Cluster.CredentialsFile} {
		if file == "" {
			continue
		}
		if err := checkSecret(file); err != nil {
			return nil, l.wrong(key, err.Error())
		}
	}
	r, err := nats.Open(l.natsOptions(log))
	if err != nil {
		return nil, l.wrong("registry", err.Error())
	}
	return r, nil
}

func (l *loaded) natsOptions(log *slog.Logger) nats.Options {
	c := l.Cluster
	return nats.Options{
		URL: l.Registry, Cluster: c.Name, Replicas: c.Replicas, CredentialsFile: c.CredentialsFile,
		CAFile: c.CAFile, CertFile: c.CertFile, KeyFile: c.KeyFile, Logger: log,
	}
}

// resumeKeys returns what signs resume tickets: one key of this node's own, or those of the cluster.
func (l *loaded) resumeKeys() ([]string, error) {
	key, path, read := "data_dir", filepath.Join(l.DataDir, resumeFile), secret
	if file := l.Cluster.ResumeKeyFile; file != "" {
		key, path, read = "cluster.resume_key_file", file, readSecret
	}
	keys, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w; %s", err, makeResumeKey)
	}
	for i, k := range keys {
		if len(k) < minResumeKey {
			err = fmt.Errorf("key %d in %s has %d bytes, fewer than %d; %s", i+1, path, len(k), minResumeKey, makeResumeKey)
		}
	}
	if err != nil {
		return nil, l.wrong(key, err.Error())
	}
	return keys, nil
}

const (
	minResumeKey  = 16 // bytes
	makeResumeKey = "make it with: (umask 077; openssl rand -hex 32 > resume.key)"
)

func (n *node) gatewayOptions(l *loaded) (o gateway.Options, err error) {
	o = gateway.Options{
		Sessions: n.measured(), HTTP: n.web(), Logger: n.log,
		PingInterval: l.PingInterval, FirstFrame: l.Limits.FirstFrame, WriteTimeout: l.Limits.WriteTimeout,
		MaxConnections: cmp.Or(l.Limits.Connections, descriptors()), Admissions: l.Limits.LoginsPerSecond,
		ReconnectMin: l.Reconnect.Min, ReconnectMax: l.Reconnect.Max, Origins: l.Origins,
		AddressConnections: l.Limits.AddressConnections, AddressRate: l.Limits.AddressPerSecond, FramesPerSecond: l.Limits.FramesPerSecond,
	}
	if o.TrustedProxies, err = prefixes(l.TrustedProxies); err != nil {
		return o, err
	}
	if l.TLS.CertFile != "" {
		if o.TLS, err = tlsConfig(l.TLS.CertFile, l.TLS.KeyFile, n.log); err != nil {
			err = l.wrong("tls.cert_file", err.Error())
		}
	}
	return o, err
}

// web answers what asks for no WebSocket: REST, whether the process lives, and whether clients should be sent here.
func (n *node) web() http.Handler {
	mux := http.NewServeMux()
	mux.Handle(admin.Prefix, admin.New(admin.Options{Sessions: n.sessions, Store: n.store, Metrics: n.metrics, Logger: n.log}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if n.draining.Load() {
			http.Error(w, "draining", http.StatusServiceUnavailable)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		if err := n.store.Ping(ctx); err != nil {
			n.log.Error("the store does not answer", "error", err)
			http.Error(w, "the store does not answer", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	return mux
}

// run waits for ctx to end, sends the clients away and stops. It also ends when the listener fails.
func (n *node) run(ctx context.Context) error {
	var failed error
	select {
	case <-ctx.Done():
		n.draining.Store(true)
		drain, cancel := context.WithTimeout(context.Background(), n.drain.Over+exitTime)
		defer cancel()
		n.drain.Elsewhere = n.hasOthers(drain)
		if err := n.gateway.Drain(drain, n.drain); err != nil {
			n.log.Warn("some clients did not leave", "connections", n.gateway.Online())
		}
	case failed = <-n.served:
	}
	n.close(context.Background())
	n.log.Info("stopped")
	return failed
}

// hasOthers reports whether other nodes can take this node's clients.
func (n *node) hasOthers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	alive, err := n.registry.Nodes(ctx)
	return err == nil && len(alive) > 1
}

// close stops what was started, in the order in which each part needs the next.
func (n *node) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), exitTime)
	defer cancel()
	defer close(n.closed)
	var all []error
	for _, s := range n.beside {
		all = append(all, s.Close())
	}
	if n.gateway != nil {
		all = append(all, n.gateway.Close(ctx))
	}
	if n.sessions != nil {
		all = append(all, n.sessions.Close(ctx))
	}
	if n.webhook != nil {
		all = append(all, n.webhook.Close())
	}
	if n.registry != nil {
		all = append(all, n.registry.Close())
	}
	if n.store != nil {
		all = append(all, n.store.Close())
	}
	if err := errors.Join(all...); err != nil {
		n.log.Error("stopping", "error", err)
	}
}

// nodeID names this start of this node.
func nodeID(name string) server.NodeID {
	if name == "" {
		if name, _ = os.Hostname(); name == "" {
			name = "timd"
		}
	}
	boot := make([]byte, 4)
	_, _ = rand.Read(boot) // never fails
	return server.NodeID(name + "." + hex.EncodeToString(boot))
}

func keyBytes(lines []string) [][]byte {
	keys := make([][]byte, len(lines))
	for i, line := range lines {
		keys[i] = []byte(line)
	}
	return keys
}
