package core

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
)

const (
	maxUserID = 32
	maxTicket = 16 << 10 // far more than a ticket has, far less than a frame may have
	maxName   = 64       // bytes of a label, an instance ID, a binding's name
)

func checkLogin(userID, ticket string) error {
	if n := len(userID); n == 0 || n > maxUserID {
		return fmt.Errorf("login: a userID of %d bytes: %w", n, codes.InvalidParameters)
	}
	if !printable(userID) {
		return fmt.Errorf("login: %w", codes.InvalidUserID)
	}
	if err := checkTicket(ticket); err != nil {
		return fmt.Errorf("login %s: %w", userID, err)
	}
	return nil
}

func checkTicket(ticket string) error {
	if n := len(ticket); n == 0 || n > maxTicket {
		return fmt.Errorf("a ticket of %d bytes: %w", n, codes.InvalidParameters)
	}
	return nil
}

func printable(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e }) < 0
}

// withDefaults fills in what is zero. The caller's Options and TLS configuration are not kept.
func (o Options) withDefaults() Options {
	o.URL = withPath(o.URL)
	if o.SDK == "" {
		o.SDK = "tim-go/" + codes.Version
	}
	if o.LoginTimeout == 0 {
		o.LoginTimeout = 15 * time.Second
	}
	if o.LogoutTimeout == 0 {
		o.LogoutTimeout = 5 * time.Second
	}
	if o.TLS != nil {
		o.TLS = o.TLS.Clone()
	}
	if o.NetDial == nil {
		o.NetDial = ws.NetDial
	}
	if o.Listener == nil {
		o.Listener = func(Event) {}
	}
	if o.Relayed == nil {
		o.Relayed = func(bool) {}
	}
	if o.OnState == nil {
		o.OnState = func(Snapshot) {}
	}
	return o
}

// validate names all mistakes in one error.
func (o Options) validate() error {
	mistakes := []string{checkURL(o.URL, o.AllowInsecure), checkName("Instance", o.Instance, maxName), checkName("SDK", o.SDK, maxName)}
	if o.App == 0 {
		mistakes = append(mistakes, "App is missing: it is the SDKAppID")
	}
	if _, ok := codes.ParsePlatform(o.Platform.String()); !ok {
		mistakes = append(mistakes, fmt.Sprintf("Platform %d is none of codes.Platform…", o.Platform))
	}
	if len(o.Label) > maxName || !utf8.ValidString(o.Label) {
		mistakes = append(mistakes, fmt.Sprintf("Label must be at most %d bytes of UTF-8", maxName))
	}
	if o.LoginTimeout < 0 || o.LogoutTimeout < 0 {
		mistakes = append(mistakes, "LoginTimeout and LogoutTimeout must not be negative")
	}
	switch o.LogLevel {
	case codes.LogNone, codes.LogDebug, codes.LogInfo, codes.LogWarn, codes.LogError:
	default:
		mistakes = append(mistakes, fmt.Sprintf("LogLevel %d is none of codes.Log…", o.LogLevel))
	}
	var all []string
	for _, m := range mistakes {
		if m != "" {
			all = append(all, m)
		}
	}
	if all == nil {
		return nil
	}
	return fmt.Errorf("%w: %s", codes.InvalidParameters, strings.Join(all, "; "))
}

func checkName(field, value string, most int) string {
	if len(value) <= most && printable(value) {
		return ""
	}
	return fmt.Sprintf("%s must be at most %d bytes of printable ASCII", field, most)
}

// checkURL returns what is wrong with raw, or "". It never repeats raw, which may hold a password.
func checkURL(raw string, insecure bool) string {
	u, err := url.Parse(raw)
	switch {
	case raw == "":
		return "URL is missing: it is wss://host[:port]"
	case err != nil || u.Hostname() == "" || u.Scheme != "ws" && u.Scheme != "wss":
		return "URL must be wss://host[:port][/path]"
	case u.User != nil || u.Fragment != "":
		return "URL must hold neither a user nor a fragment"
	case u.Scheme == "ws" && !insecure && !loopback(u.Hostname()):
		return "URL must be wss:// beyond loopback, because the ticket would cross the network in the clear; AllowInsecure permits ws://"
	}
	return ""
}

// withPath adds the path that servers answer on, where raw has none. A URL that is none stays as it is, for checkURL.
func withPath(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Path != "" && u.Path != "/" {
		return raw
	}
	u.Path = wire.Path
	return u.String()
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
