//go:build linux

package proof

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/time/rate"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/usersig"
)

const (
	appID  = 1400000001
	appKey = "the key of the proof's app"
	admin  = "administrator"
)

// A node is a timd, with wires to everything it knows and one from its clients.
type node struct {
	*process
	number int
	addr   string // its own
	front  *cable // for clients
	nats   []*cable
	store  *cable
	skew   int // seconds
}

// newNode adds a node, which is not started yet.
func (c *cluster) newNode(addr string, skew int) *node {
	t := c.t
	n := &node{number: len(c.nodes), addr: addr, skew: skew}
	name := fmt.Sprint("node-", n.number)
	n.front = newCable(t, name+" front", addr)
	n.store = newCable(t, name+" store", fmt.Sprintf("127.0.0.1:%d", c.postgres.Port()))
	store := n.store.end(c.o.plain)
	var urls []string
	for i, to := range c.natsAddrs {
		w := newCable(t, fmt.Sprint(name, " nats ", i), to)
		n.nats = append(n.nats, w)
		urls = append(urls, "nats://"+w.end(c.o.plain))
	}
	config := fmt.Sprintf(`
listen: %s
data_dir: %q
node: %s
store: postgres://tim@%s/postgres?sslmode=disable
registry: %s
cluster: {replicas: %d, resume_key_file: %q}
metrics_listen: 127.0.0.1:0
log: {format: json, level: debug}
limits: {user_logins_per_second: 0}
grace: %s
grace_web: %s
sweep: %s
reconnect: {min: 1s}
apps: [{id: %d, key_file: %q, admins: [%s], zone: %s}]
`, addr, filepath.Join(c.dir, name), name, store, strings.Join(urls, ","), len(c.natsAddrs), c.file("resume.key"),
		c.o.grace, c.o.grace, c.o.sweep, appID, c.file("app.key"), admin, zoneOfNoon())
	if c.o.hook != nil {
		config += fmt.Sprintf("webhook: {url: %s/hook, token_file: %q}\n", c.o.hook.URL, c.file("hook.token"))
	}
	file := filepath.Join(c.dir, name+".yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	n.process = newProcess(t, c.dir, name, func() *exec.Cmd {
		cmd := exec.Command(filepath.Join(bin, "timd"), "serve", "--config", file)
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", skewEnv, skew))
		return cmd
	}, n.readyz)
	c.nodes = append(c.nodes, n)
	return n
}

func (c *cluster) file(name string) string { return filepath.Join(c.dir, name) }

// writeSecrets makes what all nodes share.
func (c *cluster) writeSecrets() {
	for name, secret := range map[string]string{"app.key": appKey, "resume.key": "the key of the proof's resume tickets", "hook.token": hookToken} {
		require.NoError(c.t, os.WriteFile(c.file(name), []byte(secret), 0o600))
	}
}

// zoneOfNoon is where it is about noon now, so that no day ends in a history.
func zoneOfNoon() string {
	return fmt.Sprintf("Etc/GMT%+d", time.Now().UTC().Hour()-12) // the sign of these names is the other way round
}

func (n *node) readyz() error {
	client := http.Client{Timeout: 3 * time.Second}
	res, err := client.Get("http://" + n.addr + "/readyz")
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("readyz: %s", res.Status)
	}
	return nil
}

var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 12 * time.Second}

// rest asks a node as the administrator. The error is a codes.Code if the node answered it.
func (n *node) rest(ctx context.Context, command string, in, out any) error {
	ticket, err := usersig.Sign(appID, appKey, admin, time.Hour)
	if err != nil {
		return err
	}
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	url := fmt.Sprintf("http://%s/v4/%s?sdkappid=%d&identifier=%s&usersig=%s&random=1&contenttype=json", n.addr, command, appID, admin, ticket)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	res, err := httpClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var status struct {
		ErrorCode codes.Code
		ErrorInfo string
	}
	if err := json.Unmarshal(text, &status); err != nil {
		return fmt.Errorf("%s: %w: %s", command, err, text)
	}
	if status.ErrorCode != 0 {
		return fmt.Errorf("%s: %s: %w", command, status.ErrorInfo, status.ErrorCode)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(text, out)
}

// A node answers this question 200 times a second. Tests that ask about many users until all is well reach that on a quick machine.
var questions = rate.NewLimiter(150, 20)

// sessions asks who of a user is signed in.
func (n *node) sessions(ctx context.Context, user string) ([]server.Session, error) {
	if err := questions.Wait(ctx); err != nil {
		return nil, err
	}
	var out struct {
		Sessions []struct {
			Session, Instance, Platform, Label, Status, Node string
			LoginSeq                                         uint64
		}
	}
	if err := n.rest(ctx, "tim_admin/sessions", map[string]string{"UserID": user}, &out); err != nil {
		return nil, err
	}
	list := make([]server.Session, 0, len(out.Sessions))
	for _, s := range out.Sessions {
		p, ok := codes.ParsePlatform(s.Platform)
		if !ok {
			return nil, fmt.Errorf("a session on the platform %q", s.Platform)
		}
		one := server.Session{ID: s.Session, Instance: s.Instance, Platform: p, Label: s.Label, LoginSeq: s.LoginSeq, Node: server.NodeID(s.Node)}
		if s.Status != "Online" {
			one.AwayUntil = time.Now()
		}
		list = append(list, one)
	}
	return list, nil
}

// settings asks what a node knows of who may be online together.
func (n *node) settings(ctx context.Context) (s server.Settings, err error) {
	var out struct {
		Policy  string
		Limits  map[string]int
		Version int64
	}
	if err := n.rest(ctx, "tim_admin/get_login_settings", struct{}{}, &out); err != nil {
		return s, err
	}
	policy, ok := codes.ParsePolicy(out.Policy)
	if !ok {
		return s, fmt.Errorf("a policy %q", out.Policy)
	}
	s = server.Settings{Policy: policy, Version: out.Version, Limits: map[codes.Platform]int{}}
	for name, limit := range out.Limits {
		p, _ := codes.ParsePlatform(name)
		s.Limits[p] = limit
	}
	return s, nil
}

// wish is what to send to have these settings.
func wish(s server.Settings) map[string]any {
	limits := map[string]int{}
	for p := range allPlatforms() {
		limits[p.String()] = s.Limit(p)
	}
	return map[string]any{"Policy": s.Policy.String(), "Limits": limits}
}

func mustSign(t testing.TB, user string) string {
	t.Helper()
	ticket, err := usersig.Sign(appID, appKey, user, time.Hour)
	require.NoError(t, err)
	return ticket
}
