//go:build linux

package secrets

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/server/store/postgres/pgtest"
	"github.com/opentim/tim/usersig"
)

// A server by itself, with a log in plain text; and a node on NATS and PostgreSQL, with a log in JSON.
func TestNoSecretIsToldByAnythingThatIsWritten(t *testing.T) {
	t.Run("one server", func(t *testing.T) {
		t.Parallel()
		play(t, newStage(t), "text", nil)
	})
	t.Run("a node of a cluster", func(t *testing.T) {
		t.Parallel()
		s := newStage(t)
		nats, postgres := s.secret("the password of NATS"), s.secret("the password of PostgreSQL")
		bus, err := natsserver.NewServer(&natsserver.Options{
			Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
			Username: "tim", Password: nats,
		})
		require.NoError(t, err)
		bus.Start()
		t.Cleanup(func() { bus.Shutdown(); bus.WaitForShutdown() })
		require.True(t, bus.ReadyForConnections(patience))
		database := pgtest.Start(t, pgtest.Options{})
		at := fmt.Sprintf("nats://tim:%s@%s", nats, bus.Addr())
		store := strings.Replace(database.TCP(), "tim@", "tim:"+postgres+"@", 1)
		resume := s.file("shared.key", s.secret("the key of resume tickets"))
		env := []string{"TIMD_REGISTRY=" + at, "TIMD_STORE=" + store, "TIMD_CLUSTER_RESUME_KEY_FILE=" + resume}
		play(t, s, "json", env)

		// Mistakes are told without what was mistaken.
		var starts []*program
		for i, wrong := range []string{
			"TIMD_REGISTRY=nats://tim:" + nats + "@127.0.0.1:1", "TIMD_REGISTRY=nats://tim:" + s.secret("a wrong password") + "@" + bus.Addr().String(),
			"TIMD_STORE=postgres://tim:" + postgres + "@127.0.0.1:1/tim", "TIMD_STORE=postgres://tim:" + postgres + "@%zz/tim",
			"TIMD_REGISTRY=nats://tim:" + nats + "@%zz", "TIMD_STORE=mysql://tim:" + postgres + "@db/tim",
		} {
			starts = append(starts, s.start("a wrong start", append(slices.Clone(env), wrong), filepath.Join(programs, "timd"), "serve",
				"--config", filepath.Join(s.dir, "timd.yaml"), "--listen", "127.0.0.1:0", "--data-dir", fmt.Sprintf("wrong%d", i), "--log-level", "debug"))
		}
		enough := time.After(5 * time.Second) // some go on trying
		for _, p := range starts {
			select {
			case <-p.ended:
			case <-enough:
				enough = time.After(0)
				s.end(p, os.Kill)
			}
		}
		require.NotEmpty(t, s.said("a wrong start"))
		s.search()
	})
}

// play lets everything happen to a server and its clients, and searches.
func play(t *testing.T, s *stage, format string, env []string) {
	token := s.file("webhook.token", s.secret("the webhook's token"))
	s.file("timd.yaml", fmt.Sprintf("data_dir: %q\nping_interval: 11s\ntrusted_proxies: [127.0.0.1]\nwebhook: {url: %q, token_file: %q}\napps:\n  - {id: %d, key_file: %q, admins: [root]}\n",
		filepath.Join(s.dir, "data"), s.hook.URL+"/hook", token, app, s.keyFile))
	n := s.timd("timd", "127.0.0.1:0", format, env)
	if key, err := os.ReadFile(filepath.Join(s.dir, "data", "resume.key")); err == nil {
		s.add("the key of resume tickets", strings.TrimSpace(string(key)))
	}
	logins(s, n)
	resume := refusals(s, n)
	administration(s, n)
	n = crash(s, n, format, env, resume)
	commands(s, n)
	for _, page := range []string{n.metrics, n.profiles + "goroutine?debug=2", n.profiles + "heap?debug=1", n.http() + "/readyz", n.http() + "/v4/openapi.json"} {
		request, err := http.NewRequest(http.MethodGet, page, nil)
		require.NoError(t, err)
		s.get("pages", request)
	}
	s.end(n.program, syscall.SIGQUIT) // Go prints every goroutine
	s.await("timd", "goroutine ")
	over(s)
	s.files(filepath.Join(s.dir, "data"))
	for _, want := range []string{"login refused", "resume refused", "sessions ended by an administrator"} {
		require.Contains(t, s.said("timd"), want, "the log says what it is searched for")
	}
	require.Contains(t, s.said("webhook"), "State.StateChange")
	require.Contains(t, s.said("pages"), "tim_")
	s.search()
}

// logins: clients of all kinds are online, renewed, kicked, expire and log out.
func logins(s *stage, n *node) {
	login := func(name, user string, more ...string) *program {
		return s.start(name, nil, append([]string{
			filepath.Join(programs, "tim"), "login", user, "--endpoint", n.endpoint, "--app", fmt.Sprint(app), "--verbose", "--json",
		}, more...)...)
	}
	ticket := func(user string, lasts time.Duration) string {
		return s.file(user+".ticket", s.ticket(user, 0, lasts))
	}
	ends := login("a client whose ticket ends", "carol", "--ticket", ticket("carol", 3*time.Second))
	renews := login("a client that renews", "bob", "--key-file", s.keyFile, "--expire", "5s")
	old := login("an old device", "alice", "--ticket", ticket("alice", time.Hour), "--platform", "ios")
	s.await("an old device", `"result"`)

	for name, driver := range drivers(s.t) {
		p := s.start(name, nil, driver...)
		say := func(words ...string) { fmt.Fprintln(p, strings.Join(words, "\t")) }
		say("open", "url="+n.endpoint, fmt.Sprintf("app=%d", app), "platform=linux", "instance="+name, "provider=yes")
		say("login", name, s.ticket(name, 0, 4*time.Second))
		s.await(name, "ticket_wanted")
		say("provide", s.ticket(name, 0, time.Hour))
		say("renew", s.ticket(name, 0, 2*time.Hour))
		s.await(name, "renew OK")
		say("renew", s.ticket("somebody-else", 0, time.Hour))
		s.awaitTimes(name, "renew ", 2)
		say("logout")
		s.await(name, "logout OK")
		say("login", name, s.ticket(name, 2*time.Hour, -time.Hour))
		s.awaitTimes(name, "login "+name, 2)
		say("close")
		_ = p.Close()
		s.over(p)
	}

	newer := login("a new device", "alice", "--ticket", ticket("alice", time.Hour), "--platform", "ios", "--label", "the new one")
	s.await("a new device", `"result"`)
	s.over(old)
	require.Contains(s.t, s.said("an old device"), "the new one")
	s.over(ends)
	s.await("a client that renews", "renewed")
	s.end(renews, os.Interrupt)
	s.end(newer, os.Interrupt)
}

// drivers are those of conformance: of the Go API, and of C if there is a libtim.
func drivers(t *testing.T) map[string][]string {
	all := map[string][]string{"core": {filepath.Join(programs, "core")}}
	lib, err := filepath.Abs("../../build/lib")
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(lib, "libtim.so")); err != nil {
		t.Log("C is left out: there is no libtim, ./build.sh lib makes it")
		return all
	}
	program := filepath.Join(t.TempDir(), "c")
	out, err := exec.Command("cc", "-std=gnu11", "-I../../include", "../../conformance/drivers/c/driver.c", "-o", program,
		"-L"+lib, "-ltim", "-Wl,-rpath,"+lib, "-pthread").CombinedOutput()
	require.NoError(t, err, "%s", out)
	all["c"] = []string{program}
	return all
}

// refusals: every way in which a ticket can be wrong, in frames and in handshakes. It returns a good resume ticket.
func refusals(s *stage, n *node) []byte {
	signed := func(key, user string, id uint64, ago, lasts time.Duration) string {
		ticket, err := usersig.Ticket{App: id, UserID: user, Issued: time.Now().Add(-ago), Expires: time.Now().Add(lasts)}.Sign(key)
		require.NoError(s.t, err)
		return s.addTicket("a wrong ticket", ticket)
	}
	good := s.ticket("dave", 0, time.Hour)
	text := s.secret("what is no ticket")
	told := map[codes.Code]bool{}
	ask := func(f wire.Frame) wire.Frame {
		s.t.Helper()
		data := wire.Append(nil, f)
		first := base64.RawURLEncoding.EncodeToString(data)
		s.add("a frame in a handshake", first)
		answer := dial(s, n.endpoint, http.Header{"Tim-First": {first}}, nil)
		require.IsType(s.t, answer, dial(s, n.endpoint, nil, data))
		fmt.Fprintf(s.log("answers"), "%+v\n", readable(answer))
		if r, ok := answer.(*wire.Refused); ok {
			told[r.Code] = true
		}
		return answer
	}
	login := func(user, ticket string) wire.Frame {
		return ask(&wire.Login{Request: 1, Version: wire.Version, App: app, User: user, Ticket: ticket, Platform: codes.PlatformWeb, Instance: "i"})
	}
	accepted, ok := login("dave", good).(*wire.Accepted)
	require.True(s.t, ok)
	s.addResumeTicket("a resume ticket", accepted.ResumeTicket)
	login("erin", good)
	login("dave", signed(text, "dave", app, 0, time.Hour))
	login("dave", signed(s.key, "dave", app+1, 0, time.Hour))
	login("dave", signed(s.key, "dave", app, 2*time.Hour, -time.Hour))
	login("dave", text)
	login("dave", good[:len(good)/2])
	login("dave", good[:len(good)-9]+"AAAAAAAA_")
	ask(&wire.Login{Request: 1, Version: wire.Version, App: 7, User: "dave", Ticket: good, Platform: codes.PlatformWeb, Instance: "i"})
	ask(&wire.Login{Request: 1, Version: 99, App: app, User: "dave", Ticket: good, Platform: codes.PlatformWeb, Instance: "i"})
	ask(&wire.Login{Request: 1, Version: wire.Version, App: app, User: "dave", Ticket: good, Platform: 99, Instance: "i"})
	forged := append([]byte{}, accepted.ResumeTicket...)
	forged[len(forged)-20] ^= 1
	ask(&wire.Resume{Request: 1, Version: wire.Version, Ticket: forged})
	ask(&wire.Resume{Request: 1, Version: wire.Version, Ticket: []byte(text)})
	require.GreaterOrEqual(s.t, len(told), 7, "so many codes were told: %v", told)

	// What is no frame, a page that may not connect, paths that are others: each with a ticket in its handshake or its URL.
	frame := wire.Append(nil, &wire.Login{Request: 1, Version: wire.Version, App: app, User: "dave", Ticket: good})
	first := base64.RawURLEncoding.EncodeToString(frame)
	dial(s, n.endpoint, nil, []byte(good))
	dial(s, n.endpoint, nil, append(frame[:len(frame)-3:len(frame)-3], 0xc1))
	dial(s, n.endpoint, http.Header{"Tim-First": {good}}, nil)
	dial(s, n.endpoint, http.Header{"Tim-First": {first[:40]}}, nil)
	dial(s, n.endpoint, http.Header{"Tim-First": {strings.Repeat(first, 9)}}, frame)
	dial(s, n.endpoint, http.Header{"Tim-First": {first}, "Origin": {"https://elsewhere.example"}}, nil)
	dial(s, n.endpoint+"/other?usersig="+good, http.Header{"Tim-First": {first}}, nil)
	dial(s, n.endpoint+"?usersig="+good, http.Header{"Authorization": {"Bearer " + good}}, frame)
	return accepted.ResumeTicket
}

// dial connects, says something, and returns and writes down what it is told. Each time it comes from another address, through a
// proxy: an address with five failures is refused whatever it says.
func dial(s *stage, endpoint string, header http.Header, data []byte) wire.Frame {
	header = header.Clone()
	if header == nil {
		header = http.Header{}
	}
	s.addresses++
	header.Set("X-Forwarded-For", fmt.Sprintf("192.0.2.%d", s.addresses))
	conn, response, err := (&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}).Dial(endpoint, header)
	if response != nil {
		body := make([]byte, 1000)
		size, _ := response.Body.Read(body)
		fmt.Fprintln(s.log("answers"), response.Status, response.Header, string(body[:size]))
	}
	if err != nil {
		fmt.Fprintln(s.log("answers"), err)
		return nil
	}
	defer conn.Close()
	if data != nil {
		_ = conn.WriteMessage(websocket.BinaryMessage, data)
	}
	_ = conn.SetReadDeadline(time.Now().Add(patience))
	_, answer, err := conn.ReadMessage()
	if err != nil {
		fmt.Fprintln(s.log("answers"), err)
		return nil
	}
	f, err := wire.Decode(answer)
	require.NoError(s.t, err)
	return f
}

// readable is a frame without what may be in it: only an acceptance may have a resume ticket.
func readable(f wire.Frame) wire.Frame {
	if accepted, ok := f.(*wire.Accepted); ok {
		short := *accepted
		short.ResumeTicket = nil
		return &short
	}
	return f
}

// administration: REST with tickets that are good and wrong, in all places where somebody may put one.
func administration(s *stage, n *node) {
	good := s.ticket("root", 0, time.Hour)
	user := s.ticket("alice", 0, time.Hour)
	old := s.ticket("root", 2*time.Hour, -time.Hour)
	rest := func(ticket, command string, body any) {
		data, err := json.Marshal(body)
		require.NoError(s.t, err)
		query := url.Values{"sdkappid": {fmt.Sprint(app)}, "identifier": {"root"}, "usersig": {ticket}, "random": {"1"}, "contenttype": {"json"}}
		request, err := http.NewRequest(http.MethodPost, n.http()+"/v4/"+command+"?"+query.Encode(), strings.NewReader(string(data)))
		require.NoError(s.t, err)
		s.get("REST", request)
	}
	type object = map[string]any
	for _, ticket := range []string{good, user, old, "", good[:60], s.secret("no ticket of an administrator")} {
		rest(ticket, "openim/query_online_status", object{"To_Account": []string{"alice", "dave"}, "IsNeedDetail": 1})
	}
	rest(good, "tim_admin/sessions", object{"UserID": "dave"})
	for _, ticket := range []string{good, user, old, good[:60], good[:len(good)-9] + "AAAAAAAA_"} {
		rest(good, "tim_admin/diagnose_usersig", object{"UserID": "alice", "UserSig": ticket})
	}
	rest(good, "no_such/"+user[:60], object{"UserID": user})
	for _, command := range []string{"im_open_login_svc/kick", "tim_admin/sessions", "tim_admin/ban", "im_open_login_svc/account_import"} {
		rest(good, command, object{"UserID": 5, "UserSig": user})
		rest(good, command, object{"UserSig": user})
	}
	rest(good, "im_open_login_svc/account_check", object{"CheckItem": []object{{"UserID": "alice"}, {"UserID": "nobody"}}})
	rest(good, "im_open_login_svc/kick", object{"UserID": "dave"})
	rest(good, "tim_admin/ban", object{"UserID": "mallory"})
	rest(good, "im_open_login_svc/account_delete", object{"DeleteItem": []object{{"UserID": "erin"}}})
	rest(good, "tim_admin/get_dau", object{})
	for _, name := range []string{"dave", "mallory"} { // kicked: its ticket is revoked; banned
		dial(s, n.endpoint, nil, wire.Append(nil, &wire.Login{
			Request: 1, Version: wire.Version, App: app, User: name, Ticket: s.ticket(name, time.Minute, time.Hour), Platform: codes.PlatformWeb, Instance: "i",
		}))
	}
	require.Contains(s.t, s.said("REST"), `"ErrorCode":0`)
}

// crash: the server is killed and started again at the same place; a client that was online resumes, and is kicked then.
func crash(s *stage, n *node, format string, env []string, resume []byte) *node {
	client := s.start("a client that comes back", nil, filepath.Join(programs, "tim"), "login", "frank", "--endpoint", n.endpoint,
		"--app", fmt.Sprint(app), "--verbose", "--ticket", s.file("frank.ticket", s.ticket("frank", 0, time.Hour)))
	s.await("a client that comes back", "frank is logged in")
	s.end(n.program, os.Kill)
	address, err := url.Parse(n.endpoint)
	require.NoError(s.t, err)
	n = s.timd("timd", address.Host, format, env)
	s.await("a client that comes back", "connected again")
	dial(s, n.endpoint, nil, wire.Append(nil, &wire.Resume{Request: 1, Version: wire.Version, Ticket: resume})) // revoked by the kick
	s.tim("kick", "frank", "--endpoint", n.endpoint, "--app", fmt.Sprint(app), "--key-file", s.keyFile, "--admin", "root")
	s.over(client)
	return n
}

// commands: the CLI, with a server and without one, and what explains a ticket.
func commands(s *stage, n *node) {
	ticket := s.file("explained", s.ticket("alice", 0, time.Hour))
	target := []string{"--endpoint", n.endpoint, "--app", fmt.Sprint(app), "--key-file", s.keyFile, "--admin", "root"}
	nobody := append([]string{"--endpoint", "ws://127.0.0.1:1"}, target[2:]...)
	for _, to := range [][]string{target, nobody, append(nobody[:len(nobody):len(nobody)], "--json")} {
		s.tim(append([]string{"sessions", "alice"}, to...)...)
		s.tim(append([]string{"doctor"}, to...)...)
		s.tim(append([]string{"settings"}, to...)...)
	}
	text, err := os.ReadFile(ticket)
	require.NoError(s.t, err)
	s.tim("sig", "explain", strings.TrimSpace(string(text)), "--app", fmt.Sprint(app), "--key-file", s.keyFile)
	s.tim("sig", "explain", strings.TrimSpace(string(text)), "--app", "7")
	s.over(s.start("timd config", nil, filepath.Join(programs, "timd"), "config", "--config", filepath.Join(s.dir, "timd.yaml")))
	for _, name := range []string{"tim sessions", "tim doctor", "tim sig", "timd config"} {
		require.NotEmpty(s.t, s.said(name), name)
	}
}

// over: somebody dials a server that is gone.
func over(s *stage) {
	p := s.start("a client without a server", nil, filepath.Join(programs, "tim"), "login", "alice", "--endpoint", "ws://127.0.0.1:1", "--app", fmt.Sprint(app),
		"--verbose", "--ticket", s.file("late.ticket", s.ticket("alice", 0, time.Hour)))
	s.await("a client without a server", "cannot connect")
	s.end(p, os.Interrupt)
}

// A search that finds nothing may be one that does not look: here a device has a secret as its name, which others are shown.
func TestASecretThatIsToldIsFound(t *testing.T) {
	s := newStage(t)
	s.file("timd.yaml", fmt.Sprintf("data_dir: %q\nwebhook: {url: %q}\napps:\n  - {id: %d, key_file: %q, admins: [root]}\n",
		filepath.Join(s.dir, "data"), s.hook.URL, app, s.keyFile))
	n := s.timd("timd", "127.0.0.1:0", "json", nil)
	planted := s.secret("the planted secret")
	login := func(name, label string) *program {
		return s.start(name, nil, filepath.Join(programs, "tim"), "login", "alice", "--endpoint", n.endpoint, "--app", fmt.Sprint(app),
			"--key-file", s.keyFile, "--label", label, "--json")
	}
	old := login("an old device", "harmless")
	s.await("an old device", `"result"`)
	login("a new device", planted[:20])
	s.over(old)
	require.NotEmpty(t, s.find(s.said("an old device")), s.said("an old device"))
	require.Empty(t, s.find(s.said("timd")))
}
