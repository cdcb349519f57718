package gateway

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"strings"
)

// clientAddr returns the address of the client behind peer. Only a trusted proxy is believed; of a chain of proxies the last
// address that is not trusted counts, because anybody can write what stands before it.
func clientAddr(peer netip.Addr, header http.Header, trusted []netip.Prefix) netip.Addr {
	if !trusts(trusted, peer) {
		return peer
	}
	chain := strings.Split(strings.Join(header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(chain) {
		addr, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			return peer
		}
		if peer = addr.Unmap(); !trusts(trusted, peer) {
			return peer
		}
	}
	return peer
}

// checkOrigin returns what the Upgrader asks: whether the page that a browser names may connect.
func checkOrigin(allowed []string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		origin := r.Header.Get("Origin")
		if origin == "" {
			return true
		}
		for _, a := range allowed {
			if a == "*" || strings.EqualFold(a, origin) {
				return true
			}
		}
		u, err := url.Parse(origin)
		return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
	}
}
