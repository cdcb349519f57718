package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A place that was left never finds anybody again, however often its number is used.
func TestPlacesAreFenced(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s seats
		here, left := map[place]*conn{}, map[place]bool{}
		t.Repeat(map[string]func(*rapid.T){
			"take": func(*rapid.T) {
				c := new(conn)
				s.take(c)
				p := c.place
				require.NotContains(t, here, p)
				require.NotContains(t, left, p)
				here[p] = c
			},
			"leave": func(*rapid.T) {
				for p := range here {
					s.leave(p)
					delete(here, p)
					left[p] = true
					return
				}
			},
			"leave again": func(*rapid.T) {
				for p := range left {
					s.leave(p)
					return
				}
			},
			"": func(*rapid.T) {
				for p, c := range here {
					require.Same(t, c, s.at(p))
				}
				for p := range left {
					require.Nil(t, s.at(p))
				}
				require.Len(t, s.all(), len(here))
			},
		})
		require.Nil(t, s.at(place{number: 1 << 30}))
	})
}
