package admin

import (
	"cmp"
	"context"
	"net/http"
	"reflect"
	"strings"
	"time"
)

// A command is a row of the table: where it is, how often it may be called, what it does, and an example of it.
type command struct {
	path    string        // service/command
	about   string        // one sentence for the document, without a full stop
	more    string        // what else there is to know
	rate    int           // calls a second of one app
	most    time.Duration // to answer; 0 means answerWithin
	action  action
	request string // an example
	reply   string // the fields of its answer, beside the status
}

// An action is a typed function with what the wrapper and the document need to know of it.
type action struct {
	in, out reflect.Type
	run     func(a *API, ctx context.Context, c caller, body []byte, d dialect, strict bool) (any, error)
}

// typed makes an action of a function.
func typed[In, Out any](f func(a *API, ctx context.Context, c caller, in In) (Out, error)) action {
	return action{
		in: reflect.TypeFor[In](), out: reflect.TypeFor[Out](),
		run: func(a *API, ctx context.Context, c caller, body []byte, d dialect, strict bool) (any, error) {
			var in In
			if err := decode(body, &in, d, strict); err != nil {
				return nil, err
			}
			return f(a, ctx, c, in)
		},
	}
}

func (cmd *command) call(a *API, ctx context.Context, c caller, body []byte) (any, error) {
	return cmd.action.run(a, ctx, c, body, cmd.dialect(), cmd.strict())
}

func (cmd *command) service() string {
	service, _, _ := strings.Cut(cmd.path, "/")
	return service
}

// strict reports whether a field that is not known is a mistake. Tencent's own commands ignore it, as Tencent does.
func (cmd *command) strict() bool { return cmd.service() == "tim_admin" }

func (cmd *command) time() time.Duration { return cmp.Or(cmd.most, answerWithin) }

// within returns the context of a request. A caller who hangs up does not end it: half a kick would be worse than a whole one.
func (cmd *command) within(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(r.Context()), cmd.time())
}

// dialect and name work for a command that was not found, too.
func (cmd *command) dialect() dialect {
	if cmd != nil && cmd.service() == "openim" {
		return openim
	}
	return common
}

func (cmd *command) name() string {
	if cmd == nil {
		return "unknown"
	}
	return cmd.path
}

// empty is the request, or the reply, of a command that needs none.
type empty struct{}
