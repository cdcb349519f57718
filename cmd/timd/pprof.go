package main

import (
	"context"
	"net/http"
	"net/http/pprof"
)

// serveProfiles answers go tool pprof, on a port of its own and for this machine only: a profile shows what is in memory.
func (n *node) serveProfiles(ctx context.Context, l *loaded) error {
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return n.serveBeside(ctx, l, "pprof_listen", l.PprofListen, "profiles", "/debug/pprof/", mux)
}
