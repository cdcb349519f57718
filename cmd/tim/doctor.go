package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/ws"
)

const (
	doctorStep     = 5 * time.Second // for one check
	clockTolerance = 5 * time.Second
	certificateDue = 14 * 24 * time.Hour
)

func newDoctor() *cobra.Command {
	var r rest
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Find out why clients cannot log in",
		Long: `doctor goes the way of a login, step by step, and says what it found and what to do: is the address there, is the certificate
good and for how long, is the server ready, do the clocks agree, does the WebSocket get through whatever stands between, and
is the administrator, whose key this is, let in.

It changes nothing. It exits with 1 if a step failed; what only deserves attention is a "warn".`,
		Example: `  tim doctor                        # beside "timd dev"
  tim doctor --endpoint wss://tim.example.com
  tim doctor --endpoint wss://tim.example.com --app 1400000000 --key-file key --admin root --json`,
		Args: none,
		RunE: func(c *cobra.Command, _ []string) error {
			d, err := newDoctorOf(&r)
			if err != nil {
				return err
			}
			return d.run(c.Context(), c.OutOrStdout(), r.json)
		},
	}
	r.flags(c)
	return c
}

// A doctor looks at one server.
type doctor struct {
	rest *rest
	base *url.URL // of REST
	key  string   // may be empty
	http *http.Client

	socket string // the URL of the WebSocket
}

// A finding is what one step came to.
type finding struct {
	Step   string
	Result string // ok, warn, fail or skip
	Found  string
	Advice string `json:",omitempty"`
	err    error
}

func newDoctorOf(r *rest) (*doctor, error) {
	if err := r.fill(); err != nil {
		return nil, err
	}
	if r.Endpoint == "" {
		return nil, r.missing("--endpoint")
	}
	base, err := restBase(r.Endpoint, r.allowInsecure)
	if err != nil {
		return nil, err
	}
	key, err := r.target.key()
	if err != nil {
		return nil, err
	}
	d := &doctor{rest: r, base: base, key: key}
	d.http = &http.Client{
		Timeout: doctorStep, Transport: &http.Transport{DisableKeepAlives: true}, // every step stands for itself, and past proxies
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	u, _ := url.Parse(r.Endpoint) // restBase has read it
	d.socket = strings.Replace(base.Scheme, "http", "ws", 1) + "://" + base.Host + cmp.Or(strings.TrimSuffix(u.Path, "/"), "/tim")
	return d, nil
}

func (d *doctor) run(ctx context.Context, out io.Writer, asJSON bool) error {
	steps := []func(context.Context) finding{d.address, d.certificate, d.ready, d.clock, d.websocket, d.administrator}
	var all []finding
	var failed error
	for i, step := range steps {
		ctx, cancel := context.WithTimeout(ctx, doctorStep)
		f := step(ctx)
		cancel()
		all = append(all, f)
		if f.Result == "fail" {
			failed = cmp.Or(failed, f.err)
			if i < 3 { // nobody there, or nobody to be trusted: what comes next would fail for the same reason
				break
			}
		}
	}
	if err := report(out, all, asJSON); err != nil || failed == nil {
		return err
	}
	var code codes.Code
	if !errors.As(failed, &code) {
		failed = unreached{failed}
	}
	return said{failed}
}

func report(out io.Writer, all []finding, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(all)
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range all {
		fmt.Fprintf(t, "%s\t%s\t%s\n", f.Result, f.Step, printable(f.Found))
		if f.Advice != "" {
			fmt.Fprintf(t, "\t\t-> %s\n", f.Advice)
		}
	}
	return t.Flush()
}

func ok(step, format string, args ...any) finding {
	return finding{Step: step, Result: "ok", Found: fmt.Sprintf(format, args...)}
}

func fails(step string, err error, advice string) finding {
	return finding{Step: step, Result: "fail", Found: err.Error(), Advice: advice, err: err}
}

func (d *doctor) hostPort() string {
	port := cmp.Or(d.base.Port(), map[string]string{"http": "80", "https": "443"}[d.base.Scheme])
	return net.JoinHostPort(d.base.Hostname(), port)
}

func (d *doctor) address(ctx context.Context) finding {
	began := time.Now()
	c, err := new(net.Dialer).DialContext(ctx, "tcp", d.hostPort())
	if err != nil {
		return fails("address", err, "is timd running, is the name right, and does a firewall let "+d.hostPort()+" through?")
	}
	defer c.Close()
	return ok("address", "%s answers in %v", c.RemoteAddr(), time.Since(began).Round(10*time.Microsecond))
}

func (d *doctor) certificate(ctx context.Context) finding {
	if d.base.Scheme == "http" {
		return finding{Step: "certificate", Result: "skip", Found: "the connection is not encrypted, which is for this machine only"}
	}
	c, err := (&tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12}}).DialContext(ctx, "tcp", d.hostPort())
	if err != nil {
		return fails("certificate", err, "clients refuse it, too: tls.cert_file must hold the whole chain, for this name")
	}
	defer c.Close()
	leaf := c.(*tls.Conn).ConnectionState().PeerCertificates[0]
	f := ok("certificate", "good until %s", leaf.NotAfter.Local().Format("Mon 2 Jan 2006"))
	if time.Until(leaf.NotAfter) < certificateDue {
		f.Result, f.Advice = "warn", "renew it; timd notices new files by itself"
	}
	return f
}

func (d *doctor) get(ctx context.Context, path string) (*http.Response, string, error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, d.base.String()+path, nil)
	if err != nil {
		return nil, "", err
	}
	res, err := d.http.Do(q)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	return res, strings.TrimSpace(string(body)), err
}

func (d *doctor) ready(ctx context.Context) finding {
	res, body, err := d.get(ctx, "/readyz")
	switch {
	case err != nil:
		return fails("server", err, "the port is open, but nobody answers HTTP there")
	case res.StatusCode == http.StatusServiceUnavailable && (body == "draining" || strings.HasPrefix(body, "the store")):
		return fails("server", fmt.Errorf("it is not ready: %s: %w", body, codes.ServiceNotReady), "its log says more; new logins have to wait")
	case res.StatusCode != http.StatusOK || body != "ready":
		return fails("server", fmt.Errorf("what answers is no tim server: HTTP %d", res.StatusCode), "is a proxy in front, and does it pass every path on?")
	}
	return ok("server", "timd %s is ready; this is tim %s", cmp.Or(d.version(ctx), "?"), codes.Version)
}

// version asks the server for its version.
func (d *doctor) version(ctx context.Context) string {
	_, body, err := d.get(ctx, "/v4/openapi.json")
	var document struct{ Info struct{ Version string } }
	if err != nil || json.Unmarshal([]byte(body), &document) != nil {
		return ""
	}
	return document.Info.Version
}

// clock compares the clocks by the header Date, which has whole seconds.
func (d *doctor) clock(ctx context.Context) finding {
	began := time.Now()
	res, _, err := d.get(ctx, "/v4/openapi.json")
	if err != nil {
		return fails("clock", err, "")
	}
	there, err := http.ParseTime(res.Header.Get("Date"))
	if err != nil {
		return finding{Step: "clock", Result: "skip", Found: "the server does not say what time it is"}
	}
	middle := began.Add(time.Since(began) / 2)
	off := there.Add(500 * time.Millisecond).Sub(middle).Round(time.Second)
	if off.Abs() <= clockTolerance {
		return ok("clock", "the server's agrees with this machine's")
	}
	return finding{Step: "clock", Result: "warn", Found: fmt.Sprintf("the server's is %v off this machine's", off),
		Advice: "tickets end by the server's clock, and begin by that of your backend: let NTP set all of them"}
}

func (d *doctor) websocket(ctx context.Context) finding {
	began := time.Now()
	c, err := ws.Dial(ctx, ws.DialOptions{URL: d.socket})
	if err != nil {
		return fails("websocket", err, "REST gets through and the WebSocket does not: a proxy in front must pass on Upgrade and Connection, at "+d.socket)
	}
	c.Drop()
	return ok("websocket", "%s takes connections, in %v", d.socket, time.Since(began).Round(10*time.Microsecond))
}

// advice says what to do about what an administrator is answered.
var advice = map[codes.Code]string{
	codes.NotAdmin:          "name the user under admins of the app in timd's configuration, or give another with --admin",
	codes.TicketKeyMismatch: "--key-file has another key than timd: it must be a line of the app's key_file",
	codes.InvalidSDKAppID:   "timd serves no such app: compare --app with its configuration",
	codes.AddressForbidden:  "admin_allow in timd's configuration does not list this machine",
	codes.TicketRevoked:     "the administrator was kicked or deleted within this second: try again",
	codes.AccountBanned:     "somebody banned the administrator's account: another administrator can end that with tim unban",
	codes.TicketExpired:     "the clocks disagree: see clock",
}

func (d *doctor) administrator(ctx context.Context) finding {
	if d.key == "" || d.rest.App == 0 {
		return finding{Step: "administrator", Result: "skip", Found: "give --app, --key-file and --admin to look at that, too"}
	}
	a := &asker{rest: *d.rest, base: d.base, key: d.key}
	var s loginSettings
	if _, err := a.ask(ctx, "tim_admin/get_login_settings", map[string]any{}, &s); err != nil {
		var code codes.Code
		_ = errors.As(err, &code)
		return fails("administrator", err, advice[code])
	}
	return ok("administrator", "%s may administer app %d, whose policy is %s", d.rest.admin, d.rest.App, s.Policy)
}
