package server_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/memory"
)

// A lonely is a node without a cluster, which keeps a journal. Its present start is node.
type lonely struct {
	*node
	eye   *witness
	diary *diary // instead of eye, if there is one
	file  string
}

// alone runs a story of a node that is killed and started again.
func alone(t *testing.T, story func(t *testing.T, w *world, n *lonely)) {
	t.Helper()
	witnessed(t, func(t *testing.T, w *world, eye *witness) {
		n := &lonely{eye: eye, file: filepath.Join(t.TempDir(), "journal")}
		n.start(w)
		story(t, w, n)
	})
}

func (n *lonely) start(w *world) {
	n.node = w.nodeOn(memory.OpenJournal(n.file, slog.New(slog.NewTextHandler(w.logs, nil))))
}

// kill starts the node again from what its journal says now. What the one that was killed does after that, nobody sees.
func (n *lonely) kill(w *world) {
	w.t.Helper()
	w.wait(time.Second) // what a kill loses is another story
	data, err := os.ReadFile(n.file)
	require.NoError(w.t, err)
	n.file += "+"
	require.NoError(w.t, os.WriteFile(n.file, data, 0o600))
	n.startKilled(w)
}

func (n *lonely) startKilled(w *world) {
	n.registry.set(func() { n.registry.down = true })
	if n.diary == nil {
		n.eye = new(witness)
		w.options.Observer = n.eye
	}
	n.start(w)
}

// told requires what the witness of this start saw, of several users in no order.
func (n *lonely) told(want ...string) {
	n.w.t.Helper()
	n.w.wait(time.Second)
	require.ElementsMatch(n.w.t, want, n.eye.testified())
}

func TestAfterAKillADeviceComesBackAsIfItsConnectionHadBeenLost(t *testing.T) {
	alone(t, func(t *testing.T, w *world, n *lonely) {
		online, away := w.device("alice", android).login(n.node), w.device("bob", ios).login(n.node)
		away.lose(n.node)
		n.kill(w)
		w.online(n.node, "alice", "android away")
		w.online(n.node, "bob", "ios away")
		w.wait(110 * time.Second) // of 120
		session := online.grant.Session
		online.comeBack(n.node)
		away.comeBack(n.node)
		require.Equal(t, session, online.grant.Session)
		w.online(n.node, "alice", "android")
		w.wait(time.Hour / 2)
		n.told("login android -> android", "login ios -> ios")
		w.absent(n.node, "alice")
	})
}

func TestAfterAKillWhoDoesNotComeBackIsReleasedAfterTheGracePeriodAndToldOnce(t *testing.T) {
	alone(t, func(t *testing.T, w *world, n *lonely) {
		w.device("alice", android).login(n.node, w.long("alice"))
		w.device("alice", web).login(n.node, w.long("alice"))
		away := w.device("bob", ios).login(n.node, w.long("bob"))
		away.lose(n.node)
		n.kill(w)
		n.told()
		w.absent(n.node, "alice") // the session is away, which REST calls PushOnline, too
		w.wait(56 * time.Second)
		w.online(n.node, "alice", "android away", "web away")
		w.wait(10 * time.Second)
		w.online(n.node, "alice", "android away")
		n.told("timeout web -> android away")
		w.wait(time.Minute)
		n.told("timeout android -> ", "timeout ios -> ")
		w.absent(n.node, "alice", android)
		w.absent(n.node, "bob", ios)
		w.wait(server.AbsenceLife)
		w.absent(n.node, "bob")
		n.told()
	})
}

func TestAKillDoesNotBringBackWhatHadEnded(t *testing.T) {
	alone(t, func(t *testing.T, w *world, n *lonely) {
		left := w.device("alice", android).login(n.node)
		require.NoError(t, n.Logout(ctx, left.grant.Held))
		ended := w.device("bob", android).login(n.node)
		_, err := n.KickUser(ctx, key("bob"))
		require.NoError(t, err)
		n.kill(w)
		for _, user := range []string{"alice", "bob"} {
			w.online(n.node, user)
			w.absent(n.node, user)
		}
		requireRefused(t, codes.TicketRevoked, ended.back(n.node))
		w.wait(time.Hour / 2)
		n.told()
		w.absent(n.node, "alice")
	})
}

func TestPushOnlineSurvivesAKill(t *testing.T) {
	alone(t, func(t *testing.T, w *world, n *lonely) {
		w.device("alice", ios).login(n.node, w.long("alice")).lose(n.node)
		w.wait(3 * time.Minute)
		w.absent(n.node, "alice", ios)
		n.kill(w)
		w.absent(n.node, "alice", ios)
	})
}

// The order in which devices come back decides nothing, also where one of them had been told to leave.
func TestAfterAKillTheRuleIsTheSame(t *testing.T) {
	alone(t, func(t *testing.T, w *world, n *lonely) {
		older := w.device("alice", windows).login(n.node)
		older.lose(n.node)
		newer := w.device("alice", android).login(n.node)
		n.kill(w)
		kicked := requireRefused(t, codes.KickedOffline, older.back(n.node))
		require.Equal(t, codes.KickMultipleDevice, kicked.Kick.Reason)
		require.Equal(t, android, kicked.Kick.ByPlatform)
		newer.comeBack(n.node)
		w.online(n.node, "alice", "android")

		w.device("bob", android).login(n.node)
		n.kill(w)
		w.device("bob", android).login(n.node) // another phone
		n.told("login android [android] -> android")
	})
}

func TestTwoKillsAreNoWorseThanOne(t *testing.T) {
	alone(t, func(t *testing.T, w *world, n *lonely) {
		back := w.device("alice", android).login(n.node)
		w.device("bob", ios).login(n.node)
		n.kill(w)
		w.wait(time.Minute)
		n.kill(w)
		w.wait(110 * time.Second)
		back.comeBack(n.node)
		w.online(n.node, "bob", "ios away")
		w.wait(time.Minute)
		n.told("login android -> android", "timeout ios -> ")
		w.absent(n.node, "bob", ios)
	})
}

func TestANodeThatIsStoppedKnowsAfterwardsWhoWasSignedIn(t *testing.T) {
	alone(t, func(t *testing.T, w *world, n *lonely) {
		back, gone := w.device("alice", android).login(n.node), w.device("bob", ios).login(n.node, w.long("bob"))
		back.lose(n.node)
		gone.lose(n.node)
		n.close()
		n.eye = new(witness)
		w.options.Observer = n.eye
		n.start(w)
		w.online(n.node, "bob", "ios away")
		back.comeBack(n.node)
		w.wait(3 * time.Minute)
		n.told("login android -> android", "timeout ios -> ")
		w.absent(n.node, "bob", ios)
	})
}
