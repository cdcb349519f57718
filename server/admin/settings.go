package admin

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

const (
	maxHistory   = 100
	simulateTime = 20 * time.Second
	setTries     = 3
)

type getSettingsRequest struct {
	History int `json:",omitempty" doc:"how many earlier versions to list, too" api:"min=0,max=100"`
}

type loginSettings struct {
	Policy      string         `doc:"who may be online together" api:"policy"`
	Limits      map[string]int `doc:"instances per platform" api:"platforms"`
	Version     int64          `doc:"counts changes; 0 are the defaults"`
	ChangedBy   string         `doc:"the administrator; empty for the defaults"`
	ChangedAtMs int64          `doc:"when, in Unix milliseconds; 0 for the defaults"`
}

type settingsReply struct {
	loginSettings
	History []loginSettings `json:",omitempty" doc:"newest first, the present ones included"`
}

// getLoginSettings returns who may be online together.
func (a *API) getLoginSettings(ctx context.Context, c caller, in getSettingsRequest) (out settingsReply, err error) {
	if in.History < 0 || in.History > maxHistory {
		return out, fail(codes.InvalidRequest, "History must be from 0 to %d", maxHistory)
	}
	s, err := a.store.Settings(ctx, c.app.ID)
	if err != nil {
		return out, err
	}
	out.loginSettings = describe(s)
	earlier, err := a.store.History(ctx, c.app.ID, in.History)
	for _, s := range earlier {
		out.History = append(out.History, describe(s))
	}
	return out, err
}

func describe(s server.Settings) loginSettings {
	out := loginSettings{Policy: s.Policy.String(), Limits: map[string]int{}, Version: s.Version, ChangedBy: s.ChangedBy}
	for _, p := range codes.Platforms() {
		out.Limits[p.String()] = s.Limit(p)
	}
	if !s.ChangedAt.IsZero() {
		out.ChangedAtMs = s.ChangedAt.UnixMilli()
	}
	return out
}

// A wish is what to change of the settings; what is missing stays as it is.
type wish struct {
	Policy string         `json:",omitempty" doc:"who may be online together" api:"policy"`
	Limits map[string]int `json:",omitempty" doc:"instances per platform: web 1 to 10, others 1 to 3; a platform that is missing stays as it is" api:"platforms"`
}

// of returns what s becomes by the wish.
func (w wish) of(s server.Settings) (server.Settings, error) {
	if w.Policy != "" {
		policy, ok := codes.ParsePolicy(w.Policy)
		if !ok {
			return s, fail(codes.InvalidRequest, "Policy must be one of %s, not %q", names(codes.Policies()), w.Policy)
		}
		s.Policy = policy
	}
	limits := map[codes.Platform]int{}
	maps.Copy(limits, s.Limits)
	for _, name := range slices.Sorted(maps.Keys(w.Limits)) {
		p, ok := codes.ParsePlatform(name)
		if !ok {
			return s, fail(codes.InvalidRequest, "Limits must name platforms of %s, not %q", names(codes.Platforms()), name)
		}
		if n := w.Limits[name]; n < 1 || n > p.MaxInstances() {
			return s, fail(codes.InvalidRequest, "the limit of %s must be from 1 to %d, not %d", p, p.MaxInstances(), n)
		}
		limits[p] = w.Limits[name]
	}
	s.Limits = limits
	return s, nil
}

func names[T interface{ String() string }](values []T) string {
	list := make([]string, len(values))
	for i, v := range values {
		list[i] = v.String()
	}
	return strings.Join(list, ", ")
}

type setSettingsRequest struct {
	wish
	Version *int64 `json:",omitempty" doc:"change nothing unless this is the present version"`
}

// setLoginSettings changes who may be online together, on every node. Without a version it applies to whatever is set now.
func (a *API) setLoginSettings(ctx context.Context, c caller, in setSettingsRequest) (out loginSettings, err error) {
	for range setTries {
		a.store.Forget(c.app.ID, "") // a copy may be older than what is set
		present, err := a.store.Settings(ctx, c.app.ID)
		if err != nil {
			return out, err
		}
		if in.Version != nil && *in.Version != present.Version {
			return out, fail(codes.InvalidOperation, "the settings have version %d by now, not %d: read them again", present.Version, *in.Version)
		}
		next, err := in.of(present)
		if err != nil {
			return out, err
		}
		next.ChangedBy = c.admin
		stored, err := a.sessions.SetSettings(ctx, c.app.ID, next)
		if err == nil {
			return describe(stored), nil
		}
		if !errors.Is(err, codes.InvalidOperation) {
			return out, err
		}
	}
	return out, fail(codes.InvalidOperation, "others change the settings at the same time: try again")
}

type simulateReply struct {
	Users    int            `doc:"users who have a session now"`
	Sessions int            `doc:"their sessions"`
	Affected int            `doc:"users who would lose a session"`
	Kicked   map[string]int `doc:"sessions that would have to leave, by reason"`
}

// simulate says who would be kicked if the settings were changed so. Nothing changes.
func (a *API) simulate(ctx context.Context, c caller, in wish) (out simulateReply, err error) {
	present, err := a.store.Settings(ctx, c.app.ID)
	if err != nil {
		return out, err
	}
	next, err := in.of(present)
	if err != nil {
		return out, err
	}
	sim, err := a.sessions.Simulate(ctx, c.app.ID, next)
	out = simulateReply{Users: sim.Users, Sessions: sim.Sessions, Affected: sim.Affected, Kicked: map[string]int{}}
	for reason, n := range sim.Kicked {
		out.Kicked[reason.String()] = n
	}
	return out, err
}
