package admin_test

import (
	"io"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

func TestMetricsCountWhatHappensAndNameNobody(t *testing.T) {
	w := newWorld(t)
	first, _ := w.login("alice", codes.PlatformIOS, "i1")
	_, grant := w.login("alice", codes.PlatformIOS, "i2") // kicks i1
	require.Eventually(t, func() bool { return len(first.reasons()) == 1 }, patience, time.Millisecond)
	_, err := w.measured.Login(t.Context(), new(phone), server.LoginRequest{App: app, User: "mallory", Ticket: ticket(t, "alice"), Platform: codes.PlatformIOS, Instance: "i"})
	require.ErrorIs(t, err, codes.TicketUserMismatch)
	_, err = w.measured.Renew(t.Context(), grant.Held, ticket(t, "alice"))
	require.NoError(t, err)
	w.measured.Lost(grant.Held)
	back, err := w.measured.Resume(t.Context(), new(phone), grant.ResumeTicket)
	require.NoError(t, err)
	w.ok("im_open_login_svc/kick", `{"UserID":"alice"}`)
	require.NoError(t, w.measured.Logout(t.Context(), back.Held))
	w.login("bob", codes.PlatformWeb, "w1")
	w.call("tim_admin/unban", `{"UserID":"nobody"}`)

	r := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	for _, line := range []string{
		`tim_logins_total{code="0"} 3`,
		`tim_logins_total{code="70013"} 1`,
		`tim_resumes_total{code="0"} 1`,
		`tim_renewals_total{code="0"} 1`,
		`tim_kicks_total{reason="multiple_account"} 1`,
		`tim_kicks_total{reason="rest_api"} 1`,
		`tim_kicks_total{reason="multiple_device"} 0`,
		`tim_lost_total 1`,
		`tim_logouts_total 1`,
		`tim_login_seconds_count 5`,
		`tim_sessions_online{platform="ios"} 0`,
		`tim_sessions_online{platform="web"} 1`,
		`tim_store_commit_seconds_count{operation="arrive"} 2`,
		`tim_store_commit_seconds_count{operation="revoke"} 1`,
		`tim_rest_requests_total{code="0",command="im_open_login_svc/kick"} 1`,
		`tim_rest_requests_total{code="70107",command="tim_admin/unban"} 1`,
		`tim_build_info{version="` + codes.Version + `"} 1`,
	} {
		require.Contains(t, string(body), line+"\n")
	}
	require.NotContains(t, string(body), "alice")
	require.NotContains(t, string(body), "nobody")
	require.NotRegexp(t, `tim_store_errors_total\{.*\} [1-9]`, string(body), "that an account is not there is an answer")
}
