package core

import (
	"fmt"
	"runtime/debug"
)

// A task is one goroutine of the engine's. Its panics are caught, except while it runs a function of the host.
type task struct{ inHost bool }

// host runs a function that the host gave to Options. Its panic is the host's: caught here, it would hide a mistake of the
// host and leave the host's data as the panic left it. So it ends the program as it would anywhere else, with its own stack.
func (t *task) host(f func()) {
	t.inHost = true
	f()
	t.inHost = false
}

// guard is to be deferred. It catches a panic of ours and hands it to report.
func (t *task) guard(what string, report func(p panicked)) {
	if t.inHost {
		return
	}
	if p := recover(); p != nil {
		report(panicked{what, fmt.Sprint(p), string(debug.Stack())})
	}
}

// panicked is a mistake of ours: what was done, the panic's words, and the stack.
type panicked struct{ what, text, stack string }

// spawn runs f in a goroutine of its own when the step is done, see leave.
func (e *engine) spawn(what string, f func(t *task)) {
	e.spawned = append(e.spawned, func() { e.guarded(what, f) })
}

// guarded runs f as every goroutine of the engine is run but the delivery.
func (e *engine) guarded(what string, f func(t *task)) {
	t := new(task)
	defer t.guard(what, func(p panicked) { e.post(&signal{kind: broke, panicked: &p}) })
	f(t)
}
