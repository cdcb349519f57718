package server_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
	"github.com/opentim/tim/usersig"
)

const (
	ios, ipad, android, mac, web = codes.PlatformIOS, codes.PlatformIPad, codes.PlatformAndroid, codes.PlatformMac, codes.PlatformWeb
)

func TestALogin(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		now := time.Now()
		phone := w.device("alice", ios).login(n)

		require.Equal(t, now.Add(time.Hour).Unix(), phone.grant.TicketExpires.Unix())
		require.Equal(t, uint64(now.UnixMicro()), phone.grant.LoginSeq)
		require.False(t, phone.grant.Repeat)
		require.Contains(t, w.store.accounts, key("alice"))
		require.Equal(t, 1, n.Online())
		sessions, err := n.SessionsOf(ctx, key("alice"))
		require.NoError(t, err)
		require.Equal(t, []server.Session{{
			ID: phone.grant.Session, Instance: phone.instance, Platform: ios, Label: "label of ios",
			LoginSeq: phone.grant.LoginSeq, Node: "node-1.1", TicketExpires: phone.grant.TicketExpires,
		}}, sessions)
		require.Equal(t, now.UnixMicro(), sessions[0].LoggedIn().UnixMicro())
		phone.hearsNothing()
	})
}

func TestALoginIsRefused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(w *world, in *server.LoginRequest)
		code   codes.Code
		text   string
	}{
		{"no userID", func(_ *world, in *server.LoginRequest) { in.User = "" }, codes.InvalidUserID, "empty"},
		{"a userID of 33 bytes", func(_ *world, in *server.LoginRequest) { in.User = strings.Repeat("a", 33) }, codes.InvalidUserID, "33 bytes"},
		{"a userID with a newline", func(_ *world, in *server.LoginRequest) { in.User = "al\nice" }, codes.InvalidUserID, ""},
		{"no platform", func(_ *world, in *server.LoginRequest) { in.Platform = 0 }, codes.InvalidParameters, "platform 0"},
		{"a platform from the future", func(_ *world, in *server.LoginRequest) { in.Platform = 99 }, codes.InvalidParameters, "platform 99"},
		{"no instance", func(_ *world, in *server.LoginRequest) { in.Instance = "" }, codes.InvalidParameters, "instance"},
		{"an instance of 65 bytes", func(_ *world, in *server.LoginRequest) { in.Instance = strings.Repeat("i", 65) }, codes.InvalidParameters, "instance"},
		{"an instance that is no UTF-8", func(_ *world, in *server.LoginRequest) { in.Instance = "\xff" }, codes.InvalidParameters, "instance"},
		{"a label of 65 bytes", func(_ *world, in *server.LoginRequest) { in.Label = strings.Repeat("l", 65) }, codes.InvalidParameters, "label"},
		{"a label that is no UTF-8", func(_ *world, in *server.LoginRequest) { in.Label = "\xff" }, codes.InvalidParameters, "label"},
		{"an SDK of 65 bytes", func(_ *world, in *server.LoginRequest) { in.SDK = strings.Repeat("s", 65) }, codes.InvalidParameters, "SDK"},
		{"an app that is not served", func(_ *world, in *server.LoginRequest) { in.App = 3 }, codes.AppNotFound, "SDKAppID 3"},
		{"an app without a key", func(_ *world, in *server.LoginRequest) {
			in.App = 2
			in.Ticket, _ = usersig.Sign(2, "x", in.User, time.Hour)
		}, codes.TicketKeyMissing, ""},
		{"no ticket", func(_ *world, in *server.LoginRequest) { in.Ticket = "" }, codes.TicketEmpty, ""},
		{"half a ticket", func(_ *world, in *server.LoginRequest) { in.Ticket = in.Ticket[:50] }, codes.TicketUnreadable, ""},
		{"a ticket of another user", func(w *world, in *server.LoginRequest) { in.Ticket = w.ticket("bob", time.Hour) }, codes.TicketUserMismatch, ""},
		{"a ticket of another key", func(_ *world, in *server.LoginRequest) {
			in.Ticket, _ = usersig.Sign(appID, "another key", in.User, time.Hour)
		}, codes.TicketKeyMismatch, ""},
		{"a ticket that ended", func(w *world, in *server.LoginRequest) {
			in.Ticket = w.ticket("alice", time.Second)
			w.wait(3 * time.Second)
		}, codes.TicketExpired, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				n := w.node()
				phone := w.device("alice", ios)
				err := phone.try(n, func(in *server.LoginRequest) { tt.change(w, in) })
				bad := requireRefused(t, tt.code, err)
				require.Contains(t, bad.Text, tt.text)
				require.NotContains(t, bad.Text, tt.code.Error(), "said twice")
				require.Empty(t, w.store.accounts)
				require.Zero(t, n.Online())

				require.NoError(t, phone.try(n), "another try")
			})
		})
	}
}

func TestTheStoreFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios)
		w.store.err = errors.New("the disk is full")
		bad := requireRefused(t, codes.ServerInternal, phone.try(n))
		require.NotContains(t, bad.Error(), "disk", "not the client's business")
		require.Contains(t, w.logs.String(), "disk is full")
		w.store.err = context.DeadlineExceeded
		requireRefused(t, codes.ServerTimeout, phone.try(n))
		w.online(n, "alice")
	})
}

func TestTheRegistryFails(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios)
		n.registry.set(func() { n.registry.fails = errors.New("a bug") })
		bad := requireRefused(t, codes.ServerInternal, phone.try(n))
		require.NotContains(t, bad.Error(), "a bug")
		require.Contains(t, w.logs.String(), "a bug")
		n.registry.set(func() { n.registry.fails = nil })
		phone.login(n)
		require.Equal(t, 1, n.Online())
	})
}

func TestFailedLoginsFromOneAddress(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		wrong := func(in *server.LoginRequest) { in.Ticket = w.ticket("bob", time.Hour) }
		phone, neighbour := w.device("alice", ios), w.device("carol", ios)
		neighbour.login(n).lose(n)
		for range 5 {
			requireRefused(t, codes.TicketUserMismatch, phone.try(n, wrong))
		}
		w.wait(10 * time.Second)
		bad := requireRefused(t, codes.TooManyFailures, phone.try(n))
		require.Equal(t, 50*time.Second, bad.RetryAfter)
		neighbour.comeBack(n) // its resume ticket is no guess
		phone.resume = []byte("forged")
		requireRefused(t, codes.TooManyFailures, phone.back(n))

		other := w.device("alice", mac)
		other.addr = "203.0.113.2"
		other.login(n)

		w.wait(50 * time.Second)
		phone.login(n)
	})
}

func TestABannedUserDoesNotBlockTheAddress(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		_, err := n.Ban(ctx, key("alice"), time.Time{})
		require.NoError(t, err)
		for range 20 {
			requireRefused(t, codes.AccountBanned, phone.try(n))
		}
		w.device("bob", ios).login(n)
	})
}

func TestWhoSignsInPushesOut(t *testing.T) {
	for _, nodes := range []int{1, 2} {
		t.Run(map[int]string{1: "on the same node", 2: "from another node"}[nodes], func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *world) {
				a := w.node()
				b := a
				if nodes == 2 {
					b = w.node()
				}
				phone := w.device("alice", ios).login(a)
				browser := w.device("alice", web).login(a)
				bobs := w.device("bob", ios).login(a)
				w.wait(time.Second)
				pad := w.device("alice", ipad).login(b)

				phone.hears("kicked: multiple_device by ipad")
				k := phone.conn.kick
				require.Equal(t, codes.KickedOffline, k.Code)
				require.Equal(t, "label of ipad", k.ByLabel)
				require.Equal(t, time.Now().UnixMilli(), k.At.UnixMilli())
				browser.hearsNothing()
				bobs.hearsNothing()
				w.online(b, "alice", "web", "ipad")

				second := w.device("alice", web).login(b)
				browser.hears("kicked: multiple_account by web")
				w.online(a, "alice", "ipad", "web")
				pad.hearsNothing()
				second.hearsNothing()

				phone.lose(a) // what a gateway may do after a kick
				w.online(a, "alice", "ipad", "web")
				require.Equal(t, 3, a.Online()+map[int]int{1: 0, 2: b.Online()}[nodes])
			})
		})
	}
}

func TestTheSameInstanceSignsInAgain(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a)
		first := *phone
		w.wait(time.Minute)
		phone.login(b)
		require.True(t, phone.grant.Repeat)
		require.NotEqual(t, first.grant.Session, phone.grant.Session)
		require.Greater(t, phone.grant.LoginSeq, first.grant.LoginSeq)
		first.hears("kicked: replaced by ios")
		phone.hearsNothing()
		w.online(a, "alice", "ios")

		bad := requireRefused(t, codes.KickedOffline, first.back(a))
		require.Equal(t, codes.KickReplaced, bad.Kick.Reason)
	})
}

func TestAnEngineThatLogsInByItself(t *testing.T) {
	meek := func(in *server.LoginRequest) { in.Reconnect = true }
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n, meek)
		w.wait(time.Minute)
		pad := w.device("alice", ipad)
		bad := requireRefused(t, codes.KickedOffline, pad.try(n, meek))
		require.Equal(t, codes.KickMultipleDevice, bad.Kick.Reason)
		require.Equal(t, ios, bad.Kick.ByPlatform)
		require.Equal(t, "label of ios", bad.Kick.ByLabel)
		require.Equal(t, phone.grant.LoginSeq, uint64(bad.Kick.At.UnixMicro()))
		phone.hearsNothing()
		w.online(n, "alice", "ios")

		pad.login(n) // its user wants to
		phone.hears("kicked: multiple_device by ipad")
		require.NoError(t, n.Logout(ctx, pad.grant.Held))
		bad = requireRefused(t, codes.KickedOffline, phone.try(n, meek))
		require.Equal(t, ipad, bad.Kick.ByPlatform, "kicked is kicked, though there is room again")
		phone.login(n)
	})
}

func TestALogout(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		require.NoError(t, n.Logout(ctx, phone.grant.Held))
		require.NoError(t, n.Logout(ctx, phone.grant.Held), "twice")
		w.online(n, "alice")
		require.Zero(t, n.Online())
		phone.lose(n)
		phone.hearsNothing()
		_, err := n.Renew(ctx, phone.grant.Held, w.ticket("alice", time.Hour))
		requireRefused(t, codes.NotLoggedIn, err)
	})
}

func TestAKickOvertakesTheLogin(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone, pad := w.device("alice", ios), w.device("alice", ipad)
		a.registry.set(func() {
			a.registry.updated = func() { // phone is in its key, and its node does not know yet
				pad.login(b)
				w.wait(time.Second)
			}
		})
		phone.login(a)
		phone.hears("kicked: multiple_device by ipad")
		w.online(a, "alice", "ipad")
		require.Zero(t, a.Online())
	})
}

func TestAKickIsFenced(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		a, b := w.node(), w.node()
		phone := w.device("alice", ios).login(a)
		k := server.Kick{Key: key("alice"), Session: phone.grant.Session, LoginSeq: phone.grant.LoginSeq, Reason: codes.KickMultipleDevice}
		wrong := []server.Kick{k, k, k}
		wrong[0].LoginSeq--
		wrong[1].Session = "another"
		wrong[2].Reason = 0 // for the connection before the one that is there
		for _, k := range wrong {
			told, err := b.registry.Kick(ctx, "node-1.1", k)
			require.NoError(t, err)
			require.False(t, told)
		}
		phone.hearsNothing()
		told, err := b.registry.Kick(ctx, "node-1.1", k)
		require.NoError(t, err)
		require.True(t, told)
		phone.hears("kicked: multiple_device")
		told, err = b.registry.Kick(ctx, "node-1.1", k) // a repeated one finds nobody
		require.NoError(t, err)
		require.False(t, told)
	})
}

func TestASweepComesBetweenTheKeyAndTheConnection(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios)
		n.registry.set(func() { n.registry.updated = func() { w.wait(2 * time.Minute) } })
		phone.login(n)
		w.online(n, "alice", "ios")
		w.wait(10 * time.Minute)
		w.online(n, "alice", "ios")
		phone.hearsNothing()
	})
}

func TestClose(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		n := w.node()
		phone := w.device("alice", ios).login(n)
		n.registry.set(func() { n.registry.updating = func() { time.Sleep(time.Second) } }) // Close waits for it
		phone.lose(n)
		n.close()
		require.NoError(t, n.Close(ctx), "twice")
		requireRefused(t, codes.ServiceNotReady, phone.try(n))
		requireRefused(t, codes.ServiceNotReady, phone.back(n))
		w.online(w.node(), "alice", "ios away")
	})
}

func TestOptionsAreChecked(t *testing.T) {
	w := &world{t: t, store: newFakeStore()}
	good := server.Options{Node: "a.1", Registry: &faultyRegistry{}, Store: w.store, ResumeKeys: [][]byte{resumeKey}}
	for name, change := range map[string]func(*server.Options){
		"no name":         func(o *server.Options) { o.Node = "" },
		"no registry":     func(o *server.Options) { o.Registry = nil },
		"no store":        func(o *server.Options) { o.Store = nil },
		"no resume key":   func(o *server.Options) { o.ResumeKeys = nil },
		"a short key":     func(o *server.Options) { o.ResumeKeys = [][]byte{[]byte("short")} },
		"an app twice":    func(o *server.Options) { o.Apps = []server.App{{ID: 1}, {ID: 1}} },
		"an app of no ID": func(o *server.Options) { o.Apps = []server.App{{}} },
		"a negative time": func(o *server.Options) { o.Grace = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			o := good
			change(&o)
			_, err := server.New(ctx, o)
			require.Error(t, err)
		})
	}
}
