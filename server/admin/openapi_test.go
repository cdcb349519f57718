package admin_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A contract checks requests and answers against the document that the server serves.
type contract struct {
	doc    *openapi3.T
	router routers.Router
}

func newContract(t *testing.T, w *world) contract {
	t.Helper()
	response, err := http.Get(w.url + "/v4/openapi.json")
	require.NoError(t, err)
	defer response.Body.Close()
	require.Contains(t, response.Header.Get("Content-Type"), "application/json")
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	doc, err := openapi3.NewLoader().LoadFromData(body)
	require.NoError(t, err)
	require.Equal(t, "3.1.0", doc.OpenAPI)
	require.NoError(t, doc.Validate(t.Context()), "the document itself, its examples included")
	router, err := gorillamux.NewRouter(doc)
	require.NoError(t, err)
	return contract{doc, router}
}

// check returns what the document has against a request, and against its answer.
func (c contract) check(t *testing.T, path, body string, answer []byte) (bad, badAnswer error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
	require.NoError(t, err)
	request.Header.Set("Content-Type", "application/json")
	route, params, err := c.router.FindRoute(request)
	require.NoError(t, err, path)
	in := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	bad = openapi3filter.ValidateRequest(t.Context(), in)
	badAnswer = openapi3filter.ValidateResponse(t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in, Status: http.StatusOK, Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}},
		Body: io.NopCloser(bytes.NewReader(answer)), Options: in.Options,
	})
	return bad, badAnswer
}

func TestEveryExampleIsAnsweredAsTheDocumentSays(t *testing.T) {
	w := newWorld(t)
	c := newContract(t, w)
	require.Len(t, c.doc.Paths.Map(), 16)
	for path, item := range c.doc.Paths.Map() {
		t.Run(path, func(t *testing.T) {
			w := newWorld(t)
			w.ok("im_open_login_svc/multiaccount_import", `{"Accounts":["bob"]}`)
			w.login("alice", codes.PlatformIOS, "01JD9")
			w.login("alice", codes.PlatformWeb, "w1")
			_, err := w.store.SetSettings(t.Context(), app, server.DefaultSettings()) // so that there is a history
			require.NoError(t, err)

			example, err := json.Marshal(item.Post.RequestBody.Value.Content["application/json"].Example)
			require.NoError(t, err)
			full := path + "?" + query(t).Encode()
			a := w.send(http.MethodPost, full, string(example))
			require.Equal(t, 0, a.ErrorCode, a.ErrorInfo)
			bad, badAnswer := c.check(t, full, string(example), a.raw)
			require.NoError(t, bad)
			require.NoError(t, badAnswer, "%s", a.raw)

			a = w.send(http.MethodPost, path+"?"+query(t).Encode()+"&usersig=", `{"Unknown":`)
			require.NotZero(t, a.ErrorCode)
			_, badAnswer = c.check(t, full, string(example), a.raw)
			require.NoError(t, badAnswer, "a refusal: %s", a.raw)
		})
	}
}

func TestTheContractBites(t *testing.T) {
	w := newWorld(t)
	c := newContract(t, w)
	const path = "/v4/openim/querystate?sdkappid=1&identifier=a&usersig=b&random="
	const good, answer = `{"To_Account":["alice"]}`, `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"QueryResult":[]}`
	for _, tt := range []struct{ name, random, body, answer string }{
		{"random is too large", "4294967296", good, ""},
		{"nobody", "1", `{"To_Account":[]}`, ""},
		{"too many", "1", `{"To_Account":[` + users(501, `"u%d"`) + `]}`, ""},
		{"a number", "1", `{"To_Account":[1]}`, ""},
		{"no status", "1", "", `{"ErrorInfo":"","ErrorCode":0,"QueryResult":[]}`},
		{"no result", "1", "", `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0}`},
		{"a field nobody announced", "1", "", `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"QueryResult":[],"More":1}`},
		{"a state nobody knows", "1", "", `{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"QueryResult":[{"To_Account":"a","State":"Asleep"}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			body, reply := tt.body, tt.answer
			if body == "" {
				body = good
			}
			if reply == "" {
				reply = answer
			}
			bad, badAnswer := c.check(t, path+tt.random, body, []byte(reply))
			if tt.body != "" && tt.answer == "" {
				require.Error(t, bad)
			} else {
				require.NoError(t, bad)
				require.Error(t, badAnswer)
			}
		})
	}
}

func TestOnlyOurCommandsForbidFieldsInTheDocument(t *testing.T) {
	c := newContract(t, newWorld(t))
	for path, item := range c.doc.Paths.Map() {
		schema := item.Post.RequestBody.Value.Content["application/json"].Schema.Value
		closed := schema.AdditionalProperties.Has != nil && !*schema.AdditionalProperties.Has
		require.Equal(t, strings.HasPrefix(path, "/v4/tim_admin/"), closed, path)
		require.NotEmpty(t, item.Post.Summary)
	}
}
