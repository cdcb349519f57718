package admin

import (
	"context"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestACallerWhoHangsUpDoesNotStopAKickHalfway(t *testing.T) {
	caller, hangUp := context.WithCancel(t.Context())
	ctx, cancel := byName["im_open_login_svc/kick"].within(httptest.NewRequestWithContext(caller, "POST", "/", nil))
	defer cancel()
	hangUp()
	require.NoError(t, ctx.Err())
	_, bounded := ctx.Deadline()
	require.True(t, bounded)
}
