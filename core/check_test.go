package core

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAURLWithoutAPathAsksWhereServersAnswer(t *testing.T) {
	for _, tt := range []struct{ url, want string }{
		{"wss://tim.example.com", "wss://tim.example.com/tim"},
		{"ws://127.0.0.1:7700/", "ws://127.0.0.1:7700/tim"},
		{"wss://example.com/chat/tim?region=eu", "wss://example.com/chat/tim?region=eu"},
		{"wss://tim.example.com?region=eu", "wss://tim.example.com/tim?region=eu"},
		{"no url at all", "no url at all"},
		{"", ""},
	} {
		require.Equal(t, tt.want, withPath(tt.url))
	}
}
