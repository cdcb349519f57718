package main

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

func TestWaitsAreSpreadOverTheWindow(t *testing.T) {
	for _, c := range []struct {
		name  string
		phone phone
		want  time.Duration // the longest
	}{
		{"without a window", phone{}, waitBase},
		{"without a window, after failures", phone{failures: 3}, 8 * waitBase},
		{"after many failures", phone{failures: 60}, waitMost},
		{"with a window", phone{window: 5 * time.Second}, 5 * time.Second},
		{"with a window, after a failure", phone{window: 5 * time.Second, failures: 1}, 10 * time.Second},
		{"with a window longer than all waits", phone{window: time.Minute, failures: 2}, time.Minute},
	} {
		require.Equal(t, c.want, c.phone.longestWait(), c.name)
		var longest time.Duration
		for range 2000 {
			d := c.phone.wait(0, true)
			require.GreaterOrEqual(t, d, waitLeast, c.name)
			longest = max(longest, d)
		}
		require.LessOrEqual(t, longest, c.want, c.name)
		require.Greater(t, longest, c.want*9/10, c.name)
	}
}

func TestWhatAClientDoesAfterAFailure(t *testing.T) {
	refusal := func(code codes.Code, retryAfter int64) error {
		return &refusedError{&wire.Refused{Code: code, RetryAfter: retryAfter}}
	}
	for _, c := range []struct {
		name    string
		err     error
		counted bool          // doubles the window
		wait    time.Duration // exactly, if the server said so
		forgets bool          // its resume ticket
		stops   bool
	}{
		{name: "finds no server", err: fmt.Errorf("dial: %w", syscall.ECONNREFUSED)},
		{name: "is cut off", err: errors.New("EOF"), counted: true},
		{name: "is asked to come back later", err: refusal(codes.Overloaded, 4000), counted: true, wait: 4 * time.Second},
		{name: "has a resume ticket that is of no use", err: refusal(codes.TicketUnreadable, 0), counted: true, forgets: true},
		{name: "was kicked", err: refusal(codes.KickedOffline, 0), stops: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &phone{user: "u", resume: []byte("resume"), window: time.Second}
			delay, err := new(herd).afterFailure(p, c.err)
			require.Equal(t, c.counted, p.failures == 1)
			require.Equal(t, c.forgets, p.resume == nil)
			if c.wait != 0 {
				require.Equal(t, c.wait, delay)
			}
			if c.stops {
				require.ErrorIs(t, err, codes.KickedOffline)
				return
			}
			require.NoError(t, err)
			require.GreaterOrEqual(t, delay, waitLeast)
		})
	}
}

func TestADeafClientComesBackWhateverItWasTold(t *testing.T) {
	p := &phone{window: time.Hour, failures: 5, deaf: true}
	require.Equal(t, waitLeast, p.wait(time.Minute, false))
}
