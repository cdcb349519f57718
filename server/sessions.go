package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/usersig"
)

// Options say what a Sessions works with. Node, Apps, Registry, Store and ResumeKeys are required.
type Options struct {
	Node     NodeID
	Apps     []App
	Registry Registry // joined by New; closing it stays with the caller, after Sessions.Close
	Store    Store    // closing it stays with the caller, after Sessions.Close

	// ResumeKeys sign resume tickets: the first signs, all verify. Each has at least 16 bytes. The nodes of a cluster share
	// them, and they outlive a restart, so that clients can come back without a ticket.
	ResumeKeys [][]byte

	// Grace is how long a session whose connection was lost counts as away before it is released; GraceWeb is the same for
	// web sessions. Zero means 120 s and 60 s.
	Grace, GraceWeb time.Duration

	// SweepEvery is how often the node compares what it holds with the registry. Zero means 50 s.
	SweepEvery time.Duration
	// SettingsEvery is how often the node asks the store, which has a copy, for other settings. Zero means 500 ms: with a copy
	// that is a second old at most, settings are in force within 2 s also where the news of them got lost.
	SettingsEvery time.Duration
	// EvictRate is how many users a second lose sessions after their app's settings became stricter. Zero means 500.
	EvictRate int

	// UserLogins is how many logins and resumes a second one user may have, and ten times as many at once: more are refused with
	// codes.TooFrequent. Only logins with a good ticket count. Zero means as many as come.
	UserLogins float64

	Observer Observer     // told of every change; nil tells nobody
	Logger   *slog.Logger // nil logs nothing
}

func (o Options) withDefaults() Options {
	o.Grace = cmp.Or(o.Grace, 120*time.Second)
	o.GraceWeb = cmp.Or(o.GraceWeb, 60*time.Second)
	o.SweepEvery = cmp.Or(o.SweepEvery, 50*time.Second)
	o.SettingsEvery = cmp.Or(o.SettingsEvery, 500*time.Millisecond)
	o.EvictRate = cmp.Or(o.EvictRate, 500)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

func (o Options) validate() error {
	var errs []error
	if o.Node == "" {
		errs = append(errs, errors.New("the node has no name"))
	}
	if o.Registry == nil || o.Store == nil {
		errs = append(errs, errors.New("a registry and a store are needed"))
	}
	if o.UserLogins < 0 || o.Grace < 0 || o.GraceWeb < 0 || o.SweepEvery < 0 || o.SettingsEvery < 0 || o.EvictRate < 0 {
		errs = append(errs, errors.New("times and rates must not be negative"))
	}
	seen := make(map[uint64]bool)
	for _, a := range o.Apps {
		if a.ID == 0 || seen[a.ID] {
			errs = append(errs, fmt.Errorf("SDKAppID %d is zero or given twice", a.ID))
		}
		seen[a.ID] = true
	}
	return errors.Join(errs...)
}

// Sessions is the service of one node: see the package comment. Its methods may be called from any goroutine.
type Sessions struct {
	o        Options
	log      *slog.Logger
	apps     map[uint64]*app // never changes
	resumes  *resumeTickets
	prompt   bool // the registry is Prompt
	clock    clock
	wheel    *Wheel
	held     *table
	failures failures
	tooOften *Limiter[UserKey]

	chores    chores
	sweeper   sweeper
	unsettled unsettled
	absences  *absences
	watch     *watched // the Registry of o, whose observers are told
	admitting Registry // for logins and resumes: it tells nobody of them unless somebody wants to know

	closing    atomic.Bool
	background context.Context // ends with Close
	stop       context.CancelFunc
	loops      sync.WaitGroup
}

// An app is an App with what this node keeps for it.
type app struct {
	App
	tickets  *usersig.Verifier
	settings atomic.Pointer[Settings] // as they were last read from the store

	reading  sync.Mutex         // held while they are read
	eviction context.CancelFunc // of the eviction that runs
}

// New joins the registry, reads the settings of the apps, and returns the service. Close it before the registry and the
// store.
func New(ctx context.Context, o Options) (*Sessions, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	resumes, err := newResumeTickets(o.ResumeKeys)
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Sessions{o: o.withDefaults(), resumes: resumes, held: newTable(), apps: make(map[uint64]*app)}
	s.sweeper.nodes = make(map[NodeID]time.Time)
	s.log = s.o.Logger
	s.tooOften = NewLimiter[UserKey](o.UserLogins, int(10*o.UserLogins))
	_, s.prompt = o.Registry.(Prompt)
	s.absences = &absences{s: s, waiting: make(map[UserKey][]ending), some: make(chan struct{}, 1)}
	w := &watched{Registry: o.Registry, sessions: s, observers: []Observer{s.absences}}
	s.o.Registry, s.watch, s.admitting = w, w, o.Registry
	if o.Observer != nil {
		w.observers, w.numbered = append(w.observers, o.Observer), true
		s.admitting = w
	}
	s.unsettled.some = make(chan struct{}, 1)
	for _, a := range o.Apps {
		s.apps[a.ID] = &app{App: a, tickets: usersig.NewVerifier(a.ID, a.Keys...), eviction: func() {}}
		if a.Zone == nil {
			s.apps[a.ID].Zone = time.UTC
		}
		settings, err := o.Store.Settings(ctx, a.ID)
		if err != nil {
			return nil, fmt.Errorf("server: read the settings of app %d: %w", a.ID, err)
		}
		s.apps[a.ID].settings.Store(&settings)
	}
	s.wheel = NewWheel()
	s.background, s.stop = context.WithCancel(context.WithoutCancel(ctx))
	if err := o.Registry.Join(ctx, o.Node, nodeHandler{s}); err != nil {
		s.stop()
		s.wheel.Stop()
		return nil, fmt.Errorf("server: join the registry: %w", err)
	}
	for _, a := range s.apps { // joining may have taken long, and it heard no news until now
		o.Store.Forget(a.ID, "")
		if err := s.readSettings(ctx, a); err != nil {
			s.log.Warn("store: settings could not be read again", "app", a.ID, "error", err)
		}
	}
	recorder, _ := o.Observer.(Recorder)
	if recorder != nil {
		w.revisions.last.Store(recorder.LastRevision())
	}
	if heir, ok := o.Registry.(Heir); ok {
		s.inherit(ctx, heir)
		if recorder != nil {
			s.loops.Go(func() { s.recheck(recorder) })
		}
	}
	s.loops.Go(s.sweepLoop)
	s.loops.Go(s.settleLoop)
	s.loops.Go(s.absences.run)
	s.loops.Go(s.settingsLoop)
	return s, nil
}

// Close waits for what is under way and stops. Logins and resumes are refused with codes.ServiceNotReady from its call on.
// Live connections are the gateway's: it closes them first, and Lost is honoured until then.
func (s *Sessions) Close(ctx context.Context) error {
	if s.closing.Swap(true) {
		return nil
	}
	err := s.chores.close(ctx)
	for _, a := range s.apps {
		a.stopEviction() // none begins after this
	}
	s.stop()
	s.loops.Wait()
	s.absences.leave(ctx)
	s.wheel.Stop()
	return err
}

// Online returns how many sessions are held by live connections of this node.
func (s *Sessions) Online() int { return s.held.len() }

// ClockBehind returns how far this node's wall clock is behind the fastest of the cluster: the one that LoginSeqs go with. It
// is never negative, and at most 10 s, because a clock that is further ahead is taken for wrong.
func (s *Sessions) ClockBehind() time.Duration { return s.clock.behind() }

// Wheel returns the timers of this node. It stops with Close.
func (s *Sessions) Wheel() *Wheel { return s.wheel }

// App returns an app that this node serves, and whether it does.
func (s *Sessions) App(id uint64) (App, bool) {
	a := s.apps[id]
	if a == nil {
		return App{}, false
	}
	return a.App, true
}

func (s *Sessions) grace(p codes.Platform) time.Duration {
	if p == codes.PlatformWeb {
		return s.o.GraceWeb
	}
	return s.o.Grace
}
