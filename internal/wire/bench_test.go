package wire_test

import (
	"strings"
	"testing"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// samples are frames as they are in life: a UserSig has about 200 characters, a resume ticket about 150 bytes.
var samples = map[string]wire.Frame{
	"login": &wire.Login{
		Request: 1, Version: wire.Version, App: 1400000001, User: "alice", Ticket: strings.Repeat("eJyrVgrx", 24),
		Platform: codes.PlatformAndroid, Instance: "8d1f0c5e7b2a4c19", Label: "Alice's Pixel", SDK: "tim-go/0.1.0",
	},
	"accepted": &wire.Accepted{
		Request: 1, Session: "s-41fa07", LoginSeq: 1767225600123000, ServerTime: 1767225600125, TicketExpires: 1767312000000,
		PingInterval: 25000, ReconnectWindow: 2000, ResumeTicket: make([]byte, 150),
	},
	"kicked": &wire.Kicked{
		Reason: codes.KickMultipleDevice, Code: codes.KickedOffline, ByPlatform: codes.PlatformIOS,
		ByLabel: "Alice's iPhone", At: 1767290000000,
	},
}

func BenchmarkAppend(b *testing.B) {
	for name, f := range samples {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			buf := make([]byte, 0, 4096)
			for b.Loop() {
				buf = wire.Append(buf[:0], f)
			}
			b.SetBytes(int64(len(buf)))
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for name, f := range samples {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			data := wire.Append(nil, f)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := wire.Decode(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
