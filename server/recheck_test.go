package server_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// A diary is a witness that survives a kill, but for what it heard when it had stopped writing.
type diary struct {
	witness
	lost  bool // what it hears now
	err   error
	pages int

	tellings map[server.UserKey][]server.Session
	highest  uint64
}

func (d *diary) Changed(c server.Change) {
	d.mu.Lock()
	lost := d.lost
	if !lost {
		d.highest = max(d.highest, c.Revision)
		d.tellings[c.Key] = c.Sessions
	}
	d.mu.Unlock()
	if !lost {
		d.witness.Changed(c)
	}
}

func (d *diary) LastRevision() uint64 { return d.highest }

func (d *diary) Told(_ context.Context, after server.UserKey, most int) (list []server.Telling, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pages++
	for key, sessions := range d.tellings {
		if key.User > after.User && len(sessions) > 0 {
			list = append(list, server.Telling{Key: key, Sessions: sessions})
		}
	}
	slices.SortFunc(list, func(a, b server.Telling) int { return cmp.Compare(a.Key.User, b.Key.User) })
	return list[:min(len(list), most)], d.err
}

func (d *diary) loses(f func()) {
	d.mu.Lock()
	d.lost = true
	d.mu.Unlock()
	f()
	d.mu.Lock()
	d.lost = false
	d.mu.Unlock()
}

// written runs a story of a node that is alone and keeps a diary.
func written(t *testing.T, story func(t *testing.T, w *world, n *lonely, d *diary)) {
	t.Helper()
	alone(t, func(t *testing.T, w *world, n *lonely) {
		d := &diary{tellings: map[server.UserKey][]server.Session{}}
		n.diary = d
		w.options.Observer = d
		n.kill(w)
		story(t, w, n, d)
	})
}

func TestALogoutThatTheKilledNodeCouldNotTellIsToldAfterTheGracePeriod(t *testing.T) {
	written(t, func(t *testing.T, w *world, n *lonely, d *diary) {
		phone, stays := w.device("alice", android).login(n.node), w.device("bob", ios).login(n.node)
		w.wait(time.Millisecond)
		before := d.revisionOf("alice")
		d.loses(func() { require.NoError(t, n.Logout(ctx, phone.grant.Held)) })
		n.kill(w)
		stays.comeBack(n.node)
		d.testified()
		w.wait(2 * time.Minute)
		require.Empty(t, d.testified())
		w.wait(time.Minute)
		require.Equal(t, []string{"timeout android -> "}, d.testified())
		require.Greater(t, d.highest, before)
		w.absent(n.node, "alice") // it had logged out
		w.wait(time.Hour / 2)
		require.Empty(t, d.testified(), "once")
	})
}

func TestWithoutItsJournalANodeTellsTheTruthAllTheSame(t *testing.T) {
	written(t, func(t *testing.T, w *world, n *lonely, d *diary) {
		for i := range 250 { // more than a page
			w.device(string(rune('A'+i%26))+string(rune('a'+i/26)), android).login(n.node)
		}
		back := w.device("alice", ios).login(n.node)
		n.file = "/dev/null/none"
		n.startKilled(w)
		back.comeBack(n.node)
		d.testified()
		w.wait(10 * time.Minute)
		all := d.testified()
		require.Len(t, all, 250)
		for _, one := range all {
			require.Equal(t, "timeout android -> ", one)
		}
		require.Len(t, d.tellings[key("alice")], 1)
		require.GreaterOrEqual(t, d.pages, 3)
	})
}

func TestARevisionIsHigherThanAllThatWereToldBeforeTheRestart(t *testing.T) {
	written(t, func(t *testing.T, w *world, n *lonely, d *diary) {
		d.highest = uint64(time.Now().Add(time.Hour).UnixMicro()) // the clock was set back since
		n.kill(w)
		phone := w.device("alice", ios).login(n.node)
		for range 3 {
			before := d.highest
			phone.lose(n.node)
			phone.comeBack(n.node)
			require.Greater(t, d.highest, before)
		}
		require.Less(t, phone.grant.LoginSeq, uint64(time.Now().Add(time.Minute).UnixMicro()), "LoginSeqs are moments: they go with the clock")
	})
}

func TestADiaryThatCannotBeReadStopsNobody(t *testing.T) {
	written(t, func(t *testing.T, w *world, n *lonely, d *diary) {
		d.err = errors.New("the disk is broken")
		n.kill(w)
		w.wait(10 * time.Minute)
		require.Contains(t, w.logs.String(), "the disk is broken")
		w.device("alice", ios).login(n.node)
	})
}
