package admin

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// Metrics count what a node does, for Prometheus. No label names a user, an app or an address: their number is bounded by the
// tables of codes, reasons and commands. A nil *Metrics counts nothing.
type Metrics struct {
	registry *prometheus.Registry

	logins, resumes, renewals  *prometheus.CounterVec // by code
	loginSeconds, restSeconds  prometheus.Histogram
	kicks                      *prometheus.CounterVec // by reason
	lost, logouts, ticketsDone prometheus.Counter
	commits                    *prometheus.HistogramVec // by operation
	storeErrors                *prometheus.CounterVec   // by operation
	requests                   *prometheus.CounterVec   // by command and code
}

// NewMetrics returns Metrics that are all zero.
func NewMetrics() *Metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	count := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	timing := func(name, help string, first float64, labels ...string) *prometheus.HistogramVec {
		h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(first, 4, 9)}, labels)
		r.MustRegister(h)
		return h
	}
	m := &Metrics{
		registry:     r,
		logins:       count("tim_logins_total", "Logins, by the code they were answered with; 0 is success.", "code"),
		resumes:      count("tim_resumes_total", "Sessions that came back by resume ticket, by code.", "code"),
		renewals:     count("tim_renewals_total", "Tickets renewed, by code.", "code"),
		loginSeconds: timing("tim_login_seconds", "Time that logins and resumes took here.", 25e-6).WithLabelValues().(prometheus.Histogram),
		kicks:        count("tim_kicks_total", "Clients that were told on their connection that their session was ended, by reason.", "reason"),
		lost:         count("tim_lost_total", "Connections of sessions that were lost.").WithLabelValues(),
		logouts:      count("tim_logouts_total", "Logouts.").WithLabelValues(),
		ticketsDone:  count("tim_tickets_expired_total", "Sessions that ended with their ticket.").WithLabelValues(),
		commits:      timing("tim_store_commit_seconds", "Time until a write of the store was durable.", 100e-6, "operation"),
		storeErrors:  count("tim_store_errors_total", "Calls of the store that failed, answers such as that an account is not there apart.", "operation"),
		requests:     count("tim_rest_requests_total", "REST requests, by command and code.", "command", "code"),
		restSeconds:  timing("tim_rest_seconds", "Time that REST requests took.", 100e-6).WithLabelValues().(prometheus.Histogram),
	}
	for _, reason := range []codes.KickReason{
		codes.KickMultipleAccount, codes.KickMultipleDevice, codes.KickRESTAPI, codes.KickReplaced, codes.KickAccountDeleted,
	} {
		m.kicks.WithLabelValues(reason.String()) // so that it is there before the first
	}
	for _, answers := range []*prometheus.CounterVec{m.logins, m.resumes, m.renewals} {
		answers.WithLabelValues(label(codes.OK))
	}
	m.commits.WithLabelValues("arrive")
	m.storeErrors.WithLabelValues("arrive")
	for name := range byName {
		m.requests.WithLabelValues(name, label(codes.OK))
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "tim_build_info", Help: "The version that runs; always 1."}, []string{"version"})
	build.WithLabelValues(codes.Version).Set(1)
	r.MustRegister(build)
	return m
}

// Gauge adds a number that is read when Prometheus asks. It is called before Handler is.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Counter adds a number that only grows while the process lives, as Gauge does.
func (m *Metrics) Counter(name, help string, read func() uint64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, func() float64 { return float64(read()) }))
}

// Handler answers Prometheus.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

func (m *Metrics) rest(cmd *command, code codes.Code, took time.Duration) {
	if m == nil {
		return
	}
	m.requests.WithLabelValues(cmd.name(), label(code)).Inc()
	m.restSeconds.Observe(took.Seconds())
}

func label(code codes.Code) string { return strconv.Itoa(int(code)) }

// labelOf returns the label of an answer to a client.
func labelOf(err error) string { return label(common.codeOf(err)) }

// Measured is a server.Sessions whose logins, resumes and kicks are counted. A gateway takes it in the place of the other.
type Measured struct {
	*server.Sessions
	m *Metrics
}

// Sessions returns s with everything counted that connections do with it.
func (m *Metrics) Sessions(s *server.Sessions) Measured {
	m.registry.MustRegister(platformsOnline{s})
	return Measured{s, m}
}

// platformsOnline counts sessions when Prometheus asks.
type platformsOnline struct{ s *server.Sessions }

var onlineDesc = prometheus.NewDesc("tim_sessions_online", "Sessions with a live connection to this node, by platform.", []string{"platform"}, nil)

func (p platformsOnline) Describe(to chan<- *prometheus.Desc) { to <- onlineDesc }

func (p platformsOnline) Collect(to chan<- prometheus.Metric) {
	online := p.s.OnlineBy()
	for _, platform := range codes.Platforms() {
		to <- prometheus.MustNewConstMetric(onlineDesc, prometheus.GaugeValue, float64(online[platform]), platform.String())
	}
}

// Login counts server.Sessions.Login.
func (s Measured) Login(ctx context.Context, c server.Conn, in server.LoginRequest) (server.Grant, error) {
	began := time.Now()
	grant, err := s.Sessions.Login(ctx, measuredConn{c, s.m}, in)
	s.m.loginSeconds.Observe(time.Since(began).Seconds())
	s.m.logins.WithLabelValues(labelOf(err)).Inc()
	return grant, err
}

// Resume counts server.Sessions.Resume.
func (s Measured) Resume(ctx context.Context, c server.Conn, resumeTicket []byte) (server.Grant, error) {
	began := time.Now()
	grant, err := s.Sessions.Resume(ctx, measuredConn{c, s.m}, resumeTicket)
	s.m.loginSeconds.Observe(time.Since(began).Seconds())
	s.m.resumes.WithLabelValues(labelOf(err)).Inc()
	return grant, err
}

// Renew counts server.Sessions.Renew.
func (s Measured) Renew(ctx context.Context, h *server.Held, ticket string) (server.Grant, error) {
	grant, err := s.Sessions.Renew(ctx, h, ticket)
	s.m.renewals.WithLabelValues(labelOf(err)).Inc()
	return grant, err
}

// Logout counts server.Sessions.Logout.
func (s Measured) Logout(ctx context.Context, h *server.Held) error {
	s.m.logouts.Inc()
	return s.Sessions.Logout(ctx, h)
}

// Lost counts server.Sessions.Lost.
func (s Measured) Lost(h *server.Held) {
	s.m.lost.Inc()
	s.Sessions.Lost(h)
}

// A measuredConn counts what a connection is told.
type measuredConn struct {
	server.Conn
	m *Metrics
}

func (c measuredConn) Kick(k server.Kick) {
	c.m.kicks.WithLabelValues(k.Reason.String()).Inc()
	c.Conn.Kick(k)
}

func (c measuredConn) TicketExpired(at time.Time) {
	c.m.ticketsDone.Inc()
	c.Conn.TicketExpired(at)
}
