package nats

import (
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Options say how NATS is reached. URL is required.
type Options struct {
	// URL names the servers: "nats://host:4222", or tls:// or ws:// or wss://, with a user and a password if needed; several
	// are parted by commas. One that answers is enough.
	URL string
	// Cluster tells clusters apart that share one NATS: letters, digits, - and _. Empty means "tim".
	Cluster string
	// Replicas is how many NATS servers keep each bucket: 1, 3 or 5; 3 survives the death of one server. Zero means 1.
	Replicas int

	CredentialsFile string // of a NATS user, as nsc makes it
	CAFile          string // PEM; whom a server's certificate must come from, if that is not the system's business
	CertFile        string // PEM; with KeyFile, this client's certificate
	KeyFile         string

	Logger *slog.Logger // nil logs nothing
}

const maxReplicas = 5

var clusterName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// IsURL reports whether text looks like the URL of NATS servers.
func IsURL(text string) bool {
	return slices.ContainsFunc([]string{"nats://", "tls://", "ws://", "wss://"}, func(s string) bool { return strings.HasPrefix(text, s) })
}

// Masked returns a URL, or several, for people to read: without passwords and tokens.
func Masked(text string) string {
	parts := strings.Split(text, ",")
	for i, p := range parts {
		u, err := url.Parse(strings.TrimSpace(p))
		if err != nil {
			return "(a URL that cannot be read)" // and whose password cannot be told from the rest
		}
		if _, both := u.User.Password(); u.User != nil && !both {
			u.User = url.User("xxxxx") // a token
		}
		parts[i] = u.Redacted()
	}
	return strings.Join(parts, ",")
}

// Check says what is wrong with o, if it can be told without files and without a connection.
func (o Options) Check() error {
	_, err := o.withDefaults()
	return err
}

func (o Options) withDefaults() (Options, error) {
	if o.Cluster == "" {
		o.Cluster = "tim"
	}
	if o.Replicas == 0 {
		o.Replicas = 1
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	var errs []error
	for one := range strings.SplitSeq(o.URL, ",") {
		one = strings.TrimSpace(one)
		if u, err := url.Parse(one); err != nil || u.Host == "" || !IsURL(one) {
			errs = append(errs, errors.New("the URL must be nats://host:port or tls://host:port; parted by commas if there are several"))
			break // without the URL: it may hold a password
		}
	}
	if !clusterName.MatchString(o.Cluster) {
		errs = append(errs, fmt.Errorf("the cluster %q must be 1 to 32 letters, digits, - or _", o.Cluster))
	}
	if o.Replicas < 1 || o.Replicas > maxReplicas || o.Replicas%2 == 0 {
		errs = append(errs, fmt.Errorf("%d replicas: must be 1, 3 or 5", o.Replicas))
	}
	if (o.CertFile == "") != (o.KeyFile == "") {
		errs = append(errs, errors.New("a certificate needs its key, and the other way round"))
	}
	return o, errors.Join(errs...)
}

const (
	pingEvery    = time.Second // with maxPings, a dead connection is noticed within 3 s: half a lease
	maxPings     = 2
	dialTime     = 2 * time.Second
	reconnectMin = 100 * time.Millisecond
	reconnectMax = 2 * time.Second // at most a third of a lease
)

// connect returns a connection that comes back for ever. It succeeds also if no server answers yet.
func (r *Registry) connect() (*nats.Conn, error) {
	o := r.o
	options := []nats.Option{
		nats.Name("timd " + o.Cluster),
		nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.IgnoreAuthErrorAbort(),
		nats.CustomReconnectDelay(reconnectDelay), nats.Timeout(dialTime),
		nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(maxPings),
		nats.ReconnectBufSize(-1), // what cannot be sent now fails now
		nats.NoEcho(),             // this node tells itself without NATS
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { r.cut(err) }),
		nats.ReconnectHandler(r.back),
		nats.ConnectHandler(r.back),
		nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { r.refusal.Store(&err) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) { r.failed(sub, err) }),
	}
	if o.CredentialsFile != "" {
		options = append(options, nats.UserCredentials(o.CredentialsFile))
	}
	if o.CAFile != "" {
		options = append(options, nats.RootCAs(o.CAFile))
	}
	if o.CertFile != "" {
		options = append(options, nats.ClientCert(o.CertFile, o.KeyFile))
	}
	return nats.Connect(o.URL, options...)
}

// reconnectDelay is how long to wait after all servers were tried so often: full jitter, so that the nodes do not come back
// at once.
func reconnectDelay(tries int) time.Duration {
	most := min(reconnectMin<<min(tries, 10), reconnectMax)
	return reconnectMin/2 + rand.N(most)
}
