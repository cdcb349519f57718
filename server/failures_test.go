package server

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestFiveFailuresAMinute(t *testing.T) {
	addr := netip.MustParseAddr("203.0.113.7")
	at := func(seconds int) time.Time { return testTime.Add(time.Duration(seconds) * time.Second) }
	fail := func(f *failures, times, second int) (blocked bool) {
		for range times {
			blocked = f.failed(addr, at(second))
		}
		return blocked
	}

	t.Run("then the address waits a minute", func(t *testing.T) {
		var f failures
		require.False(t, fail(&f, 4, 0))
		require.Zero(t, f.blocked(addr, at(10)))
		require.True(t, fail(&f, 1, 10))
		require.Equal(t, time.Minute, f.blocked(addr, at(10)))
		require.Equal(t, time.Second, f.blocked(addr, at(69)))
		require.Zero(t, f.blocked(addr, at(70)))
		require.False(t, fail(&f, 4, 70), "a new minute")
	})
	t.Run("but not if they are spread over more", func(t *testing.T) {
		var f failures
		require.False(t, fail(&f, 4, 0))
		require.False(t, fail(&f, 4, 60))
		require.False(t, fail(&f, 4, 120))
	})
	t.Run("but not if others from there succeed", func(t *testing.T) {
		var f failures
		for i := range 100 {
			require.False(t, fail(&f, 1, i/2))
			f.succeeded(addr)
		}
		require.True(t, fail(&f, 5, 50))
	})
	t.Run("successes earn only so much", func(t *testing.T) {
		var f failures
		fail(&f, 1, 0)
		for range 10_000 {
			f.succeeded(addr)
		}
		require.True(t, fail(&f, failuresCredit, 1))
	})
	t.Run("other addresses do not suffer", func(t *testing.T) {
		var f failures
		fail(&f, 5, 0)
		require.Zero(t, f.blocked(netip.MustParseAddr("203.0.113.8"), at(1)))
		require.NotZero(t, f.blocked(netip.MustParseAddr("::ffff:203.0.113.7"), at(1)), "the same in another form")
	})
	t.Run("an IPv6 network of 64 bits is one address", func(t *testing.T) {
		var f failures
		for _, a := range []string{"2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4%eth0", "2001:db8:0:0:ffff::"} {
			f.failed(netip.MustParseAddr(a), at(0))
		}
		require.NotZero(t, f.blocked(netip.MustParseAddr("2001:db8::6"), at(1)))
		require.Zero(t, f.blocked(netip.MustParseAddr("2001:db8:0:1::6"), at(1)))
	})
	t.Run("a client without an address is not limited", func(t *testing.T) {
		var f failures
		for range 10 {
			require.False(t, f.failed(netip.Addr{}, at(0)))
		}
		require.Zero(t, f.blocked(netip.Addr{}, at(0)))
	})
	t.Run("memory is bounded, and given back", func(t *testing.T) {
		var f failures
		for i := range uint32(failuresMax + 1000) {
			f.failed(netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, i))), at(0))
		}
		require.Len(t, f.seen, failuresMax)
		f.tidy(at(59))
		require.Len(t, f.seen, failuresMax)
		f.tidy(at(60))
		require.Empty(t, f.seen)
	})
}
