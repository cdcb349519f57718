package server_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

var single = server.Settings{Policy: codes.PolicySingle, ChangedBy: "an administrator"}

func TestSettingsTakeEffectOnEveryNode(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(b)
		browser := w.device("alice", web).login(b)
		stored, err := a.SetSettings(ctx, appID, single)
		require.NoError(t, err)
		require.Equal(t, int64(1), stored.Version)
		w.wait(2 * time.Second)
		for _, n := range []*node{a, b} {
			got, err := n.Settings(appID)
			require.NoError(t, err)
			require.Equal(t, stored, got)
		}
		phone.hears("kicked: multiple_device by web")
		w.online(a, "alice", "web")
		w.device("alice", mac).login(a)
		browser.hears("kicked: multiple_device by mac")

		_, err = b.SetSettings(ctx, appID, single)
		require.ErrorIs(t, err, codes.InvalidOperation, "somebody else was faster")
		w.wait(10 * time.Minute)
		require.Equal(t, 2, strings.Count(w.logs.String(), "settings applied"), "once on each node")
	})
}

func TestANodeThatMissedTheNewsReadsTheSettings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.options.SettingsEvery = 0 // as usual
		n := w.node()
		_, err := w.store.SetSettings(ctx, appID, single)
		require.NoError(t, err)
		w.wait(500 * time.Millisecond)
		got, err := n.Settings(appID)
		require.NoError(t, err)
		require.Equal(t, codes.PolicySingle, got.Policy)
	})
}

func TestSettingsThatChangeWhileANodeJoins(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a := w.node()
		w.device("alice", ios).login(a)
		w.joining = func() { // it waits for an election, and hears no news yet
			_, err := a.SetSettings(ctx, appID, server.Settings{Policy: codes.PolicyMulti})
			require.NoError(t, err)
		}
		b := w.node()
		w.device("alice", mac).login(b)
		w.online(b, "alice", "ios", "mac")
	})
}

func TestStricterSettingsEvictAtAPace(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		w.options.EvictRate = 10
		n := w.node()
		const users = 50
		for i := range users {
			user := fmt.Sprint("user", i)
			w.device(user, ios).login(n)
			w.device(user, web).login(n)
		}
		_, err := n.SetSettings(ctx, appID, single)
		require.NoError(t, err)
		for second := range 5 {
			w.wait(time.Second)
			require.InDelta(t, 2*users-10*(second+1), n.Online(), 2)
		}
		w.wait(time.Second)
		require.Equal(t, users, n.Online())

		multi := server.Settings{Policy: codes.PolicyMulti, Version: 1}
		_, err = n.SetSettings(ctx, appID, multi)
		require.NoError(t, err)
		w.wait(time.Minute)
		require.Equal(t, users, n.Online())
	})
}

func TestSimulate(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		relaxed := server.Settings{Policy: codes.PolicyMulti, Limits: map[codes.Platform]int{web: 3}}
		_, err := a.SetSettings(ctx, appID, relaxed)
		require.NoError(t, err)
		w.wait(time.Second)
		devices := []*device{
			w.device("alice", ios).login(a), w.device("alice", web).login(b), w.device("alice", web).login(a),
			w.device("bob", mac).login(b), w.device("bob", android).login(b),
			w.device("carol", web).login(a),
		}
		devices[0].lose(a)
		w.wait(time.Second)

		sim, err := b.Simulate(ctx, appID, server.DefaultSettings())
		require.NoError(t, err)
		require.Equal(t, server.Simulation{
			Users: 3, Sessions: 6, Affected: 2,
			Kicked: map[codes.KickReason]int{codes.KickMultipleAccount: 1, codes.KickMultipleDevice: 1},
		}, sim)
		sim, err = b.Simulate(ctx, appID, relaxed)
		require.NoError(t, err)
		require.Zero(t, sim.Affected)
		w.online(a, "alice", "ios away", "web", "web")
		for _, d := range devices[1:] {
			d.hearsNothing()
		}
	})
}

func TestWrongSettings(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		for name, s := range map[string]server.Settings{
			"no policy":            {},
			"an unknown policy":    {Policy: 9},
			"a limit of 0":         {Policy: codes.PolicyDual, Limits: map[codes.Platform]int{ios: 0}},
			"four phones":          {Policy: codes.PolicyDual, Limits: map[codes.Platform]int{ios: 4}},
			"eleven browsers":      {Policy: codes.PolicyDual, Limits: map[codes.Platform]int{web: 11}},
			"an unknown platform":  {Policy: codes.PolicyDual, Limits: map[codes.Platform]int{99: 1}},
			"two mistakes at once": {Policy: 9, Limits: map[codes.Platform]int{99: 1}},
		} {
			_, err := n.SetSettings(ctx, appID, s)
			require.ErrorIs(t, err, codes.InvalidRequest, name)
			_, err = n.Simulate(ctx, appID, s)
			require.ErrorIs(t, err, codes.InvalidRequest, name)
		}
		_, err := n.SetSettings(ctx, 3, single)
		require.ErrorIs(t, err, codes.AppNotFound)
		_, err = n.Settings(3)
		require.ErrorIs(t, err, codes.AppNotFound)
		_, err = n.Simulate(ctx, 3, single)
		require.ErrorIs(t, err, codes.AppNotFound)
	})
}
