package main

/*
#include "tim_internal.h"
*/
import "C"

import (
	"context"
	"fmt"
	"sync"

	"github.com/opentim/tim/codes"
)

// A tickets keeps the questions of a client's ticket provider that wait for tim_provide_ticket.
type tickets struct {
	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan string // each holds one answer
}

// askForTicket is core's TicketProvider. It asks the host in a callback and waits until an answer came or is of
// no use any more.
func (c *client) askForTicket(ctx context.Context, userID string) (string, error) {
	request, answer := c.tickets.ask()
	defer c.tickets.forget(request)
	C.tim_tell_question(c.slot, c.handle, C.uint64_t(request), text(userID))
	select {
	case ticket := <-answer:
		if ticket == "" {
			return "", fmt.Errorf("ticket provider: no ticket now: %w", codes.Canceled)
		}
		return ticket, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (t *tickets) ask() (request uint64, answer <-chan string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.waiting == nil {
		t.waiting = make(map[uint64]chan string)
	}
	t.last++
	ch := make(chan string, 1)
	t.waiting[t.last] = ch
	return t.last, ch
}

func (t *tickets) forget(request uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, request)
}

// provide answers a question. Each takes one answer, and none when its time is over.
func (t *tickets) provide(request uint64, ticket string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	answer, ok := t.waiting[request]
	if !ok {
		return codes.InvalidOperation
	}
	delete(t.waiting, request)
	answer <- ticket
	return nil
}
