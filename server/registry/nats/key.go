package nats

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/opentim/tim/server"
)

const conflictPause = 2 * time.Millisecond // doubled for each conflict, up to 32 ms; full jitter

// Revise changes the sessions of one user. While others keep changing the same key, it tries for half a second.
func (r *Registry) Revise(ctx context.Context, key server.UserKey, change revising) error {
	if err := r.usable(); err != nil {
		return err
	}
	what := "update a key"
	at := r.place(key)
	limited, cancel := context.WithTimeout(ctx, r.times.patience)
	defer cancel()
	leave, err := r.gates.enter(limited, at.subject)
	if err != nil {
		return r.unavailable(ctx, what, err)
	}
	defer leave()
	for try := 0; ; try++ {
		before, err := r.read(limited, key, at)
		if err != nil {
			return r.broken(ctx, what, err)
		}
		after, number, err := change(before.sessions, before.number)
		if err != nil {
			return err
		}
		r.index.wrote(key, after, r.node)
		err = r.write(limited, at, before.revision, after, number)
		r.index.wrote(key, after, r.node)
		if err == nil {
			r.index.read(key, after, r.node, r.index.written(key))
		}
		if err == nil || !conflict(err) {
			return r.broken(ctx, what, err)
		}
		r.conflicts.Add(1)
		select {
		case <-limited.Done():
			return r.unavailable(ctx, what, err)
		case <-time.After(rand.N(conflictPause << min(try, 4))):
		}
	}
}

// Sessions returns the sessions of one user.
func (r *Registry) Sessions(ctx context.Context, key server.UserKey) ([]server.Session, error) {
	if err := r.usable(); err != nil {
		return nil, err
	}
	limited, cancel := context.WithTimeout(ctx, r.times.patience)
	defer cancel()
	e, err := r.read(limited, key, r.place(key))
	if err != nil {
		return nil, r.broken(ctx, "read a key", err)
	}
	return e.sessions, nil
}

// broken is unavailable, for errors that may also be about a record.
func (r *Registry) broken(caller context.Context, what string, err error) error {
	var bad *recordError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &bad):
		return fmt.Errorf("%s: %w", what, err)
	}
	return r.unavailable(caller, what, err)
}

// A recordError is about a record that cannot be read or made. Trying again does not help.
type recordError struct{ err error }

func (e *recordError) Error() string { return e.err.Error() }
func (e *recordError) Unwrap() error { return e.err }

// An entry is what a key holds. Its revision is 0 if there is no trace of the key.
type entry struct {
	revision uint64
	sessions []server.Session
	number   uint64 // what Revise calls the key's revision: NATS's own starts anew with its streams
}

func (r *Registry) read(ctx context.Context, key server.UserKey, at place) (entry, error) {
	stream, err := r.stream(at.bucket)
	if err != nil {
		return entry{}, err
	}
	written := r.index.written(key)
	e, err := r.readFrom(ctx, stream, key, at)
	if err == nil {
		r.index.read(key, e.sessions, r.node, written)
	}
	return e, err
}

func (r *Registry) readFrom(ctx context.Context, stream jetstream.Stream, key server.UserKey, at place) (entry, error) {
	msg, err := within(ctx, func() (*jetstream.RawStreamMsg, error) { return stream.GetLastMsgForSubject(ctx, at.subject) })
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return entry{}, nil
	case err != nil:
		return entry{}, err
	case len(msg.Data) == 0: // removed
		return entry{revision: msg.Sequence, number: numberOf(msg.Header)}, nil
	}
	sessions, err := decodeSessions(key, msg.Data)
	if err != nil {
		return entry{}, &recordError{err}
	}
	return entry{msg.Sequence, sessions, numberOf(msg.Header)}, nil
}

// write stores sessions if the key is still at revision. No sessions leave a mark that goes by itself.
func (r *Registry) write(ctx context.Context, at place, revision uint64, sessions []server.Session, number uint64) error {
	msg := &nats.Msg{Subject: at.subject, Header: make(nats.Header)}
	setNumber(msg.Header, number)
	options := []jetstream.PublishOpt{
		jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0),
	}
	switch {
	case len(sessions) > 0:
		if !server.SessionsSorted(sessions) {
			sessions = slices.Clone(sessions)
			server.SortSessions(sessions)
		}
		var err error
		if msg.Data, err = encodeSessions(sessions); err != nil {
			return &recordError{err}
		}
	case revision == 0:
		return nil
	default:
		msg.Header.Set("KV-Operation", "PURGE")
		options = append(options, jetstream.WithMsgTTL(r.times.tombstone))
	}
	_, err := within(ctx, func() (*jetstream.PubAck, error) { return r.js.PublishMsg(ctx, msg, options...) })
	return err
}

// conflict reports whether somebody else changed the key first. A single server and a cluster have different codes for it.
func conflict(err error) bool {
	var api *jetstream.APIError
	return errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

// gates let one update of a user at a time through on this node: those of one user would only be in each other's way.
type gates [1024]chan struct{}

func newGates() (g gates) {
	for i := range g {
		g[i] = make(chan struct{}, 1)
	}
	return g
}

func (g *gates) enter(ctx context.Context, subject string) (leave func(), err error) {
	gate := g[hash(subject)%uint32(len(g))]
	select {
	case gate <- struct{}{}:
		return func() { <-gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
