package core

// Deliver runs f like the Listener: in the delivery goroutine, after everything told so far and before everything told
// later. It reports false, and f never runs, if the client is closed or 1,024 answers and such functions wait already.
//
// It is for bindings whose hosts know one thread only: their TicketProvider asks the host through it.
func (c *Client) Deliver(f func()) bool {
	if c.outbox == nil {
		return false
	}
	if c.calls.Add(1) > maxCalls {
		c.calls.Add(-1)
		return false
	}
	if !c.outbox.insert(&call{client: c, done: func(outcome) { f() }}) {
		c.calls.Add(-1)
		return false
	}
	return true
}

// insert adds what does not come from the engine, unless the last event was added.
func (o *outbox) insert(k *call) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.last {
		return false
	}
	o.add(item{call: k})
	return true
}
