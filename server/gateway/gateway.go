package gateway

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/internal/wire"
	"github.com/opentim/tim/internal/ws"
	"github.com/opentim/tim/server"
)

// Path is where the WebSocket answers; every other path belongs to Options.HTTP.
const Path = wire.Path

// Sessions is what a Gateway needs of *server.Sessions.
type Sessions interface {
	Login(ctx context.Context, c server.Conn, in server.LoginRequest) (server.Grant, error)
	Resume(ctx context.Context, c server.Conn, resumeTicket []byte) (server.Grant, error)
	Renew(ctx context.Context, h *server.Held, ticket string) (server.Grant, error)
	Logout(ctx context.Context, h *server.Held) error
	Lost(h *server.Held)
	Online() int
	Wheel() *server.Wheel
}

var _ Sessions = (*server.Sessions)(nil)

// Options say how a Gateway works. Sessions is required; the zero value of every other field works.
type Options struct {
	Sessions Sessions
	// HTTP answers requests to other paths than Path. Nil answers 404.
	HTTP http.Handler
	// TLS makes every connection a TLS connection. Nil means plain TCP.
	TLS *tls.Config

	// PingInterval is how often a client is pinged. One that says nothing for 10 s after a ping is lost. Zero means 25 s; the
	// least is 11 s, so that the answer to a ping comes before the next one.
	PingInterval time.Duration
	// FirstFrame bounds each step until a login is asked for: the TLS handshake, the request's head, the first frame, and the
	// next one after a refusal. Zero means 10 s.
	FirstFrame time.Duration
	// WriteTimeout bounds each write: a client that does not read for that long is lost. Zero means 5 s.
	WriteTimeout time.Duration

	// MaxConnections bounds connections of all kinds; more are closed at once. Zero means no bound.
	MaxConnections int
	// AddressConnections bounds the connections of one client address, and AddressRate how many it may open per second, ten times
	// as many at once; more are closed at once. An IPv6 network of 64 bits counts as one address. This machine is not limited;
	// behind a trusted proxy the client's own address is. Zero means no bound.
	AddressConnections int
	AddressRate        float64
	// FramesPerSecond is how many frames, pings included, a client may send over ten seconds; one that sends more is dropped.
	// Zero means 20.
	FramesPerSecond int
	// Admissions is how many logins and resumes are taken per second; the surplus is refused with codes.Overloaded and told
	// when to come back. Zero means what this machine was measured to be able to do.
	Admissions float64
	// ReconnectMin and ReconnectMax bound the time over which the clients of this node are told to spread when they come back.
	// Zero means 2 s and 5 min.
	ReconnectMin, ReconnectMax time.Duration

	// Origins are the pages, such as "https://app.example.com", from which a browser may connect, besides those of the same
	// host. "*" allows all. Programs that are no browser send no origin and may always connect.
	Origins []string
	// TrustedProxies are the addresses from which X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix

	Logger *slog.Logger // nil logs nothing
}

func (o Options) filled() Options {
	zero := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	zero(&o.PingInterval, 25*time.Second)
	zero(&o.FirstFrame, 10*time.Second)
	zero(&o.WriteTimeout, 5*time.Second)
	zero(&o.ReconnectMin, 2*time.Second)
	zero(&o.ReconnectMax, 5*time.Minute)
	if o.FramesPerSecond <= 0 {
		o.FramesPerSecond = 20
	}
	o.PingInterval = max(o.PingInterval, pongTimeout+time.Second)
	o.ReconnectMax = max(o.ReconnectMax, o.ReconnectMin)
	if o.HTTP == nil {
		o.HTTP = http.NotFoundHandler()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// A Gateway serves clients. Its methods may be called from any goroutine.
type Gateway struct {
	*crew     // every goroutine of the Gateway
	o         Options
	log       *slog.Logger
	noise     *noise
	bugs      *noise // beside it, so that nobody can make noise to hide them
	sessions  Sessions
	wheel     *server.Wheel
	upgrader  ws.Upgrader
	admission *admission
	window    window
	seats     seats
	addresses *addresses
	counts    counts
	parker    *parker
	web       *web

	ctx      context.Context // ends when Close has waited
	cancel   context.CancelFunc
	draining atomic.Bool
	open     atomic.Int64 // connections of all kinds

	mu        sync.Mutex
	listeners []net.Listener
	closed    bool
}

// New returns a Gateway. Close it before the Sessions.
func New(o Options) (*Gateway, error) {
	o = o.filled()
	g := &Gateway{
		crew: newCrew(), o: o, log: o.Logger, noise: newNoise(o.Logger), bugs: newNoise(o.Logger),
		sessions: o.Sessions, wheel: o.Sessions.Wheel(),
		upgrader:  ws.Upgrader{CheckOrigin: checkOrigin(o.Origins), WriteTimeout: o.WriteTimeout},
		admission: newAdmission(o.Admissions), addresses: newAddresses(o),
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	var err error
	if g.parker, err = newParker(g); err != nil {
		return nil, err
	}
	g.web = newWeb(g)
	return g, nil
}

// Online returns how many connections there are, signed in or not, and those of other paths too.
func (g *Gateway) Online() int { return int(g.open.Load()) }

// Close stops listening and drops every connection without a word; Drain says goodbye first. It waits until nothing of the
// Gateway runs, for ctx at most.
func (g *Gateway) Close(ctx context.Context) error {
	defer g.cancel()
	g.draining.Store(true)
	g.mu.Lock()
	g.closed = true
	for _, l := range g.listeners {
		_ = l.Close()
	}
	g.mu.Unlock()
	g.dismiss()
	g.web.close()
	for _, c := range g.seats.all() {
		c.guarded(c.drop)
	}
	g.parker.close()
	return g.wait(ctx)
}
