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
	before, err := r.glance(limited, key, at)
	for try := 0; err == nil; {
		after, number, decided := change(before.sessions, before.number)
		if decided != nil || before.revision == 0 && len(after) == 0 { // no write follows that would find out what is newer
			if before.certain {
				return decided
			}
			seen := before.revision
			if before, err = r.read(limited, key, at); err == nil && before.revision == seen {
				return decided
			}
			continue
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
		if before.certain { // somebody else is busy with the key
			select {
			case <-limited.Done():
				return r.unavailable(ctx, what, err)
			case <-time.After(rand.N(conflictPause << min(try, 4))):
			}
			try++
		}
		before, err = r.read(limited, key, at)
	}
	return r.broken(ctx, what, err)
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

// write stores sessions if the key is still at revision. No sessions leave a mark that goes by itself.
func (r *Registry) write(ctx context.Context, at place, revision uint64, sessions []server.Session, number uint64) error {
	msg := &nats.Msg{Subject: at.subject, Header: make(nats.Header)}
	setNumber(msg.Header, number)
	options := []jetstream.PublishOpt{
		jetstream.WithExpectLastSequencePerSubject(revision), jetstream.WithRetryAttempts(0),
	}
	if len(sessions) == 0 {
		msg.Header.Set("KV-Operation", "PURGE")
		options = append(options, jetstream.WithMsgTTL(r.times.tombstone))
	} else {
		if !server.SessionsSorted(sessions) {
			sessions = slices.Clone(sessions)
			server.SortSessions(sessions)
		}
		var err error
		if msg.Data, err = encodeSessions(sessions); err != nil {
			return &recordError{err}
		}
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
