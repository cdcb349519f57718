package main

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/opentim/tim/server/store/postgres"
	"github.com/opentim/tim/usersig"
)

const maxNode = 128 // bytes: the name is in every session

// check refuses values that cannot be meant, all at once. Files are read later.
func (l *loaded) check() error {
	var all []error
	bad := func(key, format string, args ...any) { all = append(all, l.wrong(key, fmt.Sprintf(format, args...))) }

	if !slices.Contains([]string{"text", "json"}, l.Log.Format) {
		bad("log.format", "%q is neither text nor json", l.Log.Format)
	}
	if _, err := l.logLevel(); err != nil {
		bad("log.level", "%q is none of debug, info, warn, error", l.Log.Level)
	}
	if l.DataDir == "" {
		bad("data_dir", "it is empty")
	}
	if len(l.Node) > maxNode || strings.ContainsFunc(l.Node, func(r rune) bool { return !unicode.IsPrint(r) }) {
		bad("node", "a name has at most %d printable characters", maxNode)
	}
	if l.Store != "" && !postgres.IsURL(l.Store) {
		bad("store", "it is no URL such as postgres://user@host/database")
	} else if l.Store != "" {
		if err := postgres.Check(l.Store); err != nil {
			bad("store", "%s: %v", postgres.Masked(l.Store), err)
		}
	}
	if l.Registry != "" {
		if err := l.natsOptions(nil).Check(); err != nil {
			bad("registry", "%v", err)
		}
		if l.Cluster.ResumeKeyFile == "" {
			bad("registry", "it needs cluster.resume_key_file, the same on all nodes; "+makeResumeKey)
		}
	}
	if (l.TLS.CertFile == "") != (l.TLS.KeyFile == "") {
		bad("tls", "cert_file and key_file belong together; one of them is missing")
	}
	for _, d := range []struct {
		key         string
		value       time.Duration
		least, most time.Duration
	}{
		{"ping_interval", l.PingInterval, 11 * time.Second, time.Hour},
		{"drain_time", l.DrainTime, 0, time.Hour},
		{"grace", l.Grace, time.Second, 24 * time.Hour},
		{"grace_web", l.GraceWeb, time.Second, 24 * time.Hour},
		{"sweep", l.Sweep, time.Second, time.Minute},
		{"webhook.timeout", l.Webhook.Timeout, 100 * time.Millisecond, time.Minute},
		{"reconnect.min", l.Reconnect.Min, time.Millisecond, time.Hour},
		{"reconnect.max", l.Reconnect.Max, l.Reconnect.Min, 24 * time.Hour},
		{"limits.first_frame", l.Limits.FirstFrame, time.Second, time.Minute},
		{"limits.write_timeout", l.Limits.WriteTimeout, 100 * time.Millisecond, time.Minute},
	} {
		if d.value < d.least || d.value > d.most {
			bad(d.key, "%v is not from %v to %v", d.value, d.least, d.most)
		}
	}
	if l.EvictRate < 1 {
		bad("evict_rate", "%d is less than 1", l.EvictRate)
	}
	if l.Limits.Connections < 0 {
		bad("limits.connections", "%d is negative", l.Limits.Connections)
	}
	for key, value := range map[string]float64{
		"limits.logins_per_second": l.Limits.LoginsPerSecond, "limits.address_connections": float64(l.Limits.AddressConnections),
		"limits.address_per_second": l.Limits.AddressPerSecond, "limits.user_logins_per_second": l.Limits.UserLoginsPerSecond,
	} {
		if !(value >= 0) || math.IsInf(value, 0) { // a float may be NaN
			bad(key, "%v is no number from 0 on", value)
		}
	}
	if l.Limits.FramesPerSecond < 1 {
		bad("limits.frames_per_second", "%d is less than 1", l.Limits.FramesPerSecond)
	}
	for _, o := range l.Origins {
		if u, err := url.Parse(o); o != "*" && (err != nil || u.Scheme == "" || u.Host == "" || u.Path != "") {
			bad("origins", "%q is no origin: write https://app.example.com, or *", o)
		}
	}
	if _, err := prefixes(l.TrustedProxies); err != nil {
		bad("trusted_proxies", "%v", err)
	}
	if _, err := prefixes(l.AdminAllow); err != nil {
		bad("admin_allow", "%v", err)
	}
	if host, _, err := net.SplitHostPort(l.PprofListen); l.PprofListen != "" && (err != nil || !isLoopback(host)) {
		bad("pprof_listen", "%q is no address of this machine, such as 127.0.0.1:6060: a profile shows what is in memory", l.PprofListen)
	}
	if _, _, err := net.SplitHostPort(l.MetricsListen); l.MetricsListen != "" && err != nil {
		bad("metrics_listen", "%v", err)
	}
	if l.Webhook.Queue < 1 {
		bad("webhook.queue", "%d is less than 1", l.Webhook.Queue)
	}
	l.checkWebhook(bad, "webhook.url", "webhook.token_file", l.Webhook.URL, l.Webhook.TokenFile)
	l.checkApps(bad)
	if err := l.checkListen(); err != nil {
		all = append(all, err)
	}
	return errors.Join(all...)
}

func (l *loaded) checkApps(bad func(key, format string, args ...any)) {
	seen := map[uint64]bool{}
	for i, a := range l.Apps {
		key := fmt.Sprintf("apps[%d]", i)
		switch {
		case a.ID == 0:
			bad(key, "id is missing")
		case a.ID > math.MaxInt64: // a negative number, read as one without a sign
			bad(key+".id", "%d is no SDKAppID", int64(a.ID))
		case seen[a.ID]:
			bad(key+".id", "%d is there twice", a.ID)
		}
		seen[a.ID] = true
		if a.KeyFile == "" {
			bad(key, "key_file is missing: the file with the secret key that signs this app's tickets")
		}
		if len(a.Admins) > 10 {
			bad(key+".admins", "%d admins; 10 at most", len(a.Admins))
		}
		for _, user := range a.Admins {
			if err := usersig.CheckUserID(user); err != nil {
				bad(key+".admins", "%q: %v", user, err)
			}
		}
		if a.WebhookTimeout != 0 && (a.WebhookTimeout < 100*time.Millisecond || a.WebhookTimeout > time.Minute) {
			bad(key+".webhook_timeout", "%v is not from 100ms to 1m", a.WebhookTimeout)
		}
		l.checkWebhook(bad, key+".webhook_url", key+".webhook_token_file", a.WebhookURL, a.WebhookTokenFile)
		if _, err := prefixes(a.AdminAllow); err != nil {
			bad(key+".admin_allow", "%v", err)
		}
		if _, err := time.LoadLocation(a.Zone); err != nil {
			bad(key+".zone", "%q is no time zone, such as Asia/Shanghai", a.Zone)
		}
	}
}

// checkListen insists on TLS where a ticket would cross a network.
func (l *loaded) checkListen() error {
	host, _, err := net.SplitHostPort(l.Listen)
	if err != nil {
		return l.wrong("listen", err.Error())
	}
	if l.TLS.CertFile != "" || l.AllowInsecure || isLoopback(host) {
		return nil
	}
	return fmt.Errorf(`%w: others could read the tickets that clients send to %s without TLS. Do one of these:
  give --tls-cert-file and --tls-key-file
  listen on this machine only: --listen 127.0.0.1:7700
  say that a proxy in front does TLS: --allow-insecure`, l.wrong("listen", "refusing to serve in the clear"), l.Listen)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

func (l *loaded) logLevel() (level slog.Level, err error) {
	if !slices.Contains([]string{"debug", "info", "warn", "error"}, strings.ToLower(l.Log.Level)) {
		return 0, errors.New("unknown level")
	}
	return level, level.UnmarshalText([]byte(l.Log.Level))
}

// prefixes reads networks; a bare address is a prefix of one.
func prefixes(list []string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, s := range list {
		if addr, err := netip.ParseAddr(s); err == nil {
			all = append(all, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return nil, fmt.Errorf("%q is neither an address nor a prefix such as 10.0.0.0/8", s)
		}
		all = append(all, p.Masked())
	}
	return all, nil
}
