package admin_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/admin"
)

// BenchmarkREST is a command without the network: the envelope with its ticket, the work, the answer.
func BenchmarkREST(b *testing.B) {
	w := newWorld(b)
	list := make([]string, 500)
	for i := range list {
		list[i] = fmt.Sprintf("u%d", i)
		_, err := w.sessions.Login(b.Context(), new(phone), server.LoginRequest{
			App: app, User: list[i], Ticket: ticket(b, list[i]), Platform: codes.PlatformIOS, Instance: "i",
		})
		require.NoError(b, err)
	}
	all := `{"To_Account":["` + strings.Join(list, `","`) + `"],"IsNeedDetail":1}`
	for _, bb := range []struct{ name, command, body string }{
		{"query 1 user", "openim/query_online_status", `{"To_Account":["u1"]}`},
		{"query 500 users", "openim/query_online_status", all},
		{"check 1 account", "im_open_login_svc/account_check", `{"CheckItem":[{"UserID":"u1"}]}`},
		{"kick a user who is signed in nowhere", "im_open_login_svc/kick", `{"UserID":"bob"}`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			w.ok("im_open_login_svc/account_import", `{"UserID":"bob"}`)
			query := query(b).Encode()
			var face http.Handler
			for i := range b.N {
				if i%100 == 0 { // fresh limits
					face = admin.New(admin.Options{Sessions: w.sessions, Store: w.store})
				}
				r := httptest.NewRecorder()
				face.ServeHTTP(r, httptest.NewRequest(http.MethodPost, "/v4/"+bb.command+"?"+query, strings.NewReader(bb.body)))
				if !strings.Contains(r.Body.String(), `"ErrorCode":0`) {
					b.Fatal(r.Body)
				}
			}
		})
	}
}

// BenchmarkKickToClient is from the request until the client's connection was told, the revocation on disk between them.
func BenchmarkKickToClient(b *testing.B) {
	w := newWorld(b)
	query := query(b).Encode()
	var face http.Handler
	for i := range b.N {
		b.StopTimer()
		p, _ := w.login("alice", codes.PlatformIOS, "i1")
		if i%100 == 0 {
			face = admin.New(admin.Options{Sessions: w.sessions, Store: w.store})
		}
		request := httptest.NewRequest(http.MethodPost, "/v4/im_open_login_svc/kick?"+query, strings.NewReader(`{"UserID":"alice"}`))
		b.StartTimer()
		face.ServeHTTP(httptest.NewRecorder(), request)
		if len(p.reasons()) != 1 {
			b.Fatal("nobody was told")
		}
	}
}
