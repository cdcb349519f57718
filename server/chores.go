package server

import (
	"context"
	"sync"
)

const (
	choresAtOnce  = 32      // they wait for other nodes and for the registry, not for the processor
	choresWaiting = 1 << 16 // more are turned away
)

// chores run small pieces of work that nobody waits for, such as telling a kicked session. They come and go with the work:
// an idle node has no goroutine for them.
type chores struct {
	mu      sync.Mutex
	waiting []func()
	running int
	closed  bool
	idle    chan struct{} // closed when nothing runs any more after close
}

// do runs f soon and returns at once. It returns false, and f never runs, if too many wait or the chores are closed.
func (c *chores) do(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return false
	case c.running < choresAtOnce:
		c.running++
		go c.work(f)
	case len(c.waiting) < choresWaiting:
		c.waiting = append(c.waiting, f)
	default:
		return false
	}
	return true
}

func (c *chores) work(f func()) {
	for f != nil {
		f()
		f = c.next()
	}
}

func (c *chores) next() func() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) > 0 {
		f := c.waiting[0]
		c.waiting[0] = nil
		c.waiting = c.waiting[1:]
		return f
	}
	c.running--
	if c.running == 0 {
		c.waiting = nil
		if c.closed {
			close(c.idle)
		}
	}
	return nil
}

// close takes no more chores and waits until those it has are done, or ctx is.
func (c *chores) close(ctx context.Context) error {
	c.mu.Lock()
	if !c.closed {
		c.closed = true
		c.idle = make(chan struct{})
		if c.running == 0 {
			close(c.idle)
		}
	}
	c.mu.Unlock()
	select {
	case <-c.idle:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
