package admin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/usersig"
)

func TestEachMistakeOfTheEnvelopeHasItsCode(t *testing.T) {
	w := newWorld(t)
	const check = "/v4/im_open_login_svc/account_check"
	const body = `{"CheckItem":[{"UserID":"alice"}]}`
	set := func(name, value string) func(url.Values) { return func(q url.Values) { q.Set(name, value) } }
	del := func(name string) func(url.Values) { return func(q url.Values) { q.Del(name) } }
	alice := func(q url.Values) { q.Set("identifier", "alice"); q.Set("usersig", ticket(t, "alice")) }
	otherKey, err := usersig.Sign(app, "another key", boss, time.Hour)
	require.NoError(t, err)
	old, err := usersig.Ticket{App: app, UserID: boss, Issued: time.Now().Add(-time.Hour), Expires: time.Now().Add(-time.Minute)}.Sign(key)
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		method string
		path   string
		change func(url.Values)
		body   string
		code   int
		says   string
	}{
		{name: "nothing", code: 0},
		{name: "no contenttype", change: del("contenttype"), code: 0},
		{name: "no service", path: "/v4/kick", code: 60002, says: "/v4/<service>/<command>"},
		{name: "too long a path", path: check + "/now", code: 60002},
		{name: "no such command", path: "/v4/im_open_login_svc/kik", code: 60009, says: "openapi.json"},
		{name: "no such service", path: "/v4/im/kick", code: 60009},
		{name: "GET", method: http.MethodGet, code: 60008, says: "POST"},
		{name: "no app", change: del("sdkappid"), code: 60012},
		{name: "an app that is no number", change: set("sdkappid", "mine"), code: 60006},
		{name: "an app that is not served", change: set("sdkappid", "3"), code: 60006, says: "3"},
		{name: "nobody", change: del("identifier"), code: 60004, says: "identifier"},
		{name: "no ticket", change: del("usersig"), code: 60004, says: "usersig"},
		{name: "a name that is none", change: set("identifier", "bo\nss"), code: 60015},
		{name: "no random", change: del("random"), code: 60002, says: "random"},
		{name: "random is too large", change: set("random", "4294967296"), code: 60002},
		{name: "random is negative", change: set("random", "-1"), code: 60002},
		{name: "another content type", change: set("contenttype", "xml"), code: 60002},
		{name: "a ticket of another key", change: set("usersig", otherKey), code: 70009},
		{name: "an expired ticket", change: set("usersig", old), code: 70001},
		{name: "half a ticket", change: func(q url.Values) { q.Set("usersig", q.Get("usersig")[:40]) }, code: 70003},
		{name: "somebody else's ticket", change: set("usersig", ticket(t, "alice")), code: 70013},
		{name: "no administrator", change: alice, code: 60010, says: "alice is no administrator of app 1400000001: its admins are named in"},
		{name: "no administrator who asks who is online", path: "/v4/openim/query_online_status", change: alice, code: 60010, says: "alice"},
		{name: "no administrator of settings", path: "/v4/tim_admin/get_login_settings", change: alice, code: 60010, says: "alice"},
		{name: "nobody proven", change: set("identifier", "alice"), code: 70013},
		{name: "no body", body: "-", code: 60003, says: "{}"},
		{name: "half a body", body: `{"CheckItem":[`, code: 60003},
		{name: "words", body: `hello`, code: 60003},
		{name: "two bodies", body: body + body, code: 60003},
		{name: "a list", body: `[]`, code: 60003, says: "{}"},
		{name: "deep", body: strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17), code: 60003, says: "16 levels"},
		{name: "large", body: `{"CheckItem":[]` + strings.Repeat(" ", 64<<10) + `}`, code: 60008, says: "65536"},
		{name: "a field of the wrong type", body: `{"CheckItem":"alice"}`, code: 70402, says: "CheckItem must be a list"},
		{name: "a userID that is a number", body: `{"CheckItem":[{"UserID":7}]}`, code: 70402, says: "UserID must be a string, not number"},
		{name: "a field nobody knows", body: `{"CheckItem":[{"UserID":"alice","Age":7}],"More":true}`, code: 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := query(t)
			if tt.change != nil {
				tt.change(q)
			}
			method, path, text := http.MethodPost, check, body
			if tt.method != "" {
				method = tt.method
			}
			if tt.path != "" {
				path = tt.path
			}
			if tt.body != "" {
				text = strings.TrimPrefix(tt.body, "-")
			}
			a := w.send(method, path+"?"+q.Encode(), text)
			require.Equal(t, tt.code, a.ErrorCode, a.ErrorInfo)
			require.Contains(t, a.ErrorInfo, tt.says)
			require.NotContains(t, string(a.raw), key)
		})
	}
	a := w.send(http.MethodPost, check+"?sdkappid=%zz", body)
	require.Equal(t, 60002, a.ErrorCode)
	require.NotContains(t, w.log.String(), ticket(t, boss)[:20], "no ticket in the log")
}

func TestOurOwnCommandsRefuseFieldsThatTheyDoNotKnow(t *testing.T) {
	w := newWorld(t)
	a := w.call("tim_admin/set_login_settings", `{"Limts":{"web":3}}`)
	require.Equal(t, 70402, a.ErrorCode)
	require.Contains(t, a.ErrorInfo, "Limts")
}

func TestAnAdministratorsTicketCanBeRevoked(t *testing.T) {
	w := newWorld(t)
	early, err := usersig.Ticket{App: app, UserID: boss, Issued: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour)}.Sign(key)
	require.NoError(t, err)
	q := query(t)
	q.Set("usersig", early)
	const kick = "/v4/im_open_login_svc/kick?"
	require.Equal(t, 70107, w.send(http.MethodPost, kick+q.Encode(), `{"UserID":"administrator"}`).ErrorCode, "nobody logged in by this name yet")
	w.ok("im_open_login_svc/account_import", `{"UserID":"administrator"}`)
	require.Equal(t, 0, w.send(http.MethodPost, kick+q.Encode(), `{"UserID":"administrator"}`).ErrorCode)
	require.Equal(t, 70052, w.send(http.MethodPost, kick+q.Encode(), `{"UserID":"administrator"}`).ErrorCode)
	w.ok("im_open_login_svc/kick", `{"UserID":"administrator"}`)
}

func TestTheTicketsOfAnAdministratorWhoseAccountWasDeletedEnd(t *testing.T) {
	w := newWorld(t)
	early, err := usersig.Ticket{App: app, UserID: boss, Issued: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour)}.Sign(key)
	require.NoError(t, err)
	w.ok("im_open_login_svc/account_import", `{"UserID":"administrator"}`)
	w.ok("im_open_login_svc/account_delete", `{"DeleteItem":[{"UserID":"administrator"}]}`)
	q := query(t)
	q.Set("usersig", early)
	for range 2 { // no use of it makes the account again
		a := w.send(http.MethodPost, "/v4/im_open_login_svc/account_check?"+q.Encode(), `{"CheckItem":[{"UserID":"administrator"}]}`)
		require.Equal(t, 70052, a.ErrorCode)
	}
	a := w.ok("im_open_login_svc/account_check", `{"CheckItem":[{"UserID":"administrator"}]}`)
	require.Contains(t, string(a.raw), `"NotImported"`)
}

func TestACommandCalledTooOftenIsRefused(t *testing.T) {
	w := newWorld(t)
	for range 1000 {
		if a := w.call("tim_admin/simulate", `{}`); a.ErrorCode != 0 {
			require.Equal(t, 60007, a.ErrorCode)
			w.ok("tim_admin/get_login_settings", `{}`)
			return
		}
	}
	t.Fatal("1000 calls in a row were answered, though 2 a second are allowed")
}
