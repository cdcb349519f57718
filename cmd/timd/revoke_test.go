//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/store/postgres/pgtest"
	"github.com/opentim/tim/usersig"
)

// rest sends a command to a node as the administrator root and returns the code of the answer.
func (p *process) rest(t *testing.T, ticket, command, body string) codes.Code {
	t.Helper()
	var status struct{ ErrorCode codes.Code }
	answer := p.answerOf(t, ticket, command, body)
	require.NoError(t, json.Unmarshal([]byte(answer), &status), "%s", answer)
	return status.ErrorCode
}

// answerOf is rest, with the whole answer.
func (p *process) answerOf(t *testing.T, ticket, command, body string) string {
	t.Helper()
	base := strings.Replace(strings.TrimSuffix(p.Endpoint, "/tim"), "ws://", "http://", 1)
	res, err := http.Post(fmt.Sprintf("%s/v4/%s?sdkappid=5&identifier=root&usersig=%s&random=1&contenttype=json", base, command, ticket),
		"application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return string(answer)
}

// answer logs in on a node and returns what it is told, 0 for an acceptance.
func (p *process) answer(t *testing.T, user, ticket string) codes.Code {
	t.Helper()
	c := p.dial(t)
	defer c.Close()
	f := c.ask(&wire.Login{
		Request: 1, Version: wire.Version, App: 5, User: user, Ticket: ticket, Platform: codes.PlatformLinux, Instance: "i",
	})
	if refused, ok := f.(*wire.Refused); ok {
		return refused.Code
	}
	require.IsType(t, &wire.Accepted{}, f)
	return codes.OK
}

func signedAgo(t *testing.T, user string, ago time.Duration) string {
	t.Helper()
	sig, err := usersig.Ticket{App: 5, UserID: user, Issued: time.Now().Add(-ago), Expires: time.Now().Add(time.Hour)}.Sign("the key of app 5")
	require.NoError(t, err)
	return sig
}

// What one node does to an account holds on another at once, though that one has just let the user in and remembers it.
func TestAKickABanAndADeletionHoldOnAllNodesAtOnce(t *testing.T) {
	postgres := pgtest.Start(t, pgtest.Options{})
	dir, nats := prepareCluster(t), startNATS(t)
	a := startMember(t, dir, "a", nats, "--store", postgres.TCP())
	b := startMember(t, dir, "b", nats, "--store", postgres.TCP())
	root := signedAgo(t, "root", 0)
	for _, c := range []struct {
		command, body string
		want          codes.Code
		fresh         codes.Code // what a ticket of now is told
	}{
		{"im_open_login_svc/kick", `{"UserID":"%s"}`, codes.TicketRevoked, codes.OK},
		{"im_open_login_svc/account_delete", `{"DeleteItem":[{"UserID":"%s"}]}`, codes.TicketRevoked, codes.OK},
		{"tim_admin/ban", `{"UserID":"%s"}`, codes.AccountBanned, codes.AccountBanned},
	} {
		t.Run(c.command, func(t *testing.T) {
			user := strings.ReplaceAll(c.command, "/", ".")
			old := signedAgo(t, user, time.Minute)
			for _, p := range []*process{a, b, a, b} {
				require.Equal(t, codes.OK, p.answer(t, user, old))
			}
			require.Equal(t, codes.OK, a.rest(t, root, c.command, fmt.Sprintf(c.body, user)))
			require.Equal(t, c.want, b.answer(t, user, old))
			require.Equal(t, c.want, a.answer(t, user, old))
			require.Equal(t, c.fresh, b.answer(t, user, signedAgo(t, user, 0)))
		})
	}
	t.Run("an administrator's own tickets", func(t *testing.T) {
		old := signedAgo(t, "root", time.Minute)
		require.Equal(t, codes.OK, b.rest(t, old, "im_open_login_svc/account_import", `{"UserID":"root"}`))
		require.Equal(t, codes.OK, b.rest(t, old, "tim_admin/sessions", `{"UserID":"root"}`)) // b remembers the account
		require.Equal(t, codes.OK, a.rest(t, root, "im_open_login_svc/kick", `{"UserID":"root"}`))
		require.Eventually(t, func() bool {
			return b.rest(t, old, "tim_admin/sessions", `{"UserID":"root"}`) == codes.TicketRevoked
		}, patience, 10*time.Millisecond)
		root = signedAgo(t, "root", 0) // the kick may have been in a later second than the ticket of before
		require.Equal(t, codes.OK, b.rest(t, root, "tim_admin/sessions", `{"UserID":"root"}`))
	})
	t.Run("the end of a ban", func(t *testing.T) {
		user := "tim_admin.ban"
		require.Equal(t, codes.OK, a.rest(t, root, "tim_admin/unban", fmt.Sprintf(`{"UserID":"%s"}`, user)))
		require.Eventually(t, func() bool { return b.answer(t, user, signedAgo(t, user, 0)) == codes.OK }, patience, 10*time.Millisecond)
	})
}
