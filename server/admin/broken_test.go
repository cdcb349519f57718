package admin_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/admin"
)

// A brokenStore fails at what REST asks of it.
type brokenStore struct {
	server.Store
	err error
}

func (s brokenStore) Import(context.Context, uint64, []string) error { return s.err }
func (s brokenStore) Settings(context.Context, uint64) (server.Settings, error) {
	return server.Settings{}, s.err
}
func (s brokenStore) Absences(context.Context, uint64, []string) (map[string][]server.Absence, error) {
	return nil, s.err
}
func (s brokenStore) Actives(context.Context, uint64, server.Day, server.Day) (server.Actives, error) {
	return server.Actives{}, s.err
}

// A deafRegistry cannot be reached where a session is looked up.
type deafRegistry struct{ server.Registry }

func (deafRegistry) Sessions(context.Context, server.UserKey) ([]server.Session, error) {
	return nil, server.ErrUnavailable
}

func TestWhatIsTheServersFaultHasItsCodeAndTellsNoSecret(t *testing.T) {
	for _, c := range []struct {
		name           string
		err            error
		common, openim int
	}{
		{"something broke", errors.New("disk /secret/path is full"), 70500, 90994},
		{"the store says so itself", codes.ServerInternal, 70500, 90994},
		{"it takes too long", context.DeadlineExceeded, 70169, 90992},
		{"the registry is away", server.ErrUnavailable, 70500, 90995},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			face := httptest.NewServer(admin.New(admin.Options{Sessions: w.sessions, Store: brokenStore{w.store, c.err}, Logger: slog.New(slog.DiscardHandler)}))
			t.Cleanup(face.Close)
			w.url = face.URL
			for command, body := range map[string]string{
				"im_open_login_svc/account_import":      `{"UserID":"alice"}`,
				"im_open_login_svc/multiaccount_import": `{"Accounts":["alice"]}`,
				"tim_admin/get_login_settings":          `{}`,
				"tim_admin/get_dau":                     `{}`,
			} {
				a := w.call(command, body)
				require.Equal(t, c.common, a.ErrorCode, command)
				require.NotContains(t, string(a.raw), "secret")
			}
			for _, command := range []string{"openim/query_online_status", "openim/querystate"} {
				a := w.call(command, `{"To_Account":["alice"]}`)
				require.Equal(t, c.openim, a.ErrorCode, command)
				require.NotContains(t, string(a.raw), "secret")
			}
		})
	}
}

func TestARegistryThatIsAwayIsNoReasonToCallSomebodyOffline(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.Registry = deafRegistry{o.Registry} })
	w.login("alice", codes.PlatformIOS, "i1")
	a := w.call("openim/query_online_status", `{"To_Account":["alice"]}`)
	require.Equal(t, 90995, a.ErrorCode)
	a.has(t, "ErrorList", `[{"To_Account":"alice","ErrorCode":90995}]`)
	a = w.call("tim_admin/sessions", `{"UserID":"alice"}`)
	require.Equal(t, 70500, a.ErrorCode)
	require.Equal(t, "the registry or the store cannot be reached at the moment: try again", a.ErrorInfo)
}

func TestRequestsComeFromAllowedAddressesOnly(t *testing.T) {
	for _, c := range []struct {
		from string
		want int
	}{
		{"10.0.0.0/8", 60021}, {"127.0.0.0/8", 0}, {"::/0", 60021}, {"0.0.0.0/0", 0},
	} {
		w := newWorld(t, func(o *server.Options) { o.Apps[0].AdminFrom = []netip.Prefix{netip.MustParsePrefix(c.from)} })
		a := w.call("tim_admin/get_login_settings", `{}`)
		require.Equal(t, c.want, a.ErrorCode, c.from)
		if c.want != 0 {
			require.Contains(t, a.ErrorInfo, "127.0.0.1")
			require.Contains(t, a.ErrorInfo, "admin_allow")
			q := query(t)
			q.Set("usersig", "guess")
			a = w.send(http.MethodPost, "/v4/tim_admin/get_login_settings?"+q.Encode(), `{}`)
			require.Equal(t, 60021, a.ErrorCode, "a stranger learns nothing of tickets")
		}
		q := query(t)
		q.Set("sdkappid", "2")
		require.NotEqual(t, 60021, w.send(http.MethodPost, "/v4/tim_admin/get_login_settings?"+q.Encode(), `{}`).ErrorCode, "each app has a list of its own")
	}
}
