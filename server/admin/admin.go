package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// Prefix is where the commands are: Prefix + service + "/" + command.
const Prefix = "/v4/"

// OpenAPIPath answers with the OpenAPI document of all commands, to everybody.
const OpenAPIPath = Prefix + "openapi.json"

const answerWithin = 3 * time.Second // unless a command says otherwise

// Options say what an API works with. Sessions and Store are required; Store is the one that Sessions has.
type Options struct {
	Sessions *server.Sessions
	Store    server.Store
	Metrics  *Metrics     // nil counts nothing
	Logger   *slog.Logger // nil logs nothing
}

// An API answers REST requests. Its methods may be called from any goroutine.
type API struct {
	sessions *server.Sessions
	store    server.Store
	metrics  *Metrics
	log      *slog.Logger
	limits   limits
	openapi  []byte
}

// New returns an API. It has nothing to close; requests end before the Sessions do.
func New(o Options) *API {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &API{sessions: o.Sessions, store: o.Store, metrics: o.Metrics, log: o.Logger, openapi: document()}
}

// ServeHTTP answers everything below Prefix: always with HTTP 200 and a status, as Tencent does.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if r.URL.Path == OpenAPIPath && r.Method == http.MethodGet {
		_, _ = w.Write(a.openapi)
		return
	}
	began := time.Now()
	cmd, err := find(r.URL.Path)
	var c caller
	var reply any
	if err == nil {
		ctx, cancel := cmd.within(r)
		defer cancel()
		r = r.WithContext(ctx)
		c, err = a.authorize(r, cmd)
	}
	if err == nil {
		reply, err = a.run(w, r, cmd, c)
	}
	st := cmd.dialect().statusOf(err)
	a.note(r.Context(), cmd, c, st.ErrorCode, err, time.Since(began))
	body, err := st.body(reply)
	if err != nil {
		panic("admin: a reply that is no JSON: " + err.Error())
	}
	_, _ = w.Write(body)
}

// run reads the body and calls the command. There is no reply beside an error, unless the command says so.
func (a *API) run(w http.ResponseWriter, r *http.Request, cmd *command, c caller) (any, error) {
	body, err := readBody(w, r)
	if err != nil {
		return nil, err
	}
	reply, err := cmd.call(a, r.Context(), c, body)
	var bad *failure
	if err != nil && !(errors.As(err, &bad) && bad.partial) {
		return nil, err
	}
	return reply, err
}

// note logs and counts a request. What nobody could be found guilty of is for debugging only: anybody can send that.
func (a *API) note(ctx context.Context, cmd *command, c caller, code codes.Code, err error, took time.Duration) {
	a.metrics.rest(cmd, code, took)
	level := slog.LevelDebug
	switch {
	case cmd.dialect().ours(code):
		level = slog.LevelWarn
	case code != codes.OK && c.admin != "":
		level = slog.LevelInfo
	}
	if !a.log.Enabled(ctx, level) {
		return
	}
	args := []any{"command", cmd.name(), "app", c.app.ID, "admin", c.admin, "code", int(code), "took", took}
	if err != nil {
		args = append(args, "why", err)
	}
	a.log.Log(ctx, level, "rest", args...)
}
