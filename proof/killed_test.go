//go:build linux

package proof

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/internal/wire"
)

// newLonely returns a node without NATS and PostgreSQL, as somebody runs it on one machine. It is not started yet.
func newLonely(t testing.TB, hook string) *node {
	dir := t.TempDir()
	c := &cluster{t: t, dir: dir}
	c.writeSecrets()
	n := &node{addr: freeAddrs(t, 1)[0]}
	config := fmt.Sprintf(`
listen: %s
data_dir: %q
log: {format: json, level: debug}
limits: {user_logins_per_second: 0, address_per_second: 0}
grace: 3s
grace_web: 3s
sweep: 1s
reconnect: {min: 1s}
apps: [{id: %d, key_file: %q, admins: [%s]}]
webhook: {url: %s/hook, token_file: %q}
`, n.addr, c.file("data"), appID, c.file("app.key"), admin, hook, c.file("hook.token"))
	file := c.file("timd.yaml")
	require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
	n.process = newProcess(t, dir, "timd", func() *exec.Cmd {
		return exec.Command(filepath.Join(bin, "timd"), "serve", "--config", file)
	}, n.readyz)
	return n
}

// A user of the story, with one phone.
type owner struct {
	Device
	s *session // the last that the phone was told to have; nil after a logout
}

func owners(kind string, count int) []*owner {
	list := make([]*owner, count)
	for i := range list {
		name := fmt.Sprintf("%s-%d", kind, i)
		list[i] = &owner{Device: Device{name + "'s phone", name, codes.PlatformAndroid}}
	}
	return list
}

func names(lists ...[]*owner) (all []string) {
	for _, list := range lists {
		for _, o := range list {
			all = append(all, o.User)
		}
	}
	return all
}

func (o *owner) login(n *node) (err error) {
	o.s, err = n.attempt(ctx, o.Device, false)
	return err
}

// comeBack resumes as an engine does.
func (o *owner) comeBack(n *node) (err error) {
	o.s, err = n.open(ctx, &wire.Resume{Request: 1, Version: wire.Version, Ticket: o.s.ResumeTicket})
	return err
}

// A node that is alone is killed, again and again, while users log in, log out and lose their connections. Each time, once the
// grace period is over, the receiver of the webhook sees what is true of every user, and REST says so: whoever was signed in and
// did not come back is PushOnline, and whoever had logged out is not.
func TestANodeThatIsAloneIsKilledAndTellsTheTruth(t *testing.T) {
	t.Parallel()
	seed := newSeed(t)
	hook := newReceiver(t, seed)
	n := newLonely(t, hook.URL)
	require.NoError(t, n.start())
	busy := owners("busy", 8)
	for round := range 2 {
		here, away, out := owners(fmt.Sprint("here", round), 6), owners(fmt.Sprint("away", round), 6), owners(fmt.Sprint("out", round), 6)
		for _, o := range append(append(append([]*owner(nil), here...), away...), out...) {
			require.NoError(t, o.login(n))
		}
		for i, o := range away {
			if i%2 == 0 {
				_ = o.s.conn.Drop() // the others lose it with the node
			}
		}
		for _, o := range out {
			require.NoError(t, o.s.logout(ctx))
			o.s = nil
		}
		for i := range 2 { // what was noted before the first is on disk when the second is
			marker := owners(fmt.Sprintf("marker%d%d", round, i), 1)[0]
			require.NoError(t, marker.login(n))
			soon(t, time.Minute, "the journal has a user", func() error {
				text, err := os.ReadFile(filepath.Join(filepath.Dir(n.log), "data", "sessions.journal"))
				if err != nil {
					return err
				}
				return errorIf(!bytes.Contains(text, []byte(marker.User)), "%s is not in it", marker.User)
			})
		}
		killWhileBusy(n, busy, rand.New(rand.NewPCG(seed, uint64(round))))

		require.NoError(t, n.start())
		for _, o := range here {
			require.NoError(t, o.comeBack(n), o.User)
		}
		for i, o := range busy {
			if i%2 == 0 && o.s != nil {
				_ = o.comeBack(n) // it may have logged out, and nobody answered
			}
		}
		soon(t, time.Minute, "who is not back yet is called PushOnline", func() error {
			states, err := n.states(names(away))
			for _, o := range away {
				if err == nil {
					err = errorIf(states[o.User] != "PushOnline", "%s is %s", o.User, states[o.User])
				}
			}
			return err
		})
		soon(t, time.Minute, "the grace period is over, and everybody knows the truth", func() error {
			if err := hook.seesWhatIsTrue(n, names(busy, here, away, out)); err != nil {
				return err
			}
			states, err := n.states(names(here, away, out))
			if err != nil {
				return err
			}
			for want, list := range map[string][]*owner{"Online": here, "PushOnline": away, "Offline": out} {
				for _, o := range list {
					sessions, err := n.sessions(ctx, o.User)
					if err != nil {
						return err
					}
					if states[o.User] != want || (want == "Online") != (len(sessions) == 1) {
						return fmt.Errorf("%s is %s and has %v, not %s", o.User, states[o.User], sessions, want)
					}
				}
			}
			return nil
		})
	}
}

// killWhileBusy kills a node while users do things there.
func killWhileBusy(n *node, busy []*owner, r *rand.Rand) {
	var wait sync.WaitGroup
	for _, o := range busy {
		r := rand.New(rand.NewPCG(r.Uint64(), 1))
		wait.Go(func() {
			for {
				time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond) // a quick machine would have more to tell than a slow receiver takes
				if o.login(n) != nil {
					return
				}
				switch r.IntN(3) {
				case 0:
					if o.s.logout(ctx) != nil {
						return
					}
					o.s = nil
				case 1:
					_ = o.s.conn.Drop()
				}
			}
		})
	}
	time.Sleep(time.Duration(200+r.IntN(800)) * time.Millisecond)
	n.kill()
	wait.Wait()
}
