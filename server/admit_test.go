package server

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/opentim/tim/codes"
)

var (
	testTime = time.Unix(1_800_000_000, 0)
	alice    = UserKey{App: 1400000001, User: "alice"}
)

// arrive brings one session into key as a node does, and returns the key and what it came to.
func arrive(t require.TestingT, sessions []Session, a admission) ([]Session, outcome) {
	a.key = alice
	if a.now.IsZero() {
		a.now = testTime
	}
	if a.session.TicketExpires.IsZero() {
		a.session.TicketExpires = testTime.Add(time.Hour)
	}
	frozen := slices.Clone(sessions)
	stored, err := a.change(sessions)
	first := a.outcome
	require.Equal(t, frozen, sessions, "change altered its argument")

	again, errAgain := a.change(sessions)
	require.Equal(t, stored, again, "change is not pure")
	require.Equal(t, err, errAgain)
	require.Equal(t, first, a.outcome)
	if err != nil {
		require.ErrorIs(t, err, errDecided)
		return sessions, first
	}
	require.True(t, SessionsSorted(stored))
	return stored, first
}

func TestOrderOfArrivalNeverChangesWhoStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sessions, settings := drawSessions(t), drawSettings(t)
		order := rapid.Permutation(sessions).Draw(t, "order")
		var key []Session
		for _, s := range order {
			kind := rapid.SampledFrom([]admissionKind{resume, restore}).Draw(t, "kind")
			key, _ = arrive(t, key, admission{kind: kind, session: s, settings: settings, vouched: true})
		}
		require.Equal(t, survivors(sessions, settings), ids(lasting(key)), "%+v", key)
	})
}

func TestWhoArrivesTwiceChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sessions, settings := drawSessions(t), drawSettings(t)
		var key []Session
		for _, s := range sessions {
			key, _ = arrive(t, key, admission{kind: restore, session: s, settings: settings, vouched: true})
		}
		for _, s := range rapid.Permutation(sessions).Draw(t, "order") {
			again, o := arrive(t, key, admission{kind: restore, session: s, settings: settings, vouched: true})
			require.Equal(t, ids(lasting(key)), ids(lasting(again)))
			require.Empty(t, o.gone)
		}
	})
}

func TestALoginAlwaysStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sessions, settings := drawSessions(t), drawSettings(t)
		keep, _ := settle(alice, slices.Clone(sessions), settings, testTime)
		behind := rapid.Uint64Range(0, 20).Draw(t, "clock of the node")
		me := device(rapid.SampledFrom(codes.Platforms()).Draw(t, "platform"), behind)
		me.ID, me.Instance = "me", rapid.SampledFrom([]string{"a", "me"}).Draw(t, "instance")
		after, o := arrive(t, keep, admission{kind: login, session: me, settings: settings})
		require.Nil(t, o.refused)
		live := lasting(after)
		require.Equal(t, "me", live[len(live)-1].ID)
		require.GreaterOrEqual(t, o.stored.LoginSeq, behind)
		for _, s := range keep {
			require.Greater(t, o.stored.LoginSeq, s.LoginSeq)
		}
	})
}

func TestAdmission(t *testing.T) {
	phone, pad, browser := device(codes.PlatformIOS, 10), device(codes.PlatformIPad, 20), device(codes.PlatformWeb, 30)
	soon := testTime.Add(time.Minute)
	for _, s := range []*Session{&phone, &pad, &browser} {
		s.Node, s.TicketExpires, s.Label = "a.1", testTime.Add(time.Hour), "label of "+s.ID
	}
	with := func(s Session, f func(*Session)) Session { f(&s); return s }
	// kicked is the phone's record after the pad's login.
	kicked := Departure{Session: phone, Reason: codes.KickMultipleDevice, By: pad}.kick(alice)
	record := phone.leave(kicked, testTime)

	t.Run("a login leaves a record of whom it pushed out", func(t *testing.T) {
		key, o := arrive(t, []Session{phone, browser}, admission{kind: login, session: with(pad, func(s *Session) { s.LoginSeq = 40 }), settings: DefaultSettings()})
		require.Equal(t, []string{phone.ID}, ids([]Session{o.gone[0].Session}))
		require.Equal(t, []string{browser.ID, pad.ID}, ids(lasting(key)))
		require.Equal(t, &Kick{
			Key: alice, Session: phone.ID, LoginSeq: 10, Reason: codes.KickMultipleDevice, Code: codes.KickedOffline,
			ByPlatform: codes.PlatformIPad, ByLabel: pad.Label, At: time.UnixMicro(40),
		}, key[0].Left)
		require.Equal(t, testTime.Add(remember), key[0].AwayUntil)
	})

	t.Run("the same instance is replaced and leaves no record", func(t *testing.T) {
		again := with(phone, func(s *Session) { s.ID = "again" })
		key, o := arrive(t, []Session{phone}, admission{kind: login, session: again, settings: DefaultSettings()})
		require.True(t, o.repeat)
		require.Equal(t, []string{"again"}, ids(key))
		require.Equal(t, uint64(11), o.stored.LoginSeq, "newer than any, though the clock stands")
		require.Equal(t, codes.KickReplaced, o.gone[0].Reason)
	})

	t.Run("a login forgets why its instance was kicked", func(t *testing.T) {
		again := with(phone, func(s *Session) { s.ID = "again" })
		key, o := arrive(t, []Session{record, pad}, admission{kind: login, session: again, settings: Settings{Policy: codes.PolicyMulti}})
		require.False(t, o.repeat)
		require.Equal(t, []string{pad.ID, "again"}, ids(key))
	})

	t.Run("records are forgotten in time", func(t *testing.T) {
		key, _ := arrive(t, []Session{record, pad}, admission{kind: login, session: browser, settings: DefaultSettings(), now: testTime.Add(remember + time.Second)})
		require.Equal(t, []string{pad.ID, browser.ID}, ids(key))
	})

	t.Run("only so many records are kept", func(t *testing.T) {
		var key []Session
		for seq := range uint64(maxRecords + 10) {
			key, _ = arrive(t, key, admission{kind: login, session: device(codes.PlatformIOS, seq+1), settings: DefaultSettings()})
		}
		require.Len(t, key, maxRecords+1)
		require.Len(t, lasting(key), 1)
		require.Equal(t, uint64(10), key[0].LoginSeq, "the oldest went first")
	})

	t.Run("a meek login", func(t *testing.T) {
		meek := admission{kind: login, meek: true, session: with(pad, func(s *Session) { s.LoginSeq = 40 }), settings: DefaultSettings()}
		t.Run("comes in where there is room", func(t *testing.T) {
			key, o := arrive(t, []Session{browser}, meek)
			require.Nil(t, o.refused)
			require.Equal(t, []string{browser.ID, pad.ID}, ids(key))
		})
		t.Run("stays out where somebody would have to leave", func(t *testing.T) {
			key, o := arrive(t, []Session{phone, browser}, meek)
			require.Equal(t, []Session{phone, browser}, key)
			require.Empty(t, o.gone)
			require.Equal(t, codes.KickMultipleDevice, o.refused.Reason)
			require.Equal(t, phone.Platform, o.refused.ByPlatform)
			require.Equal(t, phone.Label, o.refused.ByLabel)
			require.Equal(t, phone.LoggedIn(), o.refused.At)
		})
		t.Run("may replace itself", func(t *testing.T) {
			key, o := arrive(t, []Session{with(pad, func(s *Session) { s.ID = "before" })}, meek)
			require.Nil(t, o.refused)
			require.Equal(t, []string{pad.ID}, ids(key))
			require.Len(t, o.gone, 1, "the connection of before is to be closed")
		})
		t.Run("learns that it was kicked while it was away, even if there is room again", func(t *testing.T) {
			again := with(phone, func(s *Session) { s.ID, s.LoginSeq = "again", 40 })
			_, o := arrive(t, []Session{record}, admission{kind: login, meek: true, session: again, settings: DefaultSettings()})
			require.Equal(t, &kicked, o.refused)
		})
	})

	t.Run("a resume", func(t *testing.T) {
		back := with(phone, func(s *Session) { s.Node, s.Label, s.Resumes = "b.1", "cut", 1 })
		t.Run("comes back and keeps what it was", func(t *testing.T) {
			kept := with(phone, func(s *Session) { s.AwayUntil, s.Resumes, s.TicketExpires = soon, 4, soon.Add(time.Hour) })
			key, o := arrive(t, []Session{kept, browser}, admission{kind: resume, session: back, settings: DefaultSettings()})
			want := with(kept, func(s *Session) { s.AwayUntil, s.Resumes, s.Node = time.Time{}, 5, "b.1" })
			require.Equal(t, []Session{want, browser}, key)
			require.Equal(t, kept, o.before)
		})
		t.Run("learns why it was kicked", func(t *testing.T) {
			key, o := arrive(t, []Session{record, pad}, admission{kind: resume, session: back, settings: DefaultSettings(), vouched: true})
			require.Equal(t, &kicked, o.refused)
			require.Equal(t, []Session{record, pad}, key)
		})
		t.Run("learns who took its place though the record is forgotten", func(t *testing.T) {
			key, o := arrive(t, []Session{pad}, admission{kind: resume, session: back, settings: DefaultSettings(), vouched: true})
			require.Equal(t, kicked, *o.refused)
			require.Empty(t, o.gone)
			require.Equal(t, []string{pad.ID}, ids(lasting(key)))
		})
		t.Run("of a session that its key does not know needs a voucher", func(t *testing.T) {
			key, o := arrive(t, []Session{browser}, admission{kind: resume, session: back, settings: DefaultSettings()})
			require.True(t, o.unknown)
			require.Equal(t, []Session{browser}, key)
			key, o = arrive(t, []Session{browser}, admission{kind: resume, session: back, settings: DefaultSettings(), vouched: true})
			require.False(t, o.unknown)
			require.Equal(t, []string{phone.ID, browser.ID}, ids(key))
		})
		t.Run("pushes out what is older and came back sooner", func(t *testing.T) {
			_, o := arrive(t, []Session{phone}, admission{kind: resume, session: pad, settings: DefaultSettings(), vouched: true})
			require.Equal(t, phone.ID, o.gone[0].Session.ID)
			require.Nil(t, o.refused)
		})
	})

	t.Run("a session that is written back", func(t *testing.T) {
		again := admission{kind: restore, session: phone, settings: DefaultSettings()}
		t.Run("changes nothing if its key says the same", func(t *testing.T) {
			_, o := arrive(t, []Session{phone}, again)
			require.True(t, o.settled)
		})
		t.Run("gives way to a newer connection", func(t *testing.T) {
			_, o := arrive(t, []Session{with(phone, func(s *Session) { s.Resumes, s.Node = 1, "b.1" })}, again)
			require.True(t, o.moved)
		})
		t.Run("is not away, for its connection lives", func(t *testing.T) {
			key, o := arrive(t, []Session{with(phone, func(s *Session) { s.AwayUntil = soon })}, again)
			require.False(t, o.settled)
			require.Equal(t, []Session{phone}, key)
		})
		t.Run("wins over another node that knows no better, and outnumbers it", func(t *testing.T) {
			key, o := arrive(t, []Session{with(phone, func(s *Session) { s.Node = "b.1" })}, again)
			require.False(t, o.moved)
			require.Equal(t, NodeID("a.1"), key[0].Node)
			require.Equal(t, uint32(1), key[0].Resumes)
		})
		t.Run("leaves if it was kicked", func(t *testing.T) {
			_, o := arrive(t, []Session{record, pad}, again)
			require.Equal(t, &kicked, o.refused)
		})
	})

	t.Run("an administrator was here", func(t *testing.T) {
		mark := Session{LoginSeq: 50}.leave(Kick{Reason: codes.KickRESTAPI}, testTime)
		_, o := arrive(t, []Session{mark}, admission{kind: login, session: phone, settings: DefaultSettings()})
		require.True(t, o.marked)
		require.Equal(t, uint64(51), o.stored.LoginSeq)
		_, o = arrive(t, []Session{record}, admission{kind: login, session: browser, settings: DefaultSettings()})
		require.False(t, o.marked)
	})
}
