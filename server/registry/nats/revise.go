package nats

import (
	"context"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/opentim/tim/server"
)

type revising = func([]server.Session, uint64) ([]server.Session, uint64, error)

// Update is Revise for who needs no revisions.
func (r *Registry) Update(ctx context.Context, key server.UserKey, change func([]server.Session) ([]server.Session, error)) error {
	return r.Revise(ctx, key, func(sessions []server.Session, number uint64) ([]server.Session, uint64, error) {
		after, err := change(sessions)
		return after, number, err
	})
}

// numberHeader is beside the sessions, so that a removed key can have it, too, and nodes that do not know of it read the rest.
const numberHeader = "Tim-Revision"

func setNumber(h nats.Header, number uint64) {
	if number > 0 {
		h.Set(numberHeader, strconv.FormatUint(number, 10))
	}
}

func numberOf(h nats.Header) uint64 {
	number, _ := strconv.ParseUint(h.Get(numberHeader), 10, 64) // 0 if there is none
	return number
}
