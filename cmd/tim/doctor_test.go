package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/admin"
	"github.com/opentim/tim/server/gateway"
)

// beGateway puts a gateway before the server, as timd does, and leaves word of it. ready answers /readyz.
func beGateway(t *testing.T, s *server.Sessions, face http.Handler) (endpoint string) {
	t.Helper()
	g, err := gateway.New(gateway.Options{Sessions: s, HTTP: face})
	require.NoError(t, err)
	l, err := gateway.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(func() { _ = g.Close(context.Background()) })
	endpoint = "ws://" + l.Addr().String() + "/tim"
	leaveWord(t, endpoint)
	return endpoint
}

func says(text string, status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(text + "\n"))
	}
}

// doctored runs tim doctor and returns its lines with single blanks.
func doctored(t *testing.T, args ...string) (string, error) {
	t.Helper()
	out, err := tim(t, "", append([]string{"doctor"}, args...)...)
	lines := strings.Split(out, "\n")
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	return strings.Join(lines, "\n"), err
}

func TestADoctorFindsNothingWrongWithAHealthyServer(t *testing.T) {
	s, api := besideAPI(t)
	mux := http.NewServeMux()
	mux.Handle(admin.Prefix, api)
	mux.HandleFunc("/readyz", says("ready", http.StatusOK))
	beGateway(t, s, mux)
	out, err := doctored(t)
	require.NoError(t, err, out)
	for _, want := range []string{
		`^ok address 127\.0\.0\.1:\d+ answers in `, `^skip certificate the connection is not encrypted`, `^ok server timd \S+ is ready; this is tim `,
		`^ok clock the server's agrees`, `^ok websocket ws://127\.0\.0\.1:\d+/tim takes connections`,
		`^ok administrator administrator may administer app 1400000007, whose policy is dual`,
	} {
		require.Regexp(t, "(?m)"+want, out)
	}
	require.Zero(t, s.Online(), "it changes nothing")

	out, err = tim(t, "", "doctor", "--json")
	require.NoError(t, err)
	var all []finding
	require.NoError(t, json.Unmarshal([]byte(out), &all))
	require.Len(t, all, 6)

	out, err = doctored(t, "--admin", "alice")
	require.Equal(t, 1, exitCode(err))
	require.Regexp(t, `(?m)^fail administrator alice is no administrator .*60010`, out)
	require.Contains(t, out, "-> name the user under admins")
}

func TestADoctorSaysWhichStepFails(t *testing.T) {
	s, api := besideAPI(t)
	face := func(readyz http.HandlerFunc) *http.ServeMux {
		mux := http.NewServeMux()
		mux.Handle(admin.Prefix, api)
		mux.HandleFunc("/readyz", readyz)
		return mux
	}
	plain := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return strings.Replace(server.URL, "http", "ws", 1)
	}
	stranger := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(stranger.Close)
	stranger.Config.ErrorLog = nil
	late := face(says("ready", http.StatusOK))
	for _, c := range []struct {
		name, endpoint string
		want           []string
		not            string
	}{
		{"nobody there", "ws://127.0.0.1:1", []string{"fail address", "refused", "-> is timd running"}, "server"},
		{"a certificate of nobody", strings.Replace(stranger.URL, "https", "wss", 1),
			[]string{"ok address", "fail certificate", "x509", "-> clients refuse it, too"}, "websocket"},
		{"a server that is stopping", beGateway(t, s, face(says("draining", http.StatusServiceUnavailable))),
			[]string{"ok address", "fail server it is not ready: draining"}, "administrator"},
		{"a server whose store is away", beGateway(t, s, face(says("the store does not answer", http.StatusServiceUnavailable))),
			[]string{"fail server it is not ready: the store does not answer"}, "administrator"},
		{"something else", plain(http.NotFoundHandler()), []string{"fail server what answers is no tim server: HTTP 404"}, "websocket"},
		{"a proxy that passes no WebSocket on", plain(face(says("ready", http.StatusOK))),
			[]string{"ok server", "fail websocket", "-> REST gets through and the WebSocket does not", "ok administrator"}, "~"},
		{"a clock that is slow", beGateway(t, s, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Date", time.Now().Add(-time.Minute).UTC().Format(http.TimeFormat))
			late.ServeHTTP(w, r)
		})), []string{"warn clock the server's is -1m", "-> tickets end by the server's clock", "ok websocket"}, "fail"},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := doctored(t, "--endpoint", c.endpoint)
			require.Equal(t, strings.Contains(out, "fail "), err != nil, out)
			if err != nil {
				require.Equal(t, 1, exitCode(err))
			}
			for _, want := range c.want {
				require.Contains(t, out, want)
			}
			require.NotContains(t, out, c.not)
		})
	}
}

func TestADoctorWithoutAKeyLooksAtTheRest(t *testing.T) {
	s, api := besideAPI(t)
	mux := http.NewServeMux()
	mux.Handle(admin.Prefix, api)
	mux.HandleFunc("/readyz", says("ready", http.StatusOK))
	endpoint := beGateway(t, s, mux)
	t.Chdir(t.TempDir())
	out, err := doctored(t, "--endpoint", endpoint)
	require.NoError(t, err)
	require.Contains(t, out, "skip administrator give --app, --key-file and --admin")
	_, err = doctored(t)
	require.ErrorContains(t, err, "--endpoint is missing")
	require.Equal(t, 2, exitCode(err))
}
