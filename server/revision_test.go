package server_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// picture returns what a receiver makes of what it was told, in any order: the sessions with the highest revision.
func (w *witness) picture(user string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var newest server.Change
	for _, c := range w.saw {
		if c.Key.User == user && c.Revision > newest.Revision {
			newest = c
		}
	}
	list := []string{}
	for _, s := range newest.Sessions {
		name := s.Platform.String()
		if !s.AwayUntil.IsZero() {
			name += " away"
		}
		list = append(list, name)
	}
	return list
}

// revisionOf returns the highest that was told of a user.
func (w *witness) revisionOf(user string) (highest uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.saw {
		if c.Key.User == user {
			highest = max(highest, c.Revision)
		}
	}
	return highest
}

// witnessed runs a story with nodes that all tell one witness.
func witnessed(t *testing.T, story func(t *testing.T, w *world, eye *witness)) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		eye := new(witness)
		w.options.Observer = eye
		story(t, w, eye)
	})
}

// fast makes a node's clock go ahead of those of the others, as far as it knows.
func (n *node) fast(by time.Duration) { n.registry.handler.HandleClock("early.1", time.Now().Add(by)) }

func TestTheNextRevisionIsHigher(t *testing.T) {
	const ahead = 5 * time.Second
	for name, between := range map[string]func(w *world, early, late *node){
		"while the key remembers the last one": func(*world, *node, *node) {},
		"when the key forgot it": func(w *world, _, late *node) {
			w.wait(30 * time.Second) // as long as a registry remembers
			late.registry.set(func() { late.registry.forgets = true })
		},
		"when the registry lost everything, for nodes hear each other's clocks": func(w *world, _, late *node) {
			late.fast(ahead) // is what it hears of the other
			w.wait(time.Millisecond)
			late.registry.set(func() { late.registry.forgets = true })
		},
	} {
		t.Run(name+", on a node with a late clock", func(t *testing.T) {
			witnessed(t, func(t *testing.T, w *world, eye *witness) {
				early, late := w.node(), w.node()
				early.fast(ahead)
				phone := w.device("alice", android).login(early)
				require.NoError(t, early.Logout(ctx, phone.grant.Held))
				before := eye.revisionOf("alice")
				require.Greater(t, before, uint64(time.Now().Add(ahead-time.Second).UnixMicro()))
				between(w, early, late)
				w.device("alice", windows).login(late)
				require.Greater(t, eye.revisionOf("alice"), before)
				require.Equal(t, []string{"windows"}, eye.picture("alice"))
			})
		})
	}
}

func TestEachChangeOfOneWriteHasARevisionOfItsOwn(t *testing.T) {
	witnessed(t, func(t *testing.T, w *world, eye *witness) {
		n := w.node()
		w.device("alice", android).login(n)
		w.device("alice", web).login(n)
		_, err := n.KickUser(ctx, key("alice"))
		require.NoError(t, err)
		last := uint64(0)
		for _, c := range eye.saw {
			require.Greater(t, c.Revision, last)
			last = c.Revision
		}
		require.Len(t, eye.saw, 4)
		require.Empty(t, eye.picture("alice"))
	})
}

// What the registry did not answer may have happened all the same. The picture is right in the end, and nothing is told that
// did not happen.
func TestAChangeThatGotNoAnswerIsToldIfItHappened(t *testing.T) {
	for _, what := range []struct {
		fate fate
		name string
	}{{stored, "it was stored"}, {lost, "it was not"}} {
		t.Run(what.name, func(t *testing.T) {
			for _, c := range []struct {
				name  string
				story func(n *node, phone *device, unanswered func())
				want  []server.Action
			}{
				{"a login", func(n *node, phone *device, unanswered func()) {
					unanswered()
					phone.login(n)
				}, []server.Action{server.LoggedIn}},
				{"a logout", func(n *node, phone *device, unanswered func()) {
					phone.login(n)
					unanswered()
					require.ErrorIs(phone.w.t, n.Logout(ctx, phone.grant.Held), server.ErrUnavailable)
				}, []server.Action{server.LoggedIn, server.LoggedOut}},
				{"a lost connection", func(n *node, phone *device, unanswered func()) {
					phone.login(n)
					unanswered()
					phone.lose(n)
				}, []server.Action{server.LoggedIn, server.LinkClosed}},
				{"a kick by a newcomer", func(n *node, phone *device, unanswered func()) {
					phone.login(n)
					unanswered()
					phone.w.device("alice", windows).login(n)
				}, []server.Action{server.LoggedIn, server.LoggedIn}},
			} {
				t.Run(c.name, func(t *testing.T) {
					witnessed(t, func(t *testing.T, w *world, eye *witness) {
						n := w.node()
						c.story(n, w.device("alice", android), func() {
							n.registry.set(func() { n.registry.unanswered = what.fate })
						})
						w.wait(5 * time.Second)
						w.online(n, "alice", eye.picture("alice")...)
						var told []server.Action
						for _, c := range eye.saw {
							told = append(told, c.Action)
						}
						require.Equal(t, c.want, told)
					})
				})
			}
		})
	}
}

func TestAChangeInDoubtIsLeftToTheNodeThatCameNext(t *testing.T) {
	witnessed(t, func(t *testing.T, w *world, eye *witness) {
		a, b := w.node(), w.node()
		phone := w.device("alice", android).login(a)
		down := func(on bool) { a.registry.set(func() { a.registry.down = on }) }
		a.registry.set(func() {
			a.registry.unanswered = stored
			a.registry.updated = func() { down(true) } // or it may look before the other comes
		})
		require.Error(t, a.Logout(ctx, phone.grant.Held))
		w.device("alice", codes.PlatformMac).login(b)
		down(false)
		w.wait(time.Minute)
		require.Equal(t, []string{"mac"}, eye.picture("alice"))
		for _, c := range eye.saw {
			require.NotEqual(t, server.LoggedOut, c.Action)
		}
	})
}

// A registry may begin a change with what was so once, and then not reach the truth. Nothing was learned by that.
func TestAChangeInDoubtStaysSoWhileTheRegistryOnlyGuesses(t *testing.T) {
	for _, c := range []struct {
		name string
		fate fate
	}{{"it was stored", stored}, {"it was not, and was tried again", lost}} {
		t.Run(c.name, func(t *testing.T) {
			witnessed(t, func(t *testing.T, w *world, eye *witness) {
				n := w.node()
				phone := w.device("alice", android).login(n)
				n.registry.set(func() { n.registry.unanswered = c.fate })
				require.ErrorIs(t, n.Logout(ctx, phone.grant.Held), server.ErrUnavailable)
				n.registry.set(func() { n.registry.guesses = true })
				_, err := n.KickSession(ctx, key("alice"), "nobody's")
				require.ErrorIs(t, err, server.ErrUnavailable)
				n.registry.set(func() { n.registry.guesses = false })
				_, err = n.KickSession(ctx, key("alice"), "nobody's")
				require.NoError(t, err)
				w.wait(5 * time.Second)
				var told []server.Action
				for _, c := range eye.saw {
					told = append(told, c.Action)
				}
				require.Equal(t, []server.Action{server.LoggedIn, server.LoggedOut}, told)
			})
		})
	}
}
