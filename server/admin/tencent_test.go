package admin_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
)

// What a client of Tencent's reads of any answer.
type tencentAnswer struct {
	ActionStatus string
	ErrorInfo    string
	ErrorCode    int
	FailAccounts []string
	ResultItem   []struct {
		ResultCode    int
		ResultInfo    string
		UserID        string
		AccountStatus string
	}
	QueryResult []struct {
		To_Account string
		Status     string
		State      string
		Detail     []struct{ Platform, Status string }
	}
	ErrorList []struct {
		To_Account string
		ErrorCode  int
	}
}

// The requests are those of Tencent's documents, letter by letter, in the order of an afternoon.
func TestAClientOfTencentsWorksByChangingTheHost(t *testing.T) {
	w := newWorld(t)
	w.login("id1", codes.PlatformAndroid, "a1")
	w.login("id1", codes.PlatformWeb, "w1")
	for _, step := range []struct{ command, body, want string }{
		{"im_open_login_svc/account_import", `{"UserID":"test","Nick":"test","FaceUrl":"http://www.qq.com"}`, `{}`},
		{"im_open_login_svc/multiaccount_import", `{"Accounts":["test1","test2","test3","test4","test5"]}`, `{"FailAccounts":[]}`},
		{"im_open_login_svc/multiaccount_import", `{"AccountList":[{"UserID":"test6","Nick":"six"},{"UserID":"test7"}]}`, `{"FailAccounts":[]}`},
		{"im_open_login_svc/account_check", `{"CheckItem":[{"UserID":"UserID_1"},{"UserID":"test5"}]}`, `{"ResultItem":[
			{"UserID":"UserID_1","ResultCode":0,"ResultInfo":"","AccountStatus":"NotImported"},
			{"UserID":"test5","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"}]}`},
		{"openim/query_online_status", `{"IsNeedDetail":1,"To_Account":["id1","test2","id3"]}`, `{"QueryResult":[
			{"To_Account":"id1","Status":"Online","Detail":[{"Platform":"Android","Status":"Online"},{"Platform":"Web","Status":"Online"}]},
			{"To_Account":"test2","Status":"Offline"}],"ErrorList":[{"To_Account":"id3","ErrorCode":70107}]}`},
		{"openim/querystate", `{"To_Account":["id1","test2"]}`, `{"QueryResult":[{"To_Account":"id1","State":"Online"},{"To_Account":"test2","State":"Offline"}]}`},
		{"im_open_login_svc/kick", `{"UserID":"id1"}`, `{}`},
		{"openim/query_online_status", `{"To_Account":["id1"]}`, `{"QueryResult":[{"To_Account":"id1","Status":"Offline"}]}`},
		{"im_open_login_svc/account_delete", `{"DeleteItem":[{"UserID":"test1"},{"UserID":"UserID_2"}]}`, `{"ResultItem":[
			{"ResultCode":0,"ResultInfo":"","UserID":"test1"},
			{"ResultCode":70107,"ResultInfo":"Err_TLS_PT_Open_Login_Account_Not_Exist","UserID":"UserID_2"}]}`},
	} {
		url := w.url + "/v4/" + step.command + "?sdkappid=1400000001&identifier=administrator&usersig=" + ticket(t, boss) + "&random=4294967295&contenttype=json"
		response, err := http.Post(url, "application/json; charset=utf-8", strings.NewReader(step.body))
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode)
		var got, want tencentAnswer
		require.NoError(t, json.Unmarshal(body, &got))
		require.NoError(t, json.Unmarshal([]byte(step.want), &want))
		want.ActionStatus = "OK"
		for i := range got.QueryResult { // none and an empty list are the same to such a client
			if len(got.QueryResult[i].Detail) == 0 {
				got.QueryResult[i].Detail = nil
			}
		}
		require.Equal(t, want, got, "%s: %s", step.command, body)
	}
}
