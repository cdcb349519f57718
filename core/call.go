package core

import (
	"context"
	"fmt"
	"sync"

	"github.com/opentim/tim/codes"
)

// A call is a Login, Logout or Renew whose answer is awaited.
type call struct {
	kind         kind // login, logout or renew
	user, ticket string
	done         func(outcome)
	direct       bool // answered within the step: the delivery goroutine is the one that waits

	// The engine's, and after settled the delivery's.
	deadline moment
	joined   bool // it waits for what becomes of the present session's login, or of its renewal
	settled  bool
	out      outcome

	client *Client
	once   sync.Once
}

// An outcome is the answer of a call.
type outcome struct {
	result LoginResult
	err    error
}

// what says what a call does, for its error. A ticket is no part of it.
func (k *call) what() string {
	if k.kind == login {
		return "login " + k.user
	}
	return string(k.kind)
}

// finish hands the answer to the caller, once.
func (k *call) finish() {
	k.once.Do(func() {
		k.client.calls.Add(-1)
		k.done(k.out)
	})
}

// start makes the call. After nil its done is called, once.
func (c *Client) start(k *call) error {
	if c.engine == nil {
		return fmt.Errorf("%s: %w", k.what(), codes.NotInitialized)
	}
	k.client = c
	if c.calls.Add(1) > maxCalls {
		c.calls.Add(-1)
		return fmt.Errorf("%s: %w", k.what(), codes.QueueFull)
	}
	if !c.post(&signal{kind: k.kind, call: k}) {
		c.calls.Add(-1)
		return fmt.Errorf("%s: %w", k.what(), codes.NotInitialized)
	}
	return nil
}

// wait makes the call and waits for its answer or the end of ctx.
func (c *Client) wait(ctx context.Context, k *call) outcome {
	if ctx.Err() != nil {
		return canceled(ctx, k)
	}
	answer := make(chan outcome, 1)
	k.done = func(o outcome) { answer <- o }
	k.direct = c.outbox != nil && c.outbox.delivering()
	if err := c.start(k); err != nil {
		return outcome{err: err}
	}
	select {
	case out := <-answer:
		return out
	case <-c.outbox.broken:
		return outcome{err: fmt.Errorf("%s: %w", k.what(), codes.Internal)}
	case <-ctx.Done():
	}
	// The engine knows whether the answer is older than the end of ctx.
	if !c.post(&signal{kind: forsaken, call: k, cause: ctx.Err()}) {
		return canceled(ctx, k)
	}
	return <-answer
}

func canceled(ctx context.Context, k *call) outcome { return outcome{err: canceledError(k, ctx.Err())} }

func canceledError(k *call, cause error) error {
	return fmt.Errorf("%s: %w: %w", k.what(), codes.Canceled, cause)
}

// post gives the engine a signal, and reports whether there is an engine that took it.
func (c *Client) post(s *signal) bool { return c.engine != nil && c.engine.post(s) }
