package gateway

import (
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"
)

// A task is a piece of the gateway's work: for a connection, or, without one, for all of them.
type task struct {
	c *conn
	f func()
}

// do does the work. What panics for one connection ends that connection; what panics for all ends the process.
func (t task) do() {
	if t.c != nil {
		defer t.c.guard()
	}
	t.f()
}

// run runs f for the connection in a goroutine of the gateway and reports whether it does.
func (c *conn) run(f func()) bool { return c.g.run(task{c, f}) }

// runFresh is run, as crew.runFresh.
func (c *conn) runFresh(f func()) bool { return c.g.runFresh(task{c, f}) }

// guarded runs f for the connection, in a goroutine that is there for others, too.
func (c *conn) guarded(f func()) { task{c, f}.do() }

// guard, deferred, makes a panic cost the connection and nobody else. Every lock on the way is released by a defer, or
// nothing between its two ends can panic: see that this stays so.
func (c *conn) guard() {
	if p := recover(); p != nil {
		c.g.bug(p, "client", c.remote)
		defer c.guard() // the session may be what is broken; the connection is closed before it is given up
		c.drop()
	}
}

// guarded makes panics of h known, which net/http would tell nobody who does not debug.
func (w *web) guarded(h http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		defer func() {
			if p := recover(); p != nil {
				if p != http.ErrAbortHandler {
					w.g.bug(p, "client", r.RemoteAddr)
				}
				panic(http.ErrAbortHandler) // closes the connection
			}
		}()
		h.ServeHTTP(out, r)
	})
}

// bug counts a panic and writes where it was. What it says is left out unless it is the runtime's: it may hold a ticket.
func (g *Gateway) bug(p any, args ...any) {
	g.counts.panics.Add(1)
	what := fmt.Sprintf("a %T", p)
	if e, ok := p.(runtime.Error); ok {
		what = e.Error()
	}
	g.bugs.error("a panic, which is a fault of this program, has ended a connection: please report it",
		append(args, "panic", what, "stack", string(debug.Stack()))...)
}
