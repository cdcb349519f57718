//go:build linux

package baddays

import (
	"time"

	"github.com/Shopify/toxiproxy/v2/stream"
	"github.com/Shopify/toxiproxy/v2/toxics"
)

// A hold is a proxy that passes data on when it has enough of it, or when it has waited long enough.
type hold struct {
	Bytes  int   `json:"bytes"`
	Millis int64 `json:"millis"`
}

func init() { toxics.Register("hold", new(hold)) }

func (h *hold) Pipe(stub *toxics.ToxicStub) {
	var held []byte
	var due <-chan time.Time
	pass := func() {
		if len(held) > 0 {
			stub.Output <- &stream.StreamChunk{Data: held, Timestamp: time.Now()}
		}
		held, due = nil, nil
	}
	for {
		select {
		case <-stub.Interrupt:
			pass()
			return
		case <-due:
			pass()
		case c := <-stub.Input:
			if c == nil {
				pass()
				stub.Close()
				return
			}
			if held = append(held, c.Data...); due == nil {
				due = time.After(time.Duration(h.Millis) * time.Millisecond)
			}
			if len(held) >= h.Bytes {
				pass()
			}
		}
	}
}
