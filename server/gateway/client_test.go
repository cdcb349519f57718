package gateway

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestOnlyTrustedProxiesAreBelieved(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"a client says something about itself", "203.0.113.9", []string{"1.1.1.1"}, "203.0.113.9"},
		{"a proxy says nothing", "10.0.0.1", nil, "10.0.0.1"},
		{"a proxy names its client", "10.0.0.1", []string{"203.0.113.9"}, "203.0.113.9"},
		{"a client lied to the proxy", "10.0.0.1", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{"two proxies", "10.0.0.1", []string{"203.0.113.9, 10.0.0.2"}, "203.0.113.9"},
		{"two proxies, two fields", "10.0.0.1", []string{"1.1.1.1, 203.0.113.9", "10.0.0.2"}, "203.0.113.9"},
		{"only proxies", "10.0.0.1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"IPv6", "fd00::1", []string{"2001:db8::5"}, "2001:db8::5"},
		{"IPv4 in IPv6", "10.0.0.1", []string{"::ffff:203.0.113.9"}, "203.0.113.9"},
		{"nonsense", "10.0.0.1", []string{"unknown"}, "10.0.0.1"},
		{"nonsense before the truth", "10.0.0.1", []string{"unknown, 203.0.113.9"}, "203.0.113.9"},
	} {
		header := http.Header{"X-Forwarded-For": c.forwarded}
		require.Equal(t, c.want, clientAddr(netip.MustParseAddr(c.peer), header, trusted).String(), c.name)
	}
}
