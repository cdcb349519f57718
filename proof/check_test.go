package proof

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
	"github.com/opentim/tim/server"
)

const s = time.Second

func at(call, ret time.Duration) Op { return Op{call, ret, Yes} }
func lost(call time.Duration) Op    { return Op{call, Never, Unknown} }

func logs(device string, op Op) DeviceOp { return DeviceOp{op, device} }

func in(at time.Duration, device string) Told  { return Told{At: at, Device: device, Word: SignedIn} }
func out(at time.Duration, device string) Told { return Told{At: at, Device: device, Word: SignedOut} }

func kicked(at time.Duration, device string, reason codes.KickReason, by string, p codes.Platform) Told {
	return Told{At: at, Device: device, Word: Ended, Code: codes.KickedOffline, Kick: core.Kick{Reason: reason, ByLabel: by, ByPlatform: p}}
}

// has is a session as the registry lists it; seq counts within the user.
func has(device string, p codes.Platform, seq uint64) server.Session {
	return server.Session{ID: device, Instance: device, Label: device, Platform: p, LoginSeq: seq}
}

// fair is a history that nothing is wrong with: alice's phone makes room for her tablet, carol is kicked and comes back, dave
// is banned, and the settings change twice.
func fair() (*History, Final) {
	const ios, ipad, web = codes.PlatformIOS, codes.PlatformIPad, codes.PlatformWeb
	dual, triple := server.Settings{Policy: codes.PolicyDual}, server.Settings{Policy: codes.PolicyTriple}
	h := &History{
		Devices: map[string]Device{
			"phone": {"phone", "alice", ios}, "tablet": {"tablet", "alice", ipad}, "browser": {"browser", "alice", web},
			"carol's": {"carol's", "carol", ios}, "dave's": {"dave's", "dave", ios}, "eve's": {"eve's", "eve", ios},
		},
		Logins: []DeviceOp{
			logs("phone", at(1*s, 2*s)), logs("browser", at(1*s, 2*s)), logs("tablet", at(3*s, 4*s)),
			logs("carol's", at(1*s, 2*s)), logs("carol's", at(7*s, 8*s)), logs("dave's", at(1*s, 2*s)), logs("eve's", lost(1*s)),
		},
		Logouts: []DeviceOp{logs("browser", at(5*s, 6*s))},
		Admin: []AdminOp{
			{Op: at(3*s, 4*s), Kind: KickUser, User: "carol"}, {Op: at(4*s, 5*s), Kind: Ban, User: "dave"},
			{Op: at(5*s, 6*s), Kind: Import, User: "frank"}, {Op: at(6*s, 7*s), Kind: SetSettings, Settings: triple},
			{Op: at(7*s, 8*s), Kind: SetSettings, Settings: dual},
		},
		Told: []Told{
			in(2*s, "phone"), in(2*s, "browser"), in(2*s, "carol's"), in(2*s, "dave's"), in(4*s, "tablet"),
			kicked(4*s, "phone", codes.KickMultipleDevice, "tablet", ipad), out(4*s, "phone"),
			kicked(4*s, "carol's", codes.KickRESTAPI, "", 0), out(4*s, "carol's"),
			kicked(5*s, "dave's", codes.KickRESTAPI, "", 0), out(5*s, "dave's"), out(5*s, "browser"), in(8*s, "carol's"),
		},
	}
	f := Final{
		Sessions: map[string][]server.Session{"alice": {has("tablet", ipad, 3)}, "carol": {has("carol's", ios, 2)}, "dave": nil},
		Settings: []server.Settings{dual, dual},
		Accounts: map[string]bool{"alice": true, "carol": true, "dave": true, "frank": true},
		Banned:   map[string]bool{"dave": true},
		DAU:      3,
	}
	return h, f
}

func TestAFairHistoryIsFair(t *testing.T) {
	h, f := fair()
	require.Empty(t, h.Check(f))
	f.DAU = 4 // eve's login had no answer
	require.Empty(t, h.Check(f))
}

// Each of these turns the fair history into one that must be refused, for the reason that is named.
func TestUnfairHistoriesAreRefused(t *testing.T) {
	const ios, ipad, mac, web = codes.PlatformIOS, codes.PlatformIPad, codes.PlatformMac, codes.PlatformWeb
	for want, spoil := range map[string]func(h *History, f *Final){
		"phone is too many by the policy": func(h *History, f *Final) {
			f.Sessions["alice"] = []server.Session{has("phone", ios, 1), has("tablet", ipad, 3)}
		},
		"phone, which does not believe to be signed in": func(h *History, f *Final) {
			f.Sessions["alice"] = []server.Session{has("phone", ios, 4)}
		},
		"tablet believes to be signed in, and the registry has no such session": func(h *History, f *Final) { f.Sessions["alice"] = nil },
		"the session of tablet is away":                                         func(h *History, f *Final) { f.Sessions["alice"][0].AwayUntil = time.Unix(1, 0) },
		"node 1 has the settings":                                               func(h *History, f *Final) { f.Settings[1].Version++ },

		"nobody is called that":               func(h *History, f *Final) { h.Told[5].Kick.ByLabel = "mallory" },
		"that is a device of carol":           func(h *History, f *Final) { h.Told[5].Kick.ByLabel = "carol's" },
		"that is itself":                      func(h *History, f *Final) { h.Told[5].Kick.ByLabel = "phone" },
		"that is no ios":                      func(h *History, f *Final) { h.Told[5].Kick.ByPlatform = ios },
		"the platforms do not fit the reason": func(h *History, f *Final) { h.Told[5].Kick.Reason = codes.KickMultipleAccount },
		"nobody can have had that reason":     func(h *History, f *Final) { h.Told[5].Kick.Reason = codes.KickReplaced },
		"that device did not log in since, or was not in the way": func(h *History, f *Final) { // it was there before the phone
			h.Logins[2].Op = at(0, s/2)
		},
		"phone was ended at 4s (code 6208, reason multiple_device, by \"browser\"): that device did not log in since, or was not in the way": func(h *History, f *Final) {
			h.Told[5].Kick = core.Kick{Reason: codes.KickMultipleDevice, ByLabel: "browser", ByPlatform: web} // which goes with a phone
		},
		"no administrator was there": func(h *History, f *Final) { h.Admin[0].User = "bob" },
		"nothing explains that code": func(h *History, f *Final) {
			h.Told[7].Kick.Reason, h.Told[7].Code = 0, codes.TicketRevoked
			h.Admin[0].User = "bob"
		},
		"it was not signed in": func(h *History, f *Final) { h.Logins = h.Logins[1:] },

		"phone was told at 5s that its session ended, and had none": func(h *History, f *Final) {
			h.Told = append(h.Told, kicked(5*s, "phone", codes.KickMultipleDevice, "tablet", ipad))
		},
		"phone was told at 4s for the 2. time": func(h *History, f *Final) {
			h.Told = append(h.Told[:6:6], append([]Told{h.Told[5]}, h.Told[6:]...)...)
		},
		"phone was signed out at 4s and nobody told it why":   func(h *History, f *Final) { h.Told = append(h.Told[:5:5], h.Told[6:]...) },
		"browser was signed out at 5s and nobody told it why": func(h *History, f *Final) { h.Logouts = nil },

		"the account of frank is lost":    func(h *History, f *Final) { f.Accounts["frank"] = false },
		"the account of dave is lost":     func(h *History, f *Final) { f.Accounts["dave"] = false },
		"2 daily actives, though 3 users": func(h *History, f *Final) { f.DAU = 2 },
		"5 daily actives, though 3 users": func(h *History, f *Final) { f.DAU = 5 },
		"dave: banned is false":           func(h *History, f *Final) { f.Banned["dave"] = false },
		"which nobody set last":           func(h *History, f *Final) { f.Settings = []server.Settings{{Policy: codes.PolicyTriple}} },
		"though all sessions were ended":  func(h *History, f *Final) { h.Admin[0].Op = at(9*s, 10*s) },
		"mac's believes to be signed in, ": func(h *History, f *Final) {
			h.Devices["mac's"] = Device{"mac's", "alice", mac}
			h.Told = append(h.Told, in(9*s, "mac's"))
		},
	} {
		t.Run(want, func(t *testing.T) {
			h, f := fair()
			spoil(h, &f)
			require.Contains(t, strings.Join(h.Check(f), "\n"), want)
			require.NotEmpty(t, h.telling([]string{"alice"}))
		})
	}
}

func TestWithoutAnAnswerBothIsFair(t *testing.T) {
	for name, change := range map[string]func(h *History, f *Final){
		"a ban without an answer":    func(h *History, f *Final) { h.Admin[1].Op, f.Banned = lost(4*s), nil },
		"settings without an answer": func(h *History, f *Final) { h.Admin[4].Op = lost(7 * s); f.Settings = f.Settings[:1] },
		"settings that were not set": func(h *History, f *Final) {
			h.Admin[4].Op = lost(7 * s)
			f.Settings = []server.Settings{{Policy: codes.PolicyTriple}}
		},
		"a newcomer without an answer":  func(h *History, f *Final) { h.Logins[2].Op = lost(3 * s) },
		"clocks that differ, by slack":  func(h *History, f *Final) { h.Logins[2].Op, h.Slack = at(0, s/2), s },
		"an import without an answer":   func(h *History, f *Final) { h.Admin[2].Op, f.Accounts["frank"] = lost(5*s), false },
		"a kick without an answer":      func(h *History, f *Final) { h.Admin[0].Op = lost(3 * s) },
		"settings in force for a while": func(h *History, f *Final) { h.Slack = 3 * s },
	} {
		t.Run(name, func(t *testing.T) {
			h, f := fair()
			change(h, &f)
			require.Empty(t, h.Check(f))
		})
	}
}

func TestLinearHistories(t *testing.T) {
	phone, mac, web := Device{"phone", "alice", codes.PlatformIOS}, Device{"mac", "alice", codes.PlatformMac}, Device{"web", "alice", codes.PlatformWeb}
	login := func(d Device, op Op) UserOp { return UserOp{Op: op, Kind: LogIn, User: "alice", Device: d} }
	logout := func(d Device, op Op) UserOp { return UserOp{Op: op, Kind: LogOut, User: "alice", Device: d} }
	read := func(op Op, found ...string) UserOp { return UserOp{Op: op, Kind: Read, User: "alice", Found: found} }
	forNow := func(d Device, op Op) UserOp {
		return UserOp{Op: op, Kind: LogIn, User: "alice", Device: d, ForNow: true}
	}
	for _, c := range []struct {
		name string
		ops  []UserOp
		want bool
	}{
		{"nothing happened", nil, true},
		{"a phone and a browser", []UserOp{login(phone, at(1, 2)), login(web, at(3, 4)), read(at(5, 6), "phone", "web")}, true},
		{"the mac takes the phone's place", []UserOp{login(phone, at(1, 2)), login(mac, at(3, 4)), read(at(5, 6), "mac")}, true},
		{"both stay", []UserOp{login(phone, at(1, 2)), login(mac, at(3, 4)), read(at(5, 6), "phone", "mac")}, false},
		{"the older takes the newer's place", []UserOp{login(phone, at(1, 2)), login(mac, at(3, 4)), read(at(5, 6), "phone")}, false},
		{"at the same time either stays", []UserOp{login(phone, at(1, 4)), login(mac, at(2, 3)), read(at(5, 6), "phone")}, true},
		{"but not one after the other", []UserOp{login(phone, at(1, 4)), login(mac, at(2, 3)), read(at(5, 6), "phone"), read(at(7, 8), "mac")}, false},
		{"both are gone", []UserOp{login(phone, at(1, 4)), login(mac, at(2, 3)), read(at(5, 6))}, false},
		{"the order is that of the logins", []UserOp{login(phone, at(1, 2)), login(web, at(3, 4)), read(at(5, 6), "web", "phone")}, false},
		{"a login is lost", []UserOp{login(phone, at(1, 2)), read(at(3, 4))}, false},
		{"an unanswered login may be lost", []UserOp{login(phone, lost(1)), read(at(3, 4))}, true},
		{"or come later", []UserOp{login(phone, lost(1)), read(at(3, 4)), read(at(5, 6), "phone")}, true},
		{"but not go again", []UserOp{login(phone, lost(1)), read(at(3, 4), "phone"), read(at(5, 6))}, false},
		{"a refused login did nothing", []UserOp{login(phone, Op{1, 2, No}), read(at(3, 4))}, true},
		{"a refused login was seen", []UserOp{login(phone, Op{1, 2, No}), read(at(3, 4), "phone")}, false},
		{"a logout", []UserOp{login(phone, at(1, 2)), logout(phone, at(3, 4)), read(at(5, 6))}, true},
		{"a logout is lost", []UserOp{login(phone, at(1, 2)), logout(phone, at(3, 4)), read(at(5, 6), "phone")}, false},
		{"a stale read", []UserOp{login(phone, at(1, 2)), login(web, at(3, 4)), read(at(5, 6), "phone")}, false},
		{"a login for now comes late, at its own place", []UserOp{forNow(phone, at(1, 4)), login(web, at(2, 3)), read(at(5, 6), "web"), read(at(7, 8), "phone", "web")}, true},
		{"even after its logout", []UserOp{forNow(phone, at(1, 2)), logout(phone, at(3, 4)), read(at(5, 6)), read(at(7, 8), "phone"), read(at(9, 10))}, true},
		{"somebody leaves for it", []UserOp{login(mac, at(1, 2)), forNow(phone, at(3, 4)), read(at(5, 6), "mac"), read(at(7, 8))}, true},
		{"somebody else does not", []UserOp{login(web, at(1, 2)), forNow(phone, at(3, 4)), read(at(5, 6))}, false},
		{"nobody leaves for it before it came", []UserOp{login(mac, at(1, 2)), read(at(3, 4)), forNow(phone, at(5, 6))}, false},
		{"nor stays for it", []UserOp{forNow(phone, at(1, 2)), login(mac, at(3, 4)), login(web, at(5, 6)), read(at(7, 8), "phone", "mac")}, false},
		{"bob is somebody else", []UserOp{login(phone, at(1, 2)), {Op: at(3, 4), Kind: Read, User: "bob"}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			linear, known := Linear(c.ops, server.DefaultSettings(), 10*time.Second)
			require.True(t, known)
			require.Equal(t, c.want, linear)
			require.Equal(t, c.want, Crooked(c.ops, server.DefaultSettings(), 10*time.Second) == "")
		})
	}
}
