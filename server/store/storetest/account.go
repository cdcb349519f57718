package storetest

import (
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

var accountCases = []testCase{
	{"Account knows who arrived, and nobody else", func(s *suite) {
		s.noAccount(user("alice"))
		a := s.arrive(user("alice"), today)
		s.Equal(a.Account, s.account(user("alice")))
		s.forget(user("alice"))
		s.Equal(a.Account, s.account(user("alice")))
		s.noAccount(user("Alice"))
		s.noAccount(server.UserKey{App: app + 1, User: "alice"})
	}},
	{"asking for an account neither makes nor marks it", func(s *suite) {
		s.noAccount(user("alice"))
		s.importUsers("bob")
		s.account(user("bob"))
		s.EqualValues(0, s.actives(today, today))
		s.True(s.arrive(user("alice"), today).New)
		s.True(s.arrive(user("bob"), today).FirstToday)
	}},
	{"imported accounts exist, and their first login is first of its day, but not new", func(s *suite) {
		s.importUsers("alice", "bob")
		s.EqualValues(0, s.actives(today, today))
		a := s.arrive(user("alice"), today)
		s.False(a.New)
		s.True(a.FirstToday)
		s.reopen()
		s.account(user("bob"))
	}},
	{"importing leaves accounts that exist as they are, also twice in one list", func(s *suite) {
		a := s.arrive(user("alice"), today)
		s.ban(user("alice"), time.Time{})
		s.importUsers("alice", "bob", "alice", "bob")
		s.forget(user("alice"))
		want := a.Account
		want.Banned = true
		s.Equal(server.Arrival{Account: want}, s.arrive(user("alice"), today))
	}},
	{"importing nobody is no error", func(s *suite) { s.importUsers() }},
	{"a long import is whole", func(s *suite) {
		var names []string
		for i := range 1000 {
			names = append(names, numbered(i).User)
		}
		s.importUsers(names...)
		s.reopen()
		for i := range names {
			s.account(numbered(i))
		}
	}},
	{"a ban shows in Account and in Arrive until it is ended", func(s *suite) {
		plain := s.arrive(user("alice"), today).Account
		banned := plain
		banned.Banned, banned.BannedUntil = true, at(1_900_000_000)
		s.ban(user("alice"), at(1_900_000_000))
		s.Equal(banned, s.account(user("alice")))
		s.Equal(server.Arrival{Account: banned}, s.arrive(user("alice"), today))
		s.reopen()
		s.Equal(banned, s.account(user("alice")))
		s.unban(user("alice"))
		s.Equal(plain, s.account(user("alice")))
		s.Equal(server.Arrival{Account: plain}, s.arrive(user("alice"), today))
		s.reopen()
		s.Equal(plain, s.account(user("alice")))
	}},
	{"a ban without end has a zero time, and a later ban replaces an earlier one", func(s *suite) {
		s.importUsers("alice")
		for _, until := range []time.Time{at(2_000_000_000), {}, at(0), at(1_000)} {
			s.ban(user("alice"), until)
			a := s.account(user("alice"))
			s.True(a.Banned)
			s.Equal(until, a.BannedUntil)
			s.Equal(until.IsZero(), a.BannedUntil.IsZero())
		}
	}},
	{"unbanning an account that is not banned is no error", func(s *suite) {
		s.importUsers("alice")
		s.unban(user("alice"))
	}},
	{"nobody can be banned, unbanned, revoked or deleted who has no account", func(s *suite) {
		ctx, alice := s.t.Context(), user("alice")
		check := func() {
			s.ErrorIs(s.store.Ban(ctx, alice, time.Time{}), codes.AccountNotFound)
			s.ErrorIs(s.store.Unban(ctx, alice), codes.AccountNotFound)
			s.ErrorIs(s.store.Revoke(ctx, alice, at(1_000)), codes.AccountNotFound)
			s.ErrorIs(s.store.Delete(ctx, alice, at(1_000)), codes.AccountNotFound)
			s.noAccount(alice)
		}
		check()
		s.arrive(alice, today)
		s.delete(alice, at(2_000))
		check()
		s.True(s.arrive(alice, today).New)
		s.Equal(at(2_000), s.account(alice).NotBefore, "what was refused left no trace")
	}},
}

var revokeCases = []testCase{
	{"revoking sets NotBefore, in Account and in Arrive, for good", func(s *suite) {
		a := s.arrive(user("alice"), today).Account
		s.revoke(user("alice"), at(1_000))
		a.NotBefore = at(1_000)
		s.Equal(a, s.account(user("alice")))
		s.Equal(server.Arrival{Account: a}, s.arrive(user("alice"), today))
		s.reopen()
		s.Equal(server.Arrival{Account: a}, s.arrive(user("alice"), today))
	}},
	{"NotBefore never goes back", func(s *suite) {
		s.importUsers("alice")
		for _, step := range []struct{ revoke, want int64 }{{1_000, 1_000}, {500, 1_000}, {2_000, 2_000}, {1_999, 2_000}} {
			s.revoke(user("alice"), at(step.revoke))
			s.Equal(at(step.want), s.account(user("alice")).NotBefore)
		}
	}},
	{"a deleted account is gone, its marks too", func(s *suite) {
		for day := today; day < today+40; day++ {
			s.arrive(user("alice"), day)
		}
		s.arrive(user("bob"), today)
		s.EqualValues(2, s.actives(today, today))
		s.delete(user("alice"), at(1_000))
		s.noAccount(user("alice"))
		s.EqualValues(1, s.actives(today, today))
		s.EqualValues(1, s.actives(today, today+40))
		s.EqualValues(0, s.actives(today+1, today+40))
		s.reopen()
		s.noAccount(user("alice"))
	}},
	{"of a deleted account its NotBefore is known, also when it was not made by a login", func(s *suite) {
		s.importUsers("alice")
		s.ban(user("alice"), time.Time{})
		s.delete(user("alice"), at(1_000))
		for range 2 {
			a, err := s.store.Account(s.t.Context(), user("alice"))
			s.ErrorIs(err, codes.AccountNotFound)
			s.Equal(server.Account{NotBefore: at(1_000)}, a)
			s.reopen()
		}
	}},
	{"an account made again is new and first, without its ban, and refuses the old tickets", func(s *suite) {
		s.arrive(user("alice"), today)
		s.ban(user("alice"), time.Time{})
		s.delete(user("alice"), at(1_000))
		a := s.arrive(user("alice"), today)
		s.True(a.New)
		s.True(a.FirstToday)
		s.Equal(server.Account{CreatedAt: a.CreatedAt, NotBefore: at(1_000)}, a.Account)
		s.reopen()
		s.Equal(a.Account, s.account(user("alice")))
	}},
	{"deleting does not take back a later revocation", func(s *suite) {
		s.importUsers("alice")
		s.revoke(user("alice"), at(2_000))
		s.delete(user("alice"), at(1_000))
		s.reopen()
		s.Equal(at(2_000), s.arrive(user("alice"), today).NotBefore)
	}},
	{"importing makes a deleted account again, with its revocation", func(s *suite) {
		s.importUsers("alice")
		s.delete(user("alice"), at(1_000))
		s.importUsers("alice")
		s.Equal(at(1_000), s.account(user("alice")).NotBefore)
		s.True(s.arrive(user("alice"), today).FirstToday)
	}},
	{"an account can be deleted again and again", func(s *suite) {
		for i := range int64(3) {
			s.True(s.arrive(user("alice"), today).New)
			s.delete(user("alice"), at(1_000*(i+1)))
		}
		s.Equal(at(3_000), s.arrive(user("alice"), today).NotBefore)
		s.EqualValues(1, s.actives(today, today))
	}},
}
