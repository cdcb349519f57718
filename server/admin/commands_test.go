package admin_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/usersig"
)

// users writes a list of n userIDs, each with a format.
func users(n int, format string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf(format, i)
	}
	return strings.Join(list, ",")
}

// has requires that an answer has these fields, as JSON.
func (a answer) has(t *testing.T, field, want string) {
	t.Helper()
	got, err := json.Marshal(a.fields[field])
	require.NoError(t, err)
	require.JSONEq(t, want, string(got), "%s", a.raw)
}

func TestAccountsAreImportedCheckedAndDeleted(t *testing.T) {
	w := newWorld(t)
	w.ok("im_open_login_svc/account_import", `{"UserID":"alice","Nick":"Alice","FaceUrl":"http://www.qq.com"}`)
	w.ok("im_open_login_svc/account_import", `{"UserID":"alice"}`)
	w.ok("im_open_login_svc/multiaccount_import", `{"Accounts":["bob","carol"]}`).has(t, "FailAccounts", `[]`)
	w.ok("im_open_login_svc/multiaccount_import", `{"AccountList":[{"UserID":"dave","Nick":"D"}]}`)

	a := w.ok("im_open_login_svc/account_check", `{"CheckItem":[{"UserID":"alice"},{"UserID":"carol"},{"UserID":"dave"},{"UserID":"nobody"},{"UserID":""}]}`)
	a.has(t, "ResultItem", `[
		{"UserID":"alice","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"},
		{"UserID":"carol","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"},
		{"UserID":"dave","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"},
		{"UserID":"nobody","ResultCode":0,"ResultInfo":"","AccountStatus":"NotImported"},
		{"UserID":"","ResultCode":70402,"ResultInfo":"UserID must be 1 to 32 printable ASCII characters","AccountStatus":""}]`)

	phone, _ := w.login("bob", codes.PlatformIOS, "i1")
	a = w.ok("im_open_login_svc/account_delete", `{"DeleteItem":[{"UserID":"bob"},{"UserID":"nobody"}]}`)
	items := a.fields["ResultItem"].([]any)
	require.Subset(t, items[0], map[string]any{"ResultCode": 0.0, "ResultInfo": "", "UserID": "bob", "Told": 1.0})
	require.Subset(t, items[0].(map[string]any)["Instances"].([]any)[0], map[string]any{"Instance": "i1", "Platform": "ios", "Result": "told"})
	require.Equal(t, map[string]any{"ResultCode": 70107.0, "ResultInfo": "Err_TLS_PT_Open_Login_Account_Not_Exist", "UserID": "nobody"}, items[1])
	require.Equal(t, []codes.KickReason{codes.KickAccountDeleted}, phone.reasons())
}

func TestBatchesHaveTheirLimits(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		command, body string
		code          int
	}{
		{"im_open_login_svc/account_import", `{}`, 70402},
		{"im_open_login_svc/account_import", `{"UserID":"` + strings.Repeat("u", 33) + `"}`, 70402},
		{"im_open_login_svc/account_import", `{"UserID":"alice","Nick":"` + strings.Repeat("n", 501) + `"}`, 40601},
		{"im_open_login_svc/multiaccount_import", `{"Accounts":[]}`, 70206},
		{"im_open_login_svc/multiaccount_import", `{"Accounts":[` + users(100, `"u%d"`) + `]}`, 0},
		{"im_open_login_svc/multiaccount_import", `{"Accounts":[` + users(101, `"u%d"`) + `]}`, 70206},
		{"im_open_login_svc/account_check", `{"CheckItem":[` + users(100, `{"UserID":"u%d"}`) + `]}`, 0},
		{"im_open_login_svc/account_check", `{"CheckItem":[` + users(101, `{"UserID":"u%d"}`) + `]}`, 70206},
		{"im_open_login_svc/account_delete", `{"DeleteItem":[]}`, 70206},
		{"im_open_login_svc/account_delete", `{"DeleteItem":[` + users(101, `{"UserID":"u%d"}`) + `]}`, 70206},
		{"openim/query_online_status", `{"To_Account":[` + users(500, `"u%d"`) + `]}`, 0},
		{"openim/query_online_status", `{"To_Account":[` + users(501, `"u%d"`) + `]}`, 90011},
		{"openim/query_online_status", `{"To_Account":[]}`, 90001},
		{"openim/query_online_status", `{}`, 90001},
		{"openim/query_online_status", `{"To_Account":`, 90001},
		{"openim/query_online_status", `{"To_Account":[7]}`, 90003},
		{"openim/query_online_status", `{"To_Account":["nobody"]}`, 70107},
		{"openim/querystate", `{"To_Account":"alice"}`, 90003},
		{"im_open_login_svc/kick", `{"UserID":""}`, 70402},
		{"im_open_login_svc/kick", `{"UserID":"nobody"}`, 70107},
		{"tim_admin/ban", `{"UserID":"nobody"}`, 70107},
		{"tim_admin/ban", `{"UserID":"u1","Seconds":-1}`, 70402},
		{"tim_admin/unban", `{"UserID":"nobody"}`, 70107},
		{"tim_admin/sessions", `{"UserID":"nobody"}`, 70107},
		{"tim_admin/kick_instance", `{"UserID":"u1"}`, 70402},
		{"tim_admin/kick_instance", `{"UserID":"u1","Instance":"i9"}`, 70402},
		{"tim_admin/get_login_settings", `{"History":101}`, 70402},
		{"tim_admin/set_login_settings", `{"Policy":"quadruple"}`, 70402},
		{"tim_admin/set_login_settings", `{"Limits":{"ios":4}}`, 70402},
		{"tim_admin/set_login_settings", `{"Limits":{"amiga":1}}`, 70402},
		{"tim_admin/set_login_settings", `{"Policy":"multi","Version":7}`, 7014},
		{"tim_admin/get_dau", `{"From":"yesterday"}`, 70402},
	} {
		a := w.call(tt.command, tt.body)
		require.Equal(t, tt.code, a.ErrorCode, "%s %.80s: %s", tt.command, tt.body, a.ErrorInfo)
	}
}

func TestABatchOfBadNamesFailsAndNamesThem(t *testing.T) {
	w := newWorld(t)
	a := w.ok("im_open_login_svc/multiaccount_import", `{"Accounts":["alice","ünïcode"]}`)
	a.has(t, "FailAccounts", `["ünïcode"]`)
	a = w.call("im_open_login_svc/multiaccount_import", `{"Accounts":["ünïcode"]}`)
	require.Equal(t, 70402, a.ErrorCode)
	a.has(t, "FailAccounts", `["ünïcode"]`)
}

func TestKickEndsEverySessionAndRefusesOlderTickets(t *testing.T) {
	w := newWorld(t)
	old, err := usersig.Ticket{App: app, UserID: "alice", Issued: time.Now().Add(-time.Minute), Expires: time.Now().Add(time.Hour)}.Sign(key)
	require.NoError(t, err)
	ios, _ := w.login("alice", codes.PlatformIOS, "i1")
	web, grant := w.login("alice", codes.PlatformWeb, "w1")
	w.sessions.Lost(grant.Held)
	require.Eventually(t, func() bool {
		list, err := w.sessions.SessionsOf(t.Context(), server.UserKey{App: app, User: "alice"})
		return err == nil && len(list) == 2 && !list[1].AwayUntil.IsZero()
	}, patience, time.Millisecond)

	a := w.ok("im_open_login_svc/kick", `{"UserID":"alice"}`)
	a.has(t, "Told", `1`)
	a.has(t, "SilentNodes", `[]`)
	instances := a.fields["Instances"].([]any)
	require.Len(t, instances, 2)
	require.Subset(t, instances[0], map[string]any{"Instance": "i1", "Platform": "ios", "Node": nodeID, "Result": "told", "Label": "alice's ios"})
	require.Subset(t, instances[1], map[string]any{"Instance": "w1", "Platform": "web", "Result": "away"})
	require.Equal(t, []codes.KickReason{codes.KickRESTAPI}, ios.reasons())
	require.Empty(t, web.reasons())

	_, err = w.sessions.Login(t.Context(), new(phone), server.LoginRequest{App: app, User: "alice", Ticket: old, Platform: codes.PlatformIOS, Instance: "i1"})
	require.ErrorIs(t, err, codes.TicketRevoked)
	w.login("alice", codes.PlatformIOS, "i1")
	w.ok("openim/querystate", `{"To_Account":["alice"]}`).has(t, "QueryResult", `[{"To_Account":"alice","State":"Online"}]`)
}

func TestAnyNodeEndsTheSessionsOfAll(t *testing.T) {
	w := newWorld(t)
	registry := w.cluster.Open()
	t.Cleanup(func() { _ = registry.Close() })
	other, err := server.New(t.Context(), server.Options{
		Node: "node-2.77c0", Registry: registry, Store: w.store, ResumeKeys: [][]byte{[]byte("0123456789abcdef")},
		Apps: []server.App{{ID: app, Keys: []string{key}}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = other.Close(context.Background()) })
	here, _ := w.login("alice", codes.PlatformIOS, "i1")
	there := new(phone)
	grant, err := other.Login(t.Context(), there, server.LoginRequest{
		App: app, User: "alice", Ticket: ticket(t, "alice"), Platform: codes.PlatformWeb, Instance: "w1",
	})
	require.NoError(t, err)

	w.ok("tim_admin/set_login_settings", `{"Limits":{"web":7}}`)
	require.Eventually(t, func() bool {
		s, err := other.Settings(app)
		return err == nil && s.Limit(codes.PlatformWeb) == 7
	}, patience, time.Millisecond, "settings are in force on every node; within 2 s, if it is not busy")

	a := w.ok("im_open_login_svc/kick", `{"UserID":"alice"}`)
	a.has(t, "Told", `2`)
	require.Subset(t, a.fields["Instances"].([]any)[1], map[string]any{"Instance": "w1", "Node": "node-2.77c0", "Result": "told"})
	require.Equal(t, []codes.KickReason{codes.KickRESTAPI}, here.reasons())
	require.Equal(t, []codes.KickReason{codes.KickRESTAPI}, there.reasons())
	_, err = other.Resume(t.Context(), new(phone), grant.ResumeTicket)
	require.ErrorIs(t, err, codes.TicketRevoked)
}

func TestANodeThatIsSilentIsNamed(t *testing.T) {
	w := newWorld(t)
	w.ok("im_open_login_svc/account_import", `{"UserID":"alice"}`)
	other := w.cluster.Open()
	require.NoError(t, other.Join(t.Context(), "node-2.77c0", deaf{}))
	require.NoError(t, other.Update(t.Context(), server.UserKey{App: app, User: "alice"}, func([]server.Session) ([]server.Session, error) {
		return []server.Session{{ID: "s1", Instance: "i1", Platform: codes.PlatformMac, Node: "node-3.dead", LoginSeq: 1, TicketExpires: time.Now()}}, nil
	}))
	t.Cleanup(func() { _ = other.Close() })

	a := w.ok("im_open_login_svc/kick", `{"UserID":"alice"}`)
	a.has(t, "Told", `0`)
	a.has(t, "SilentNodes", `["node-3.dead"]`)
	require.Subset(t, a.fields["Instances"].([]any)[0], map[string]any{"Instance": "i1", "Result": "silent"})
}

type deaf struct{}

func (deaf) HandleKick(server.Kick) bool          { return false }
func (deaf) HandleNews(server.News)               {}
func (deaf) HandleClock(server.NodeID, time.Time) {}

func TestOneInstanceIsKickedAndMayComeBack(t *testing.T) {
	w := newWorld(t)
	ios, _ := w.login("alice", codes.PlatformIOS, "i1")
	web, _ := w.login("alice", codes.PlatformWeb, "w1")
	a := w.ok("tim_admin/kick_instance", `{"UserID":"alice","Instance":"w1"}`)
	a.has(t, "Told", `1`)
	require.Equal(t, []codes.KickReason{codes.KickRESTAPI}, web.reasons())
	require.Empty(t, ios.reasons())
	w.login("alice", codes.PlatformWeb, "w1")

	list := w.ok("tim_admin/sessions", `{"UserID":"alice"}`).fields["Sessions"].([]any)
	require.Len(t, list, 2)
	require.Subset(t, list[0], map[string]any{"Instance": "i1", "Platform": "ios", "Label": "alice's ios", "Status": "Online", "Node": nodeID})
	w.ok("tim_admin/kick_instance", `{"UserID":"alice","Session":"`+list[0].(map[string]any)["Session"].(string)+`"}`)
	require.Equal(t, []codes.KickReason{codes.KickRESTAPI}, ios.reasons())
}

func TestWhoIsOnlineIsToldByPlatform(t *testing.T) {
	w := newWorld(t)
	w.ok("im_open_login_svc/account_import", `{"UserID":"bob"}`)
	_, ios := w.login("alice", codes.PlatformIOS, "i1")
	_, web := w.login("alice", codes.PlatformWeb, "w1")
	status := func() answer {
		return w.ok("openim/query_online_status", `{"To_Account":["alice","bob","nobody"],"IsNeedDetail":1}`)
	}
	a := status()
	a.has(t, "QueryResult", `[
		{"To_Account":"alice","Status":"Online","Detail":[{"Platform":"iPhone","Status":"Online"},{"Platform":"Web","Status":"Online"}]},
		{"To_Account":"bob","Status":"Offline","Detail":[]}]`)
	a.has(t, "ErrorList", `[{"To_Account":"nobody","ErrorCode":70107}]`)

	w.sessions.Lost(ios.Held)
	require.Eventually(t, func() bool { return strings.Contains(string(status().raw), "PushOnline") }, patience, time.Millisecond)
	status().has(t, "QueryResult", `[
		{"To_Account":"alice","Status":"Online","Detail":[{"Platform":"iPhone","Status":"PushOnline"},{"Platform":"Web","Status":"Online"}]},
		{"To_Account":"bob","Status":"Offline","Detail":[]}]`)

	require.NoError(t, w.sessions.Logout(t.Context(), web.Held))
	w.ok("openim/querystate", `{"To_Account":["alice"]}`).has(t, "QueryResult", `[{"To_Account":"alice","State":"PushOnline"}]`)
}

func TestAPhoneThatDidNotComeBackIsPushOnline(t *testing.T) {
	w := newWorld(t, func(o *server.Options) { o.Grace, o.GraceWeb = 50*time.Millisecond, 50*time.Millisecond })
	_, android := w.login("alice", codes.PlatformAndroid, "a1")
	_, web := w.login("alice", codes.PlatformWeb, "w1")
	w.sessions.Lost(android.Held)
	w.sessions.Lost(web.Held)
	gone := func() bool {
		list, err := w.sessions.SessionsOf(t.Context(), server.UserKey{App: app, User: "alice"})
		return err == nil && len(list) == 0
	}
	require.Eventually(t, gone, patience, time.Millisecond)
	status := func() string {
		return string(w.ok("openim/query_online_status", `{"To_Account":["alice","a\u0000b"],"IsNeedDetail":1}`).raw)
	}
	const pushed = `{"To_Account":"alice","Status":"PushOnline","Detail":[{"Platform":"Android","Status":"PushOnline"}]}`
	require.Eventually(t, func() bool { return strings.Contains(status(), pushed) }, patience, time.Millisecond)

	_, mac := w.login("alice", codes.PlatformMac, "m1") // pushes the phone out, by the default policy
	require.Contains(t, status(), `{"To_Account":"alice","Status":"Online","Detail":[{"Platform":"Mac","Status":"Online"}]}`)
	require.NoError(t, w.sessions.Logout(t.Context(), mac.Held))
	require.Eventually(t, func() bool { return strings.Contains(status(), `"Status":"Offline"`) }, patience, time.Millisecond)

	_, android = w.login("alice", codes.PlatformAndroid, "a1")
	w.sessions.Lost(android.Held)
	require.Eventually(t, gone, patience, time.Millisecond)
	require.Eventually(t, func() bool { return strings.Contains(status(), pushed) }, patience, time.Millisecond)
	w.ok("im_open_login_svc/kick", `{"UserID":"alice"}`)
	require.Contains(t, status(), `"Status":"Offline"`)
}

func TestABanEndsSessionsAndLogins(t *testing.T) {
	w := newWorld(t)
	ios, _ := w.login("alice", codes.PlatformIOS, "i1")
	w.ok("tim_admin/ban", `{"UserID":"alice","Seconds":3600}`).has(t, "Told", `1`)
	require.Equal(t, []codes.KickReason{codes.KickRESTAPI}, ios.reasons())
	login := server.LoginRequest{App: app, User: "alice", Ticket: ticket(t, "alice"), Platform: codes.PlatformIOS, Instance: "i1"}
	_, err := w.sessions.Login(t.Context(), new(phone), login)
	require.ErrorIs(t, err, codes.AccountBanned)
	w.ok("tim_admin/diagnose_usersig", `{"UserSig":"`+login.Ticket+`"}`).has(t, "Code", `70051`)
	w.ok("tim_admin/unban", `{"UserID":"alice"}`)
	_, err = w.sessions.Login(t.Context(), new(phone), login)
	require.NoError(t, err)
}

func TestSettingsAreSimulatedSetAndRemembered(t *testing.T) {
	w := newWorld(t)
	const defaults = `{"ios":1,"ipad":1,"android":1,"windows":1,"mac":1,"linux":1,"web":1}`
	a := w.ok("tim_admin/get_login_settings", `{}`)
	a.has(t, "Policy", `"dual"`)
	a.has(t, "Limits", defaults)
	a.has(t, "Version", `0`)
	a.has(t, "ChangedBy", `""`)

	ios, _ := w.login("alice", codes.PlatformIOS, "i1")
	web, _ := w.login("alice", codes.PlatformWeb, "w1")
	a = w.ok("tim_admin/simulate", `{"Policy":"single"}`)
	a.has(t, "Users", `1`)
	a.has(t, "Sessions", `2`)
	a.has(t, "Affected", `1`)
	a.has(t, "Kicked", `{"multiple_device":1}`)
	require.Empty(t, ios.reasons(), "nothing happened")

	a = w.ok("tim_admin/set_login_settings", `{"Policy":"single","Limits":{"web":5},"Version":0}`)
	a.has(t, "Version", `1`)
	a.has(t, "ChangedBy", `"administrator"`)
	a.has(t, "Limits", strings.Replace(defaults, `"web":1`, `"web":5`, 1))
	require.Eventually(t, func() bool { return len(ios.reasons()) == 1 }, patience, time.Millisecond)
	require.Empty(t, web.reasons())

	w.ok("tim_admin/set_login_settings", `{"Limits":{"mac":2}}`).has(t, "Policy", `"single"`)
	a = w.ok("tim_admin/get_login_settings", `{"History":5}`)
	a.has(t, "Limits", `{"ios":1,"ipad":1,"android":1,"windows":1,"mac":2,"linux":1,"web":5}`)
	require.Len(t, a.fields["History"], 2)
	a = w.call("tim_admin/set_login_settings", `{"Policy":"multi","Version":1}`)
	require.Equal(t, 7014, a.ErrorCode)
	require.Contains(t, a.ErrorInfo, "version 2 by now, not 1")
}

func TestDailyActivesAreCounted(t *testing.T) {
	w := newWorld(t)
	for _, day := range []struct{ user, day string }{{"alice", "2026-11-20"}, {"alice", "2026-11-22"}, {"bob", "2026-11-22"}, {"carol", "2026-10-24"}} {
		at, err := time.Parse(time.DateOnly, day.day)
		require.NoError(t, err)
		_, err = w.store.Arrive(t.Context(), server.UserKey{App: app, User: day.user}, server.DayOf(at, time.UTC), nil)
		require.NoError(t, err)
	}
	a := w.ok("tim_admin/get_dau", `{"From":"2026-11-21","To":"2026-11-23"}`)
	a.has(t, "Days", `[{"Day":"2026-11-21","DAU":0,"WAU":1,"MAU":2},{"Day":"2026-11-22","DAU":2,"WAU":2,"MAU":3},{"Day":"2026-11-23","DAU":0,"WAU":2,"MAU":2}]`)
	a.has(t, "Zone", `"UTC"`)
	require.Equal(t, 70402, w.call("tim_admin/get_dau", `{"From":"2026-11-21","To":"2026-12-22"}`).ErrorCode)
}

func TestADiagnosisNamesEverythingThatIsWrong(t *testing.T) {
	w := newWorld(t)
	good := ticket(t, "alice")
	a := w.ok("tim_admin/diagnose_usersig", `{"UserSig":"`+good+`","UserID":"alice"}`)
	a.has(t, "Code", `0`)
	a.has(t, "Problems", `[]`)
	a.has(t, "KeyFits", `true`)
	require.Subset(t, a.fields["Ticket"], map[string]any{"SDKAppID": float64(app), "UserID": "alice"})
	w.ok("tim_admin/diagnose_usersig", `{"UserSig":"`+good+`","UserID":"bob"}`).has(t, "Code", `70013`)
	w.ok("tim_admin/diagnose_usersig", `{"UserSig":"`+good[:60]+`"}`).has(t, "Code", `70003`)
	require.NotContains(t, w.log.String(), good[:20])
}
