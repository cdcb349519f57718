package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
)

// The matrix of facts 7.1: who has to leave for a newcomer, with limits of one. Linux counts as a desktop.
var matrix = map[codes.Policy]string{
	codes.PolicySingle: `
		newcomer  ios ipad android windows mac linux web
		ios       =   x    x       x       x   x     x
		ipad      x   =    x       x       x   x     x
		android   x   x    =       x       x   x     x
		windows   x   x    x       =       x   x     x
		mac       x   x    x       x       =   x     x
		linux     x   x    x       x       x   =     x
		web       x   x    x       x       x   x     =`,
	codes.PolicyDual: `
		newcomer  ios ipad android windows mac linux web
		ios       =   x    x       x       x   x     .
		ipad      x   =    x       x       x   x     .
		android   x   x    =       x       x   x     .
		windows   x   x    x       =       x   x     .
		mac       x   x    x       x       =   x     .
		linux     x   x    x       x       x   =     .
		web       .   .    .       .       .   .     =`,
	codes.PolicyTriple: `
		newcomer  ios ipad android windows mac linux web
		ios       =   x    x       .       .   .     .
		ipad      x   =    x       .       .   .     .
		android   x   x    =       .       .   .     .
		windows   .   .    .       =       x   x     .
		mac       .   .    .       x       =   x     .
		linux     .   .    .       x       x   =     .
		web       .   .    .       .       .   .     =`,
	codes.PolicyMulti: `
		newcomer  ios ipad android windows mac linux web
		ios       =   .    .       .       .   .     .
		ipad      .   =    .       .       .   .     .
		android   .   .    =       .       .   .     .
		windows   .   .    .       =       .   .     .
		mac       .   .    .       .       =   .     .
		linux     .   .    .       .       .   =     .
		web       .   .    .       .       .   .     =`,
}

var inMatrix = map[string]codes.KickReason{"=": codes.KickMultipleAccount, "x": codes.KickMultipleDevice, ".": 0}

func TestTheKickMatrix(t *testing.T) {
	require.Len(t, matrix, len(codes.Policies()))
	for policy, table := range matrix {
		lines := strings.Split(strings.TrimSpace(table), "\n")
		platforms := strings.Fields(lines[0])[1:]
		require.Len(t, platforms, len(codes.Platforms()))
		require.Len(t, lines, 1+len(platforms))
		for _, line := range lines[1:] {
			cells := strings.Fields(line)
			newcomer := platform(t, cells[0])
			for i, cell := range cells[1:] {
				existing := platform(t, platforms[i])
				t.Run(fmt.Sprintf("%s: %s comes to %s", policy, newcomer, existing), func(t *testing.T) {
					old, young := device(existing, 1), device(newcomer, 2)
					want := []Departure(nil)
					if reason := inMatrix[cell]; reason != 0 {
						want = []Departure{{Session: old, Reason: reason, By: young}}
					}
					require.Equal(t, want, Departures([]Session{old, young}, Settings{Policy: policy}))
				})
			}
		}
	}
}

func platform(t *testing.T, name string) codes.Platform {
	p, ok := codes.ParsePlatform(name)
	require.True(t, ok, name)
	return p
}

// device returns a session of an instance of its own.
func device(p codes.Platform, seq uint64) Session {
	return Session{ID: fmt.Sprintf("s%d", seq), Instance: fmt.Sprintf("i%d", seq), Platform: p, LoginSeq: seq}
}

// instance returns a session of a named instance.
func instance(p codes.Platform, seq uint64, name string) Session {
	s := device(p, seq)
	s.Instance = name
	return s
}

// left returns s as the record of a kick.
func left(s Session, reason codes.KickReason) Session {
	s.Left = &Kick{Session: s.ID, Reason: reason}
	return s
}

func TestDepartures(t *testing.T) {
	const (
		ios, ipad, android, web = codes.PlatformIOS, codes.PlatformIPad, codes.PlatformAndroid, codes.PlatformWeb
		account, other          = codes.KickMultipleAccount, codes.KickMultipleDevice
		replaced                = codes.KickReplaced
	)
	two := Settings{Policy: codes.PolicyDual, Limits: map[codes.Platform]int{android: 2, web: 3}}
	for _, tt := range []struct {
		name     string
		settings Settings
		sessions []Session
		want     string // session reason by
	}{
		{"nobody is there", DefaultSettings(), nil, ""},
		{"one is alone", DefaultSettings(), []Session{device(ios, 1)}, ""},
		{"the oldest instance leaves", two, []Session{device(web, 1), device(web, 2), device(web, 3), device(web, 4)},
			"s1 multiple_account s4"},
		{"all that are too many leave", two, []Session{device(web, 1), device(web, 2), device(web, 3), device(web, 4), device(web, 5)},
			"s1 multiple_account s5, s2 multiple_account s5"},
		{"a platform without a limit has one", two, []Session{device(ios, 1), device(ios, 2)}, "s1 multiple_account s2"},
		{"too many instances come before another platform", DefaultSettings(),
			[]Session{device(ios, 1), device(ipad, 2), device(ios, 3)}, "s1 multiple_account s3, s2 multiple_device s3"},
		{"leaving ones count: the second Android leaves for the iPhone that leaves itself", two,
			[]Session{device(android, 1), device(ios, 2), device(android, 3)}, "s1 multiple_device s2, s2 multiple_device s3"},
		{"who was kicked and logs in over a clock that is late is not replaced by what it was", DefaultSettings(),
			[]Session{instance(ios, 1, "a"), left(instance(ios, 2, "a"), other)}, ""},
		{"and counts once", two, []Session{device(android, 1), instance(android, 2, "a"), left(instance(android, 3, "a"), other)}, ""},
		{"but replaces what it was before that", two,
			[]Session{instance(android, 1, "a"), instance(android, 2, "a"), left(instance(android, 3, "a"), other)}, "s1 replaced s2"},
		{"one that left by the rule still counts", two,
			[]Session{device(android, 1), left(device(ios, 2), other), device(android, 3)}, "s1 multiple_device s2"},
		{"one that an administrator ended does not", two,
			[]Session{device(android, 1), left(device(ios, 2), codes.KickRESTAPI), device(android, 3)}, ""},
		{"one that left does not leave again", DefaultSettings(),
			[]Session{left(device(ios, 1), account), device(ios, 2)}, ""},
		{"an instance replaces itself", DefaultSettings(),
			[]Session{instance(ios, 1, "mine"), instance(ios, 2, "mine")}, "s1 replaced s2"},
		{"an instance that is replaced does not count", two,
			[]Session{device(web, 1), instance(web, 2, "mine"), instance(web, 3, "mine"), instance(web, 4, "mine")},
			"s2 replaced s4, s3 replaced s4"},
		{"an instance replaces itself also where it has to leave", two,
			[]Session{instance(ios, 1, "mine"), instance(ios, 2, "mine"), device(android, 3)}, "s1 replaced s2, s2 multiple_device s3"},
		{"two platforms may have the same instance name", DefaultSettings(),
			[]Session{instance(ios, 1, "mine"), instance(web, 2, "mine")}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, d := range Departures(tt.sessions, tt.settings) {
				got = append(got, fmt.Sprint(d.Session.ID, " ", d.Reason, " ", d.By.ID))
			}
			require.Equal(t, tt.want, strings.Join(got, ", "))
		})
	}
}

// stays is the rule as design says it, in no hurry.
func stays(s Session, all []Session, settings Settings) bool {
	counted := slices.DeleteFunc(slices.Clone(all), func(c Session) bool {
		return slices.ContainsFunc(all, func(o Session) bool {
			return o.LoginSeq > c.LoginSeq && o.Instance == c.Instance && o.Platform == c.Platform
		})
	})
	if !slices.ContainsFunc(counted, func(c Session) bool { return c.ID == s.ID }) {
		return false
	}
	newerOfPlatform := 0
	for _, o := range counted {
		if o.LoginSeq <= s.LoginSeq {
			continue
		}
		if o.Platform == s.Platform {
			newerOfPlatform++
			continue
		}
		for _, group := range settings.Policy.Groups() {
			if slices.Contains(group, o.Platform) && slices.Contains(group, s.Platform) {
				return false
			}
		}
	}
	return newerOfPlatform < settings.Limit(s.Platform)
}

func survivors(all []Session, settings Settings) []string {
	var ids []string
	for _, s := range all {
		if s.Left == nil && stays(s, all, settings) {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

func ids(list []Session) []string {
	var ids []string
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}

// drawSettings draws any settings that may be set.
func drawSettings(t *rapid.T) Settings {
	s := Settings{Policy: rapid.SampledFrom(codes.Policies()).Draw(t, "policy"), Limits: map[codes.Platform]int{}}
	for _, p := range codes.Platforms() {
		if n := rapid.IntRange(0, min(3, p.MaxInstances())).Draw(t, "limit of "+p.String()); n > 0 {
			s.Limits[p] = n
		}
	}
	return s
}

// drawSessions draws sessions of a few instances, oldest first.
func drawSessions(t *rapid.T) []Session {
	var list []Session
	for i := range rapid.IntRange(0, 9).Draw(t, "sessions") {
		list = append(list, instance(
			rapid.SampledFrom(codes.Platforms()).Draw(t, "platform"), uint64(i+1), rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "instance")))
	}
	return list
}

func TestTheRuleIsTheSlowOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sessions, settings := drawSessions(t), drawSettings(t)
		left := map[string]bool{}
		for _, d := range Departures(sessions, settings) {
			require.NotZero(t, d.Reason)
			require.Greater(t, d.By.LoginSeq, d.Session.LoginSeq)
			left[d.Session.ID] = true
		}
		var got []string
		for _, s := range sessions {
			if !left[s.ID] {
				got = append(got, s.ID)
			}
		}
		require.Equal(t, survivors(sessions, settings), got)
	})
}

func TestTheNewestAlwaysStaysAndLimitsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sessions, settings := drawSessions(t), drawSettings(t)
		keep, _ := settle(UserKey{}, slices.Clone(sessions), settings, testTime)
		live := lasting(keep)
		if len(sessions) > 0 {
			require.Equal(t, sessions[len(sessions)-1].ID, live[len(live)-1].ID)
		}
		of := map[codes.Platform]int{}
		instances := map[string]bool{}
		for _, s := range live {
			of[s.Platform]++
			name := fmt.Sprint(s.Platform, s.Instance)
			require.False(t, instances[name], "an instance is there twice")
			instances[name] = true
		}
		for _, group := range settings.Policy.Groups() {
			platforms := 0
			for _, p := range group {
				require.LessOrEqual(t, of[p], settings.Limit(p))
				platforms += min(of[p], 1)
			}
			require.LessOrEqual(t, platforms, 1)
		}
		again, gone := settle(UserKey{}, slices.Clone(keep), settings, testTime)
		require.Empty(t, gone, "settled once, settled for good")
		require.Equal(t, keep, again)
	})
}

func BenchmarkDepartures(b *testing.B) {
	for _, sessions := range [][]Session{
		{device(codes.PlatformIOS, 1)},
		{device(codes.PlatformWeb, 1), device(codes.PlatformIOS, 2)},
		{device(codes.PlatformIOS, 1), device(codes.PlatformIOS, 2)},
	} {
		b.Run(fmt.Sprintf("%d sessions, %d leave", len(sessions), len(Departures(sessions, DefaultSettings()))), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Departures(sessions, DefaultSettings())
			}
		})
	}
}
