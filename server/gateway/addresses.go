package gateway

import (
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/opentim/tim/server"
)

// addresses count what each client address has open, and how fast it opens more.
type addresses struct {
	most    int // 0 is no bound
	rate    *server.Limiter[netip.Addr]
	proxies []netip.Prefix

	mu   sync.Mutex
	open map[netip.Addr]int
}

func newAddresses(o Options) *addresses {
	return &addresses{
		most: o.AddressConnections, rate: server.NewLimiter[netip.Addr](o.AddressRate, int(10*o.AddressRate)),
		proxies: o.TrustedProxies, open: make(map[netip.Addr]int),
	}
}

// limited reports whether addr is a client's that counts.
func (a *addresses) limited(addr netip.Addr) bool {
	return (a.most > 0 || a.rate != nil) && addr.IsValid() && !addr.IsLoopback() && !trusts(a.proxies, addr)
}

// enter counts a connection of addr, unless there are too many: then it says so in words. leave must follow.
func (a *addresses) enter(addr netip.Addr) (tooMany string) {
	addr = server.Network(addr)
	if a.rate.Take(addr, time.Now()) > 0 {
		return "too many new connections from one address"
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.most > 0 && a.open[addr] >= a.most {
		return "too many connections from one address"
	}
	a.open[addr]++
	return ""
}

func (a *addresses) leave(addr netip.Addr) {
	addr = server.Network(addr)
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[addr]--; a.open[addr] == 0 {
		delete(a.open, addr)
	}
}

func trusts(proxies []netip.Prefix, addr netip.Addr) bool {
	return slices.ContainsFunc(proxies, func(p netip.Prefix) bool { return p.Contains(addr) })
}

// count counts c for its address and reports whether it may stay.
func (c *conn) count() bool {
	if !c.g.addresses.limited(c.remote) {
		return true
	}
	if tooMany := c.g.addresses.enter(c.remote); tooMany != "" {
		c.g.counts.turnedAway.Add(1)
		c.g.noise.warn(tooMany+": one was closed", "client", c.remote)
		return false
	}
	c.mu.Lock()
	c.counted = c.phase != closed
	gone := !c.counted
	c.mu.Unlock()
	if gone {
		c.g.addresses.leave(c.remote)
	}
	return true
}

// flooding counts a frame and reports whether the client sends too many. The reader calls it.
func (c *conn) flooding() bool {
	const seconds = 10
	if now := uint32(time.Now().Unix()); now-c.since >= seconds {
		c.since, c.frames = now, 0
	}
	c.frames++
	return c.frames > uint32(c.g.o.FramesPerSecond*seconds)
}
