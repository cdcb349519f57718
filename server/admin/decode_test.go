package admin

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

// A helper of testify costs more than decode does, so the fuzzer compares by itself.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		``, `{}`, `null`, `[]`, `{"DeleteItem":[{"UserID":"a"}]}`, `{"DeleteItem":[{"UserID":7}]}`, `{"a":"\"[[["}`, `{"a":"\\"}`, `{}{}`,
		strings.Repeat("[", 40), strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20), "\x00", `{"DeleteItem":"\ud800"}`,
	} {
		f.Add([]byte(body), true)
		f.Add([]byte(body), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, strict bool) {
		var in deleteRequest
		err := decode(body, &in, common, strict)
		if err == nil {
			require.True(t, json.Valid(body))
			require.LessOrEqual(t, depth(t, body), maxDepth)
			return
		}
		st := common.statusOf(err)
		require.Contains(t, []codes.Code{codes.BadJSON, codes.InvalidRequest}, st.ErrorCode)
		require.NotEmpty(t, st.ErrorInfo)
	})
}

// depth measures what the parser of the standard library finds.
func depth(t *testing.T, body []byte) (deepest int) {
	t.Helper()
	reader := json.NewDecoder(strings.NewReader(string(body)))
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

func TestACallerWhoHangsUpDoesNotStopAKickHalfway(t *testing.T) {
	caller, hangUp := context.WithCancel(t.Context())
	ctx, cancel := byName["im_open_login_svc/kick"].within(httptest.NewRequestWithContext(caller, "POST", "/", nil))
	defer cancel()
	hangUp()
	require.NoError(t, ctx.Err())
	_, bounded := ctx.Deadline()
	require.True(t, bounded)
}
