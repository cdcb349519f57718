package gateway

import (
	"log/slog"
	"sync/atomic"

	"golang.org/x/time/rate"
)

// noise logs what strangers do wrong: a line each, but not so many that the log becomes their weapon.
type noise struct {
	log     *slog.Logger
	limiter *rate.Limiter
	dropped atomic.Int64
}

func newNoise(log *slog.Logger) *noise { return &noise{log: log, limiter: rate.NewLimiter(20, 200)} }

func (n *noise) info(message string, args ...any)  { n.line(n.log.Info, message, args) }
func (n *noise) warn(message string, args ...any)  { n.line(n.log.Warn, message, args) }
func (n *noise) error(message string, args ...any) { n.line(n.log.Error, message, args) }

func (n *noise) line(write func(string, ...any), message string, args []any) {
	if !n.limiter.Allow() {
		n.dropped.Add(1)
		return
	}
	if left := n.dropped.Swap(0); left > 0 {
		args = append(args, "lines_left_out", left)
	}
	write(message, args...)
}
