package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/internal/wire"
)

// A target is a server and what its clients say to it.
type target struct {
	*server
	messages [][]byte // messages[i] signs user i in
	requests [][]byte // requests[i] carries that into the handshake; nil sends it after the handshake
	check    func(sent []byte, op byte, answer []byte) error
	users    atomic.Uint64
}

// nextUser goes through all users, again and again.
func (t *target) nextUser() int { return int(t.users.Add(1) % uint64(len(t.messages))) }

// signIn connects, upgrades and signs user i in. After an error the link is closed.
func (t *target) signIn(ctx context.Context, l *link, i int) error {
	request := t.request
	if t.requests != nil {
		request = t.requests[i]
	}
	if err := l.open(ctx, t.dialer, request); err != nil {
		return err
	}
	if err := t.converse(l, t.messages[i]); err != nil {
		l.hangUp()
		return err
	}
	return nil
}

func (t *target) converse(l *link, message []byte) error {
	if !l.taken {
		if _, err := l.conn.Write(message); err != nil {
			return err
		}
	}
	op, answer, err := l.read()
	if err != nil {
		return err
	}
	return t.check(message, op, answer)
}

// signInAll signs users 0 to n-1 in once, workers at a time, and hangs up.
func (t *target) signInAll(ctx context.Context, workers, n int) error {
	return inParallel(ctx, workers, n, func(ctx context.Context, i int) error {
		l := newLink()
		if err := t.signIn(ctx, l, i); err != nil {
			return fmt.Errorf("%s: sign user %d in: %w", t.name, i, err)
		}
		l.hangUp()
		return nil
	})
}

// A usage is CPU time used so far.
type usage struct {
	at                     time.Time
	server, client, others time.Duration
}

// used returns what the server, this process and everything else on the machine have used.
func (t *target) used() (u usage, err error) {
	all, err := busyTime()
	if err != nil {
		return u, err
	}
	if u.server, err = cpuOf(t.child.pid()); err != nil {
		return u, err
	}
	if u.client, err = cpuOf(os.Getpid()); err != nil {
		return u, err
	}
	u.at, u.others = time.Now(), all-u.server-u.client
	return u, nil
}

// since returns what was used between then and u.
func (u usage) since(then usage) (took time.Duration, used usage) {
	return u.at.Sub(then.at), usage{server: u.server - then.server, client: u.client - then.client, others: u.others - then.others}
}

func checkAccepted(_ []byte, op byte, answer []byte) error {
	_, err := acceptedIn(op, answer)
	return err
}

// acceptedIn reads the answer to a login or a resume.
func acceptedIn(op byte, answer []byte) (*wire.Accepted, error) {
	if op != opBinary {
		return nil, fmt.Errorf("a message of type %d instead of a frame", op)
	}
	frame, err := wire.Decode(answer)
	if err != nil {
		return nil, err
	}
	switch f := frame.(type) {
	case *wire.Accepted:
		return f, nil
	case *wire.Refused:
		return nil, &refusedError{f}
	}
	return nil, fmt.Errorf("a frame of kind %d instead of an answer", frame.Kind())
}

// A refusedError is the server's no.
type refusedError struct{ *wire.Refused }

func (e *refusedError) Error() string { return fmt.Sprintf("refused: %d %s", e.Code, e.Text) }
func (e *refusedError) Unwrap() error { return e.Code }

func checkEcho(sent []byte, op byte, answer []byte) error {
	if op != opBinary || !bytes.HasSuffix(sent, answer) {
		return fmt.Errorf("no echo, but a message of type %d with %d bytes", op, len(answer))
	}
	return nil
}

// manyConnects returns the messages that connect users 0 to n-1 to the centrifuge baseline.
func manyConnects(n int) [][]byte {
	messages := make([][]byte, n)
	for i := range messages {
		command := fmt.Appendf(nil, `{"id":1,"connect":{"token":%q}}`, jwtFor(userName(i)))
		messages[i] = appendMessage(nil, opText, command)
	}
	return messages
}

func checkConnected(_ []byte, op byte, answer []byte) error {
	if op != opText || !bytes.Contains(answer, []byte(`"connect":{"client"`)) {
		return fmt.Errorf("not connected: %s", answer)
	}
	return nil
}

// inParallel calls do for 0 to n-1, at most workers at a time. The first error stops it and is returned.
func inParallel(ctx context.Context, workers, n int, do func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := do(ctx, i); err != nil {
					stop(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}

// pause waits for d, or returns ctx's error if that ends first.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
