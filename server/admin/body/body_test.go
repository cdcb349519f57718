package body

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A request is like those of the commands.
type request struct {
	Items []struct{ UserID string }
	Count int            `json:",omitempty"`
	Limit map[string]int `json:",omitempty"`
	Whole *int64         `json:",omitempty"`
}

func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `{"Items":[{"UserID":"a"}]}`, `{"Items":[{"UserID":7}]}`, `{"a":"\"[[["}`, `{"a":"\\"}`, `{}{}`, `{"Count":1.5}`,
		strings.Repeat("[", 40), strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20), "\x00", `{"Items":"\ud800"}`, `{"Limit":{"web":1e99}}`,
	} {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
	f.Fuzz(func(t *testing.T, text []byte, strict bool) { // without testify, which costs more than Decode
		var in request
		err := Decode(text, &in, strict)
		if err == nil {
			if !json.Valid(text) || depth(text) > MaxDepth {
				t.Fatalf("%q is taken", text)
			}
			return
		}
		var wrong *Mistake
		if !errors.As(err, &wrong) || wrong.Text == "" {
			t.Fatalf("%q: %v", text, err)
		}
		if !wrong.InAField && strings.HasSuffix(wrong.Text, "is not JSON") && json.Valid(text) {
			t.Fatalf("%q is JSON", text)
		}
	})
}

// depth measures what the parser of the standard library finds.
func depth(text []byte) (deepest int) {
	reader := json.NewDecoder(strings.NewReader(string(text)))
	level := 0
	for {
		token, err := reader.Token()
		if err != nil {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			level++
		case json.Delim('}'), json.Delim(']'):
			level--
		}
		deepest = max(deepest, level)
	}
}

func TestTheDepthIsCountedOutsideStrings(t *testing.T) {
	for body, want := range map[string]bool{
		`[[1]]`: false, `[[[1]]]`: true, `["[[[["]`: false, `["\"[[[["]`: false, `["\\",[[1]]]`: true, `[1],[2],[3]`: false,
	} {
		require.Equal(t, want, deeper([]byte(body), 2), body)
	}
}
