package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/usersig"
)

const (
	restTimeout = 30 * time.Second
	adminTicket = 5 * time.Minute // for one request
	maxAnswer   = 16 << 20
)

// A rest is how a command asks the server's REST API, as an administrator of the app.
type rest struct {
	target
	admin               string
	json, allowInsecure bool
}

func (r *rest) flags(c *cobra.Command) {
	r.target.flags(c)
	r.endpointFlag(c)
	c.Flags().StringVar(&r.admin, "admin", "administrator", "administrator of the app, as the server's configuration names it")
	c.Flags().BoolVar(&r.json, "json", false, "print the server's answer as JSON")
	c.Flags().BoolVar(&r.allowInsecure, "allow-insecure", false, "accept ws:// beyond this machine: the administrator's ticket crosses the network in the clear")
}

// An asker asks the server one thing after the other.
type asker struct {
	rest
	base *url.URL
	key  string
	out  io.Writer
}

// open completes r from the running timd dev and checks it.
func (r *rest) open(out io.Writer) (*asker, error) {
	key, err := r.mustKey()
	if err != nil {
		return nil, err
	}
	if r.Endpoint == "" {
		return nil, r.missing("--endpoint")
	}
	base, err := restBase(r.Endpoint, r.allowInsecure)
	if err != nil {
		return nil, err
	}
	return &asker{rest: *r, base: base, key: key, out: out}, nil
}

// restBase returns where the REST API of an endpoint is: it shares host and port with the WebSocket.
func restBase(endpoint string, insecure bool) (*url.URL, error) {
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" || u.User != nil {
		return nil, fmt.Errorf("--endpoint %q is no URL such as wss://tim.example.com", endpoint)
	}
	switch u.Scheme {
	case "wss", "https":
		return &url.URL{Scheme: "https", Host: u.Host}, nil
	case "ws", "http":
		if !insecure && !thisMachine(u.Hostname()) {
			return nil, fmt.Errorf("--endpoint %s: the administrator's ticket would cross the network in the clear; use wss://, or permit it with --allow-insecure", endpoint)
		}
		return &url.URL{Scheme: "http", Host: u.Host}, nil
	}
	return nil, fmt.Errorf("--endpoint %s: choose wss://, https://, ws:// or http://", endpoint)
}

func thisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// ask calls a command and reads its answer into out. What the server refuses is an error with its code. It returns the answer as it came.
func (a *asker) ask(ctx context.Context, command string, in, out any) ([]byte, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	ticket, err := usersig.Sign(a.App, a.key, a.admin, adminTicket)
	if err != nil {
		return nil, err
	}
	where := *a.base
	where.Path = "/v4/" + command
	where.RawQuery = url.Values{
		"sdkappid": {strconv.FormatUint(a.App, 10)}, "identifier": {a.admin}, "usersig": {ticket},
		"random": {strconv.FormatUint(uint64(rand.Uint32()), 10)}, "contenttype": {"json"},
	}.Encode()
	ctx, cancel := context.WithTimeout(ctx, restTimeout)
	defer cancel()
	answer, err := post(ctx, &where, body)
	if err != nil {
		return nil, unreached{fmt.Errorf("ask %s: %w", a.base, err)}
	}
	var st struct {
		ActionStatus, ErrorInfo string
		ErrorCode               codes.Code
	}
	if err := json.Unmarshal(answer, &st); err != nil || st.ActionStatus == "" {
		return nil, unreached{fmt.Errorf("what answers at %s is no tim server", a.base)}
	}
	if st.ErrorCode != codes.OK {
		return answer, refusal{st.ErrorCode, st.ErrorInfo}
	}
	return answer, json.Unmarshal(answer, out)
}

// A refusal is what the server says in its own words.
type refusal struct {
	code codes.Code
	text string
}

func (r refusal) Error() string { return fmt.Sprintf("%s (%d)", printable(r.text), r.code) }
func (r refusal) Unwrap() error { return r.code }

// unreached is an error on the way to the server: nothing is wrong with the command line.
type unreached struct{ error }

func (unreached) Unwrap() error { return codes.Disconnected }

// post sends a request. Its errors do not name the URL, which holds a ticket.
func post(ctx context.Context, where *url.URL, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, where.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	response, err := client.Do(request)
	var failed *url.Error
	var dial *net.OpError
	switch {
	case errors.As(err, &dial) && dial.Op == "dial":
		return nil, dial.Err
	case errors.As(err, &failed):
		return nil, failed.Err
	case err != nil:
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answered %s, which no tim server does", response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, maxAnswer))
}

// tell prints an answer: as it came, or in words.
func (a *asker) tell(answer []byte, words func(t *tabwriter.Writer)) error {
	if a.json {
		_, err := fmt.Fprintf(a.out, "%s\n", answer)
		return err
	}
	t := tabwriter.NewWriter(a.out, 0, 0, 3, ' ', 0)
	words(t)
	return t.Flush()
}

// printable returns what a user has chosen as text that does nothing to a terminal.
func printable(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// ago says when something was, in Unix milliseconds.
func ago(ms int64) string {
	t := time.UnixMilli(ms)
	past := time.Since(t).Round(time.Second)
	if past > time.Hour {
		past = past.Round(time.Minute)
	}
	return fmt.Sprintf("%s (%s ago)", t.Local().Format("Mon 2 Jan 15:04:05"), shortDuration(max(past, 0)))
}
