package server_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A witness writes down what it observes.
type witness struct {
	mu  sync.Mutex
	saw []server.Change
}

func (w *witness) Changed(c server.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.saw = append(w.saw, c)
}

// testified returns what was seen since the last call, as "action platform [kicked] -> sessions".
func (w *witness) testified() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	words := []string{"", "login", "logout", "link", "timeout"}
	var said []string
	for _, c := range w.saw {
		s := words[c.Action] + " " + c.Session.Platform.String()
		if len(c.Kicked) > 0 {
			s += fmt.Sprint(" ", c.Kicked)
		}
		var set []string
		for _, one := range c.Sessions {
			name := one.Platform.String()
			if !one.AwayUntil.IsZero() {
				name += " away"
			}
			set = append(set, name)
		}
		said = append(said, s+" -> "+strings.Join(set, ", "))
	}
	w.saw = nil
	return said
}

func observed(t *testing.T, story func(w *world, saw func(want ...string))) {
	t.Helper()
	inWorld(t, func(t *testing.T, w *world) {
		eye := new(witness)
		w.options.Observer = eye
		story(w, func(want ...string) {
			t.Helper()
			w.wait(10 * time.Millisecond)
			require.Equal(t, want, eye.testified())
		})
	})
}

func TestTheObserverSeesALoginALogoutAndALostConnection(t *testing.T) {
	observed(t, func(w *world, saw func(...string)) {
		n := w.node()
		phone, web := w.device("alice", codes.PlatformAndroid), w.device("alice", codes.PlatformWeb)
		phone.login(n)
		saw("login android -> android")
		web.login(n)
		saw("login web -> android, web")
		phone.lose(n)
		saw("link android -> android away, web")
		phone.comeBack(n)
		saw("login android -> android, web")
		_, err := n.Renew(ctx, phone.grant.Held, w.ticket("alice", time.Hour))
		require.NoError(t, err)
		saw()
		require.NoError(t, n.Logout(ctx, web.grant.Held))
		saw("logout web -> android")
		phone.lose(n)
		saw("link android -> android away")
		w.wait(3 * time.Minute)
		saw("timeout android -> ")
	})
}

func TestAKickIsToldWithTheNewcomersLoginOnly(t *testing.T) {
	observed(t, func(w *world, saw func(...string)) {
		n, m := w.node(), w.node()
		w.device("alice", codes.PlatformWindows).login(n)
		saw("login windows -> windows")
		phone := w.device("alice", codes.PlatformAndroid).login(m)
		saw("login android [windows] -> android")
		phone.login(n)
		saw("login android -> android")
	})
}

func TestAReconnectThatComesBeforeTheOldConnectionIsLostHidesThat(t *testing.T) {
	observed(t, func(w *world, saw func(...string)) {
		n, m := w.node(), w.node()
		phone := w.device("alice", codes.PlatformAndroid).login(n)
		old := phone.grant.Held
		saw("login android -> android")
		phone.comeBack(m)
		n.Lost(old)
		saw("login android -> android")
	})
}

func TestSessionsThatAnAdministratorEndsLogOut(t *testing.T) {
	observed(t, func(w *world, saw func(...string)) {
		n := w.node()
		w.device("alice", codes.PlatformAndroid).login(n)
		w.device("alice", codes.PlatformWeb).login(n)
		saw("login android -> android", "login web -> android, web")
		_, err := n.KickUser(ctx, key("alice"))
		require.NoError(t, err)
		saw("logout android -> ", "logout web -> ")
	})
}

func TestTheSessionsOfADeadNodeTimeOut(t *testing.T) {
	observed(t, func(w *world, saw func(...string)) {
		n, m := w.node(), w.node()
		w.wait(time.Minute) // they know of each other
		phone := w.device("alice", codes.PlatformAndroid).login(n)
		gone := w.device("bob", codes.PlatformAndroid).login(n)
		saw("login android -> android", "login android -> android")
		n.crash()
		w.wait(30 * time.Second)
		saw("timeout android -> android away", "timeout android -> android away")
		phone.comeBack(m)
		saw("login android -> android")
		w.wait(4 * time.Minute)
		saw("timeout android -> ")
		_ = gone
	})
}

func TestALoginOverADeadLeaderIsToldWhenItIsSettled(t *testing.T) {
	observed(t, func(w *world, saw func(...string)) {
		n := w.node()
		n.registry.set(func() { n.registry.down = true })
		w.device("alice", codes.PlatformAndroid).login(n)
		saw()
		n.registry.set(func() { n.registry.down = false })
		w.wait(time.Second)
		saw("login android -> android")
	})
}

func TestChangesOfAUserAreToldInOrder(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		eye := new(witness)
		w.options.Observer = eye
		n := w.node()
		var all sync.WaitGroup
		for range 8 {
			d := w.device("alice", codes.PlatformAndroid)
			tickets := []server.LoginRequest{d.request(), d.request(), d.request()}
			all.Go(func() {
				for _, in := range tickets {
					g, err := n.Login(ctx, &fakeConn{addr: netip.MustParseAddr("203.0.113.7")}, in)
					if err == nil {
						n.Lost(g.Held)
					}
				}
			})
		}
		all.Wait()
		w.wait(5 * time.Minute)
		require.NotEmpty(t, eye.saw)
		for i := 1; i < len(eye.saw); i++ {
			require.Greater(t, eye.saw[i].Revision, eye.saw[i-1].Revision)
		}
		require.Empty(t, eye.saw[len(eye.saw)-1].Sessions)
		for _, c := range eye.saw {
			require.Less(t, c.Revision, uint64(1)<<53)
			if c.Action == server.LoggedIn {
				require.Equal(t, "203.0.113.7", c.Address.String())
				require.GreaterOrEqual(t, c.Revision, c.Session.LoginSeq)
			}
		}
	})
}
