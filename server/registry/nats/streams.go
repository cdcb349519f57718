package nats

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	streamTime    = 5 * time.Second // to make or find one stream
	streamsAtOnce = 8
	repairPause   = time.Second
)

// A bucket is the stream that holds some of the keys, or nil before it was found.
type bucket struct {
	stream atomic.Pointer[jetstream.Stream]
}

// bucketMissing reports whether an error says that there is no such stream.
func bucketMissing(err error) bool {
	return errors.Is(err, jetstream.ErrStreamNotFound) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.Is(err, nats.ErrStreamNotFound) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, errNoBucket)
}

var errNoBucket = errors.New("the bucket was not found yet")

func (r *Registry) stream(i int) (jetstream.Stream, error) {
	s := r.streams[i].stream.Load()
	if s == nil {
		return nil, errNoBucket
	}
	return *s, nil
}

func (r *Registry) streamConfig(i int) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: r.streamName(i), Subjects: []string{r.bucketPrefix(i) + ">"}, Description: "tim: the sessions of users",
		Storage: jetstream.MemoryStorage, Replicas: r.o.Replicas, Discard: jetstream.DiscardNew,
		MaxMsgsPerSubject: 1, DenyDelete: true, AllowRollup: true, AllowMsgTTL: true,
		AllowDirect: true, // glances
	}
}

// makeStreams finds or makes all streams, and tries until ctx ends. It says what it waits for: after a second, and then ever
// less often.
func (r *Registry) makeStreams(ctx context.Context) error {
	began, say := time.Now(), time.Second
	for {
		err := r.makeStreamsOnce(ctx)
		if err == nil {
			return nil
		}
		if waited := time.Since(began); waited >= say {
			r.o.Logger.Warn("registry: waiting for NATS", "url", Masked(r.o.URL), "error", err)
			say = waited + min(waited, time.Minute)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited %v for NATS at %s: %w", time.Since(began).Round(time.Second), Masked(r.o.URL), err)
		case <-time.After(repairPause/2 + rand.N(repairPause)):
		}
	}
}

func (r *Registry) makeStreamsOnce(ctx context.Context) error {
	if !r.linked.Load() {
		err := r.conn.LastError()
		if last := r.refusal.Load(); err == nil && last != nil {
			err = *last
		}
		if err == nil {
			err = errors.New("it does not answer")
		}
		return fmt.Errorf("no connection: %w", err)
	}
	var wait sync.WaitGroup
	var next atomic.Int32
	errs := make([]error, streamsAtOnce)
	for worker := range errs {
		wait.Go(func() {
			for i := int(next.Add(1) - 1); i < buckets && errs[worker] == nil; i = int(next.Add(1) - 1) {
				errs[worker] = r.makeStream(ctx, i)
			}
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// makeStream finds a stream, makes it if it is not there, and changes one that was made otherwise.
func (r *Registry) makeStream(ctx context.Context, i int) error {
	ctx, cancel := context.WithTimeout(ctx, streamTime)
	defer cancel()
	config := r.streamConfig(i)
	s, err := r.js.Stream(ctx, config.Name)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if s, err = r.js.CreateStream(ctx, config); errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another node was faster
			s, err = r.js.Stream(ctx, config.Name)
		}
	case err == nil && (s.CachedInfo().Config.Replicas != config.Replicas || !s.CachedInfo().Config.AllowDirect):
		s, err = r.js.UpdateStream(ctx, config)
	}
	if err != nil {
		return fmt.Errorf("bucket %s: %w%s", r.bucketName(i), err, advice(err))
	}
	r.streams[i].stream.Store(&s)
	return nil
}

// advice says what to do about an answer that waiting does not change, where the answer itself does not.
func advice(err error) string {
	const notClustered, noPeers = 10074, 10005 // JSStreamReplicasNotSupportedErr, JSClusterNoPeersErr
	var answer *jetstream.APIError
	switch {
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrJetStreamNotEnabled):
		return "; is JetStream on? (nats-server -js)"
	case errors.As(err, &answer) && (answer.ErrorCode == notClustered || answer.ErrorCode == noPeers):
		return "; that many replicas need as many nats-servers in one cluster"
	}
	return ""
}

// repairSoon has the buckets looked for, because one may be missing: a NATS that restarts has lost them.
func (r *Registry) repairSoon() {
	select {
	case r.repair <- struct{}{}:
	default:
	}
}

func (r *Registry) repairLoop() {
	for {
		select {
		case <-r.life.Done():
			return
		case <-r.repair:
			if err := r.makeStreams(r.life); err != nil {
				return // closed
			}
		}
		select { // not more often than this
		case <-r.life.Done():
			return
		case <-time.After(repairPause):
		}
	}
}
