package storetest

import (
	"maps"
	"slices"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

var historyCases = []testCase{
	{"whatever happens, in whatever order, a store is what a few maps would be", func(s *suite) {
		apps := uint64(1) << 62 // every history has apps of its own, so they can share a store
		rapid.Check(s.t, func(t *rapid.T) {
			apps += 2
			h := &history{T: t, suite: s, apps: []uint64{apps, apps + 1}, stones: map[server.UserKey]time.Time{},
				accounts: map[server.UserKey]*server.Account{}, marks: map[mark]bool{}, settings: map[uint64][]server.Settings{},
				absences: map[server.UserKey][]server.Absence{}}
			t.Repeat(map[string]func(*rapid.T){
				"arrive": h.arrive, "account": h.account, "import": h.importUsers, "delete": h.delete,
				"ban": h.ban, "unban": h.unban, "revoke": h.revoke,
				"settings": h.readSettings, "set settings": h.setSettings, "actives": h.actives,
				"absences": h.updateAbsences,
				"forget":   h.forget, "reopen": h.reopen,
			})
		})
	}},
}

// A history does random things to a store and, beside it, to the plainest model of one, and compares every answer.
type history struct {
	*rapid.T
	suite *suite
	apps  []uint64

	accounts map[server.UserKey]*server.Account // CreatedAt is zero until it was seen
	stones   map[server.UserKey]time.Time       // the NotBefore of accounts that were deleted
	marks    map[mark]bool
	settings map[uint64][]server.Settings // newest first
	absences map[server.UserKey][]server.Absence
}

type mark struct {
	key server.UserKey
	day server.Day
}

func (h *history) store() server.Store { return h.suite.store }

func (h *history) app() uint64 { return rapid.SampledFrom(h.apps).Draw(h.T, "app") }

func (h *history) key() server.UserKey {
	return server.UserKey{App: h.app(), User: rapid.SampledFrom([]string{"a", "A", "b", "c"}).Draw(h.T, "user")}
}

func (h *history) day(label string) server.Day {
	return today + server.Day(rapid.IntRange(0, 3).Draw(h.T, label))
}

// moment is zero now and then.
func (h *history) moment() time.Time {
	if n := rapid.Int64Range(0, 9).Draw(h.T, "moment"); n > 0 {
		return at(n * 1_000)
	}
	return time.Time{}
}

func (h *history) equal(want, got any, what string) {
	h.Helper()
	require.New(h).Equal(want, got, what)
}

// same compares an account, and learns when an imported one was made.
func (h *history) same(key server.UserKey, got server.Account) {
	h.Helper()
	want := h.accounts[key]
	if want.CreatedAt.IsZero() {
		want.CreatedAt = got.CreatedAt
	}
	h.equal(*want, got, "account")
}

func (h *history) make(key server.UserKey) (made bool) {
	if h.accounts[key] != nil {
		return false
	}
	h.accounts[key] = &server.Account{NotBefore: h.stones[key]}
	return true
}

func (h *history) arrive(*rapid.T) {
	key, day := h.key(), h.day("day")
	got, err := h.store().Arrive(h.suite.t.Context(), key, day, nil)
	h.equal(nil, err, "error")
	h.equal(h.make(key), got.New, "new")
	h.equal(!h.marks[mark{key, day}], got.FirstToday, "first today")
	h.marks[mark{key, day}] = true
	h.same(key, got.Account)
}

func (h *history) account(*rapid.T) {
	key := h.key()
	got, err := h.store().Account(h.suite.t.Context(), key)
	if h.answer(key, err) {
		h.same(key, got)
	}
}

// answer checks the error of a method that needs an account, and reports whether there is one.
func (h *history) answer(key server.UserKey, err error) bool {
	h.Helper()
	if h.accounts[key] == nil {
		require.New(h).ErrorIs(err, codes.AccountNotFound)
		return false
	}
	h.equal(nil, err, "error")
	return true
}

func (h *history) importUsers(*rapid.T) {
	keys := []server.UserKey{h.key(), h.key()}
	keys[1].App = keys[0].App
	h.equal(nil, h.store().Import(h.suite.t.Context(), keys[0].App, []string{keys[0].User, keys[1].User}), "error")
	h.make(keys[0])
	h.make(keys[1])
}

func (h *history) delete(*rapid.T) {
	key, at := h.key(), h.moment()
	if !h.answer(key, h.store().Delete(h.suite.t.Context(), key, at)) {
		return
	}
	h.stones[key] = later(h.accounts[key].NotBefore, at)
	delete(h.accounts, key)
	delete(h.absences, key)
	maps.DeleteFunc(h.marks, func(m mark, _ bool) bool { return m.key == key })
}

func (h *history) ban(*rapid.T) {
	key, until := h.key(), h.moment()
	if h.answer(key, h.store().Ban(h.suite.t.Context(), key, until)) {
		h.accounts[key].Banned, h.accounts[key].BannedUntil = true, until
		delete(h.absences, key)
	}
}

func (h *history) unban(*rapid.T) {
	key := h.key()
	if h.answer(key, h.store().Unban(h.suite.t.Context(), key)) {
		h.accounts[key].Banned, h.accounts[key].BannedUntil = false, time.Time{}
	}
}

func (h *history) revoke(*rapid.T) {
	key, at := h.key(), h.moment()
	if h.answer(key, h.store().Revoke(h.suite.t.Context(), key, at)) {
		h.accounts[key].NotBefore = later(h.accounts[key].NotBefore, at)
		delete(h.absences, key)
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (h *history) newest(app uint64) server.Settings {
	if list := h.settings[app]; len(list) > 0 {
		return list[0]
	}
	return server.DefaultSettings()
}

func (h *history) readSettings(*rapid.T) {
	app, limit := h.app(), rapid.IntRange(0, 3).Draw(h.T, "limit")
	set, err := h.store().Settings(h.suite.t.Context(), app)
	h.equal(nil, err, "error")
	h.equal(h.newest(app), set, "settings")
	list, err := h.store().History(h.suite.t.Context(), app, limit)
	h.equal(nil, err, "error")
	want := h.settings[app][:min(limit, len(h.settings[app]))]
	h.equal(len(want), len(list), "versions")
	for i := range want {
		h.equal(want[i], list[i], "history")
	}
}

func (h *history) setSettings(*rapid.T) {
	app := h.app()
	set := server.Settings{
		Policy:    rapid.SampledFrom(codes.Policies()).Draw(h.T, "policy"),
		Version:   h.newest(app).Version + rapid.SampledFrom([]int64{0, 0, 0, -1, 1}).Draw(h.T, "off by"),
		ChangedBy: "admin",
	}
	if n := rapid.IntRange(0, 10).Draw(h.T, "limit"); n > 0 {
		set.Limits = map[codes.Platform]int{codes.PlatformWeb: n}
	}
	got, err := h.store().SetSettings(h.suite.t.Context(), app, set)
	if set.Version != h.newest(app).Version {
		require.New(h).ErrorIs(err, codes.InvalidOperation)
		return
	}
	h.equal(nil, err, "error")
	set.Version, set.ChangedAt = set.Version+1, got.ChangedAt
	h.equal(set, got, "stored settings")
	h.settings[app] = append([]server.Settings{set}, h.settings[app]...)
}

func (h *history) actives(*rapid.T) {
	app, from, to := h.app(), h.day("from"), h.day("to")
	users := map[server.UserKey]bool{}
	for m := range h.marks {
		if m.key.App == app && from <= m.day && m.day <= to {
			users[m.key] = true
		}
	}
	got, err := h.store().Actives(h.suite.t.Context(), app, from, to)
	h.equal(nil, err, "error")
	h.equal(server.Actives{From: from, To: to, Users: int64(len(users))}, got, "actives")
}

// updateAbsences adds or removes an instance of two users, after comparing what they had.
func (h *history) updateAbsences(*rapid.T) {
	keys := []server.UserKey{h.key()}
	if second := h.key(); second != keys[0] {
		keys = append(keys, second)
	}
	one := absent(codes.PlatformIOS, rapid.SampledFrom([]string{"x", "y", "z"}).Draw(h.T, "instance"), rapid.Uint64Range(1, 9).Draw(h.T, "seq"), time.Hour)
	adds := rapid.Bool().Draw(h.T, "adds")
	err := h.store().UpdateAbsences(h.suite.t.Context(), keys, func(key server.UserKey, list []server.Absence) []server.Absence {
		h.equal(len(h.absences[key]), len(list), "absences")
		for i, a := range list {
			h.equal(h.absences[key][i].LoginSeq, a.LoginSeq, "absence")
		}
		list = slices.DeleteFunc(list, func(a server.Absence) bool { return a.Instance == one.Instance || a.LoginSeq == one.LoginSeq })
		if adds {
			list = append(list, one)
		}
		server.SortAbsences(list)
		h.absences[key] = list
		return list
	})
	h.equal(nil, err, "error")
	for _, key := range keys {
		all, err := h.store().Absences(h.suite.t.Context(), key.App, []string{key.User})
		h.equal(nil, err, "error")
		h.equal(len(h.absences[key]), len(all[key.User]), "absences")
		for i, a := range all[key.User] {
			h.equal(h.absences[key][i], a, "absence")
		}
	}
}

func (h *history) forget(*rapid.T) {
	key := h.key()
	h.store().Forget(key.App, key.User)
	h.store().Forget(key.App, "")
}

// reopen is rare, for it costs as much as a hundred other things.
func (h *history) reopen(*rapid.T) {
	if rapid.IntRange(0, 9).Draw(h.T, "reopen") == 0 {
		h.suite.reopen()
	}
}
