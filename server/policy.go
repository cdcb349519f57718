package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/time/rate"

	"github.com/opentim/tim/codes"
)

const settingsTries = 5

// Validate reports every mistake in s.
func (s Settings) Validate() error {
	var errs []error
	if len(s.Policy.Groups()) == 0 {
		errs = append(errs, fmt.Errorf("policy %d is not known: %w", s.Policy, codes.InvalidRequest))
	}
	for p, n := range s.Limits {
		switch most := p.MaxInstances(); {
		case most == 0:
			errs = append(errs, fmt.Errorf("platform %d is not known: %w", p, codes.InvalidRequest))
		case n < 1 || n > most:
			errs = append(errs, fmt.Errorf("the limit of %s is 1 to %d, not %d: %w", p, most, n, codes.InvalidRequest))
		}
	}
	return errors.Join(errs...)
}

// Settings returns the login settings of an app as this node applies them.
func (s *Sessions) Settings(app uint64) (Settings, error) {
	a := s.apps[app]
	if a == nil {
		return Settings{}, fmt.Errorf("SDKAppID %d: %w", app, codes.AppNotFound)
	}
	return *a.settings.Load(), nil
}

// SetSettings stores new settings of an app and returns them with their version. They apply to logins on this node when it
// returns, on the others as soon as they hear of it. Sessions that have to leave by them are evicted at EvictRate.
//
// to.Version must be that of the settings that are changed, else the error is codes.InvalidOperation; codes.InvalidRequest
// names a wrong field.
func (s *Sessions) SetSettings(ctx context.Context, app uint64, to Settings) (Settings, error) {
	a := s.apps[app]
	if a == nil {
		return Settings{}, fmt.Errorf("SDKAppID %d: %w", app, codes.AppNotFound)
	}
	if err := to.Validate(); err != nil {
		return Settings{}, fmt.Errorf("set settings: %w", err)
	}
	stored, err := s.o.Store.SetSettings(ctx, app, to)
	if err != nil {
		return Settings{}, fmt.Errorf("set settings: %w", err)
	}
	s.log.Info("settings changed", "app", app, "version", stored.Version, "by", stored.ChangedBy, "policy", stored.Policy,
		"limits", stored.Limits)
	s.apply(a, stored)
	s.announce(ctx, News{App: app})
	return stored, nil
}

// announce tells the other nodes. One that misses it learns from the store.
func (s *Sessions) announce(ctx context.Context, n News) {
	if err := s.o.Registry.Announce(ctx, n); err != nil {
		s.log.Warn("registry: a change could not be announced: the nodes will find it in the store", "app", n.App, "user", n.User, "error", err)
	}
}

// settingsLoop makes settings count that nobody told this node of, as while NATS was away.
func (s *Sessions) settingsLoop() {
	for pause(s.background, s.o.SettingsEvery) {
		for _, a := range s.apps {
			_ = s.readSettings(s.background, a) // comes again soon; the sweep complains
		}
	}
}

func (s *Sessions) readSettings(ctx context.Context, a *app) error {
	settings, err := s.o.Store.Settings(ctx, a.ID)
	if err == nil {
		s.apply(a, settings)
	}
	return err
}

// apply makes settings count on this node, unless newer ones do, and begins to evict who has to leave by them.
func (s *Sessions) apply(a *app, settings Settings) {
	a.reading.Lock()
	defer a.reading.Unlock()
	if settings.Version <= a.settings.Load().Version {
		return
	}
	a.settings.Store(&settings)
	s.log.Info("settings are in force", "app", a.ID, "version", settings.Version, "policy", settings.Policy)
	a.eviction()
	if s.closing.Load() {
		return
	}
	ctx, cancel := context.WithCancel(s.background)
	a.eviction = cancel
	s.loops.Go(func() {
		defer cancel()
		s.evict(ctx, a, settings)
	})
}

func (a *app) stopEviction() {
	a.reading.Lock()
	defer a.reading.Unlock()
	a.eviction()
}

// evict applies settings to every user that this node holds a session of. While the registry cannot be reached it waits.
func (s *Sessions) evict(ctx context.Context, a *app, settings Settings) {
	pace := rate.NewLimiter(rate.Limit(s.o.EvictRate), 1)
	evicted := 0
	s.held.all(func(h *Held) bool {
		if h.key.App != a.ID {
			return true
		}
		n, err := s.enforce(ctx, h.key, settings)
		for errors.Is(err, ErrUnavailable) && pause(ctx, settleRetry) {
			n, err = s.enforce(ctx, h.key, settings)
		}
		if n > 0 {
			evicted += n
			err = pace.Wait(ctx)
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("registry: settings could not be applied to a user", "app", h.key.App, "user", h.key.User, "error", err)
		}
		return ctx.Err() == nil
	})
	s.log.Info("settings applied", "app", a.ID, "version", settings.Version, "evicted", evicted)
}

// pause waits for d and returns true, or false as soon as ctx ends.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// enforce applies settings to one user and returns how many sessions had to leave.
func (s *Sessions) enforce(ctx context.Context, key UserKey, settings Settings) (int, error) {
	now := time.Now()
	var gone []Departure
	err := s.o.Registry.Update(ctx, key, func(sessions []Session) (keep []Session, err error) {
		keep, gone = settle(key, append([]Session(nil), sessions...), settings, now)
		if len(gone) == 0 {
			return nil, errDecided
		}
		return keep, nil
	})
	if err != nil {
		if errors.Is(err, errDecided) {
			err = nil
		}
		return 0, err
	}
	s.kickAll(key, gone)
	return len(gone), nil
}

// enforceNewer applies the settings that came while those of a were applied: the eviction may have been past this user before.
func (s *Sessions) enforceNewer(a *admission) {
	app, key := s.apps[a.key.App], a.key
	if app.settings.Load().Version == a.settings.Version {
		return
	}
	s.attempt(keyTries, func(ctx context.Context) error {
		_, err := s.enforce(ctx, key, *app.settings.Load())
		return err
	}, "settings could not be applied to a user", "app", key.App, "user", key.User)
}

// A Simulation says what settings would do to the sessions of an app.
type Simulation struct {
	Users    int // who have a session
	Sessions int
	Kicked   map[codes.KickReason]int // sessions that would have to leave
	Affected int                      // users who would lose one
}

// Simulate returns what would happen to the sessions that are there now, if an app's settings were changed to these.
// Nothing is changed.
func (s *Sessions) Simulate(ctx context.Context, app uint64, settings Settings) (Simulation, error) {
	if s.apps[app] == nil {
		return Simulation{}, fmt.Errorf("SDKAppID %d: %w", app, codes.AppNotFound)
	}
	if err := settings.Validate(); err != nil {
		return Simulation{}, fmt.Errorf("simulate: %w", err)
	}
	nodes, err := s.o.Registry.Nodes(ctx)
	if err != nil {
		return Simulation{}, fmt.Errorf("simulate: %w", err)
	}
	sim := Simulation{Kicked: make(map[codes.KickReason]int)}
	for _, node := range nodes {
		for key, err := range s.o.Registry.UsersOn(ctx, node) {
			if err == nil && key.App == app {
				err = sim.count(ctx, s.o.Registry, key, node, settings)
			}
			if err != nil {
				return Simulation{}, fmt.Errorf("simulate: %w", err)
			}
		}
	}
	return sim, nil
}

// count adds a user, if node is the one that has the user's oldest session: the others have the user too.
func (sim *Simulation) count(ctx context.Context, r Registry, key UserKey, node NodeID, settings Settings) error {
	sessions, err := r.Sessions(ctx, key)
	if err != nil {
		return err
	}
	live := lasting(sessions)
	if len(live) == 0 || live[0].Node != node {
		return nil
	}
	sim.Users++
	sim.Sessions += len(live)
	gone := Departures(live, settings)
	if len(gone) > 0 {
		sim.Affected++
	}
	for _, d := range gone {
		sim.Kicked[d.Reason]++
	}
	return nil
}
