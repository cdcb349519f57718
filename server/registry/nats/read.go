package nats

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/opentim/tim/server"
)

// After a glance that took longer than glanceTime there are none for glancePause: the server that should have answered may
// hang, and the leader not.
const (
	glanceTime  = 250 * time.Millisecond
	glancePause = 5 * time.Second
)

// An entry is what a key holds. Its revision is 0 if there is no trace of the key.
type entry struct {
	revision uint64
	sessions []server.Session
	number   uint64 // what Revise calls the key's revision: NATS's own starts anew with its streams
	certain  bool   // the leader said so: every write that was acknowledged before is in it
}

// glance returns what any replica knows of a key: mostly that of the server to which this node is connected, which costs less
// than to ask the leader. It may be behind, so it is good for what a compare-and-swap follows, and for nothing else. Where no
// replica answers, it is a read.
func (r *Registry) glance(ctx context.Context, key server.UserKey, at place) (entry, error) {
	if time.Now().UnixNano() < r.noGlance.Load() {
		return r.read(ctx, key, at)
	}
	limited, cancel := context.WithTimeout(ctx, glanceTime)
	defer cancel()
	msg, err := within(limited, func() (*jetstream.RawStreamMsg, error) { return r.look(limited, at) })
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return entry{}, nil
	case err == nil:
		if e, err := toEntry(key, msg.Sequence, msg.Header, msg.Data); err == nil {
			return e, nil
		}
	case limited.Err() != nil:
		r.noGlance.Store(time.Now().Add(glancePause).UnixNano())
	}
	return r.read(ctx, key, at)
}

// lookAtReplica is what look is, but for tests.
func (r *Registry) lookAtReplica(ctx context.Context, at place) (*jetstream.RawStreamMsg, error) {
	stream, err := r.stream(at.bucket)
	if err != nil {
		return nil, err
	}
	return stream.GetLastMsgForSubject(ctx, at.subject)
}

// read asks the bucket's leader, and lets the index know.
func (r *Registry) read(ctx context.Context, key server.UserKey, at place) (entry, error) {
	written := r.index.written(key)
	msg, err := within(ctx, func() (*nats.RawStreamMsg, error) {
		return r.leaders.GetLastMsg(r.streamName(at.bucket), at.subject, nats.Context(ctx))
	})
	var e entry
	switch {
	case errors.Is(err, nats.ErrMsgNotFound):
	case err != nil:
		return entry{}, err
	default:
		if e, err = toEntry(key, msg.Sequence, msg.Header, msg.Data); err != nil {
			return entry{}, &recordError{err}
		}
	}
	e.certain = true
	r.index.read(key, e.sessions, r.node, written)
	return e, nil
}

func toEntry(key server.UserKey, revision uint64, header nats.Header, data []byte) (e entry, err error) {
	e.revision, e.number = revision, numberOf(header)
	if len(data) > 0 { // otherwise it was removed
		e.sessions, err = decodeSessions(key, data)
	}
	return e, err
}
