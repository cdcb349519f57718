//go:build linux

package proof

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// quickChaos is how long the quick set breaks things.
const quickChaos = 20 * time.Second

// TestNobodyIsTreatedUnfairlyWhateverBreaks lets users come and go while everything is broken that can be, one or two things
// at a time, and checks what everybody saw. For -proof.for it does so again and again, each time in a new cluster.
func TestNobodyIsTreatedUnfairlyWhateverBreaks(t *testing.T) {
	seed := newSeed(t)
	for round, end := 0, time.Now().Add(*forFlag); round == 0 || time.Now().Before(end); round++ {
		t.Run(fmt.Sprint("round ", round), func(t *testing.T) {
			t.Logf("this round alone: -proof.seed=%d", seed+uint64(round))
			playChaos(t, seed+uint64(round))
		})
		if t.Failed() {
			return
		}
	}
}

const (
	chaosUsers = 10
	chaosSkew  = 2 // seconds, ahead and behind
)

type chaos struct {
	*cluster
	*journal
	rand   *rand.Rand // of whoever breaks things
	phones []*phone
}

func playChaos(t *testing.T, seed uint64) {
	c := &chaos{
		cluster: startCluster(t, clusterOptions{skews: []int{0, chaosSkew, -chaosSkew}, grace: 8 * time.Second}),
		journal: newJournal(), rand: rand.New(rand.NewPCG(seed, 0)),
	}
	c.h.Slack = 2 * time.Second // settings are in force by then
	for u := range chaosUsers {
		for i, p := range []codes.Platform{codes.PlatformIOS, codes.PlatformIOS, codes.PlatformMac, codes.PlatformWeb, codes.PlatformWeb} {
			user := fmt.Sprintf("user-%d", u)
			c.phones = append(c.phones, newPhone(t, c.journal, Device{fmt.Sprintf("%s %s %d", user, p, i), user, p}, c.dialAny))
		}
	}
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for i, p := range c.phones {
		wait.Go(func() { c.use(p, rand.New(rand.NewPCG(seed, uint64(1+i))), stop) })
	}
	wait.Go(func() { c.administer(rand.New(rand.NewPCG(seed, 1_000_000)), stop) })
	c.breakThings(t, cmp.Or(min(*forFlag, time.Minute), quickChaos))
	close(stop)
	wait.Wait()
	c.allIsWell(t)
}

// use is somebody who has a device.
func (c *chaos) use(p *phone, r *rand.Rand, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(r.IntN(1500)) * time.Millisecond):
		}
		switch roll := r.IntN(100); {
		case p.client.Status() == codes.LoggedOut:
			ticket, err := signFor(p.User)
			if err == nil {
				_ = p.login(ticket) // whatever the answer, it is in the journal
			}
		case roll < 15:
			_ = p.logout()
		case roll < 45:
			p.cut()
		}
	}
}

// administer is one administrator, who does one thing after the other.
func (c *chaos) administer(r *rand.Rand, stop chan struct{}) {
	for {
		select {
		case <-stop:
			return
		case <-time.After(time.Duration(200+r.IntN(800)) * time.Millisecond):
		}
		user := fmt.Sprintf("user-%d", r.IntN(chaosUsers))
		op := AdminOp{Kind: []AdminKind{KickUser, KickUser, Ban, Unban, Unban, Import, SetSettings}[r.IntN(7)], User: user}
		command, in := "", any(map[string]string{"UserID": user})
		switch op.Kind {
		case KickUser:
			command = "im_open_login_svc/kick"
		case Ban:
			command = "tim_admin/ban"
		case Unban:
			command = "tim_admin/unban"
		case Import:
			op.User = fmt.Sprintf("import-%d", r.IntN(1_000_000))
			command, in = "im_open_login_svc/account_import", map[string]string{"UserID": op.User}
		case SetSettings:
			op.User = ""
			op.Settings = server.Settings{Policy: codes.Policies()[r.IntN(4)], Limits: map[codes.Platform]int{
				codes.PlatformIOS: 1 + r.IntN(2), codes.PlatformWeb: 1 + r.IntN(2),
			}}
			command, in = "tim_admin/set_login_settings", wish(op.Settings)
		}
		n := c.nodes[r.IntN(len(c.nodes))]
		var err error
		op.Op, err = c.ask(func() error { return n.rest(ctx, command, in, nil) }, func(err error) bool {
			return errors.Is(err, codes.AccountNotFound)
		})
		_ = err // it is in the journal
		c.write(func(h *History) { h.Admin = append(h.Admin, op) })
	}
}

// A fault is one way to break things. It returns how to make it good again.
type fault struct {
	name string
	do   func(c *chaos) (undo func() error, err error)
}

var faults = []fault{
	{"a node is killed", func(c *chaos) (func() error, error) {
		n := c.nodes[c.rand.IntN(len(c.nodes))]
		n.kill()
		return n.start, nil
	}},
	{"a nats-server is killed", func(c *chaos) (func() error, error) {
		n := c.nats[c.rand.IntN(len(c.nats))]
		n.kill()
		return n.start, nil
	}},
	{"PostgreSQL is killed", func(c *chaos) (func() error, error) { return c.postgres.Run, c.postgres.Kill() }},
	{"a node is cut off from NATS", func(c *chaos) (func() error, error) {
		return c.spoil(c.nodes[c.rand.IntN(len(c.nodes))].nats, (*cable).swallow)
	}},
	{"a node is cut off from PostgreSQL", func(c *chaos) (func() error, error) {
		return c.spoil([]*cable{c.nodes[c.rand.IntN(len(c.nodes))].store}, (*cable).swallow)
	}},
	{"clients are cut off from a node", func(c *chaos) (func() error, error) {
		return c.spoil([]*cable{c.nodes[c.rand.IntN(len(c.nodes))].front}, (*cable).swallow)
	}},
	{"everything between processes is slow", func(c *chaos) (func() error, error) {
		ms := 5 + c.rand.IntN(60)
		return c.spoil(c.cables(), func(w *cable) error { return w.delay(ms) })
	}},
	{"all nats-servers are killed: the registry is lost", func(c *chaos) (func() error, error) {
		for _, n := range c.nats {
			n.kill()
		}
		return func() error {
			var errs []error
			for _, n := range c.nats {
				errs = append(errs, n.start())
			}
			return errors.Join(errs...)
		}, nil
	}},
}

// spoil does something to wires until it is undone.
func (c *chaos) spoil(list []*cable, how func(*cable) error) (undo func() error, err error) {
	for _, w := range list {
		err = errors.Join(err, how(w))
	}
	return func() error {
		limited, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		var err error
		for _, w := range list {
			err = errors.Join(err, w.mend(limited))
		}
		return err
	}, err
}

// breakThings breaks one thing after the other, and mends each after a while.
func (c *chaos) breakThings(t *testing.T, long time.Duration) {
	order := c.rand.Perm(len(faults))
	for i, end := 0, time.Now().Add(long); time.Now().Before(end); i++ {
		f := faults[order[i%len(order)]]
		t.Logf("%7.3f %s", c.now().Seconds(), f.name)
		undo, err := f.do(c)
		require.NoError(t, err, f.name)
		time.Sleep(time.Duration(500+c.rand.IntN(2500)) * time.Millisecond)
		require.NoError(t, undo(), f.name)
		t.Logf("%7.3f it is over", c.now().Seconds())
		time.Sleep(time.Duration(c.rand.IntN(1000)) * time.Millisecond)
	}
}

// allIsWell waits until everything came to rest, and checks the history.
func (c *chaos) allIsWell(t *testing.T) {
	var f Final
	var bad []string
	for _, p := range c.phones {
		p.client.Wake() // as a phone does whose network is back
	}
	restless := ""
	soon(t, 3*time.Minute, "everybody comes to rest", func() (err error) {
		if f, err = c.look(); err == nil {
			c.write(func(h *History) { bad = h.settled(f) })
			err = errorIf(len(bad) > 0, "%s", strings.Join(bad, "\n"))
		}
		if err != nil && err.Error() != restless {
			restless = err.Error()
			t.Logf("%7.3f not yet: %s\n%s", c.now().Seconds(), restless, c.lately(bad))
		}
		return err
	})
	t.Logf("%7.3f all is well", c.now().Seconds())
	c.lookClosely(t, &f)
	c.mu.Lock()
	defer c.mu.Unlock()
	bad = c.h.Check(f)
	ended := len(slices.DeleteFunc(slices.Clone(c.h.Told), func(t Told) bool { return t.Word != Ended }))
	t.Logf("%d logins (%d answered yes), %d logouts, %d kicks heard, %d commands, %d sessions in the end",
		len(c.h.Logins), yes(c.h.Logins), len(c.h.Logouts), ended, len(c.h.Admin), len(c.h.signedIn()))
	require.Greater(t, yes(c.h.Logins), chaosUsers, "the test is too slow to prove anything")
	require.Empty(t, bad, "%s\n%s", strings.Join(bad, "\n"), c.h.telling(bad))
}

// lately returns what the devices that bad names heard last.
func (c *chaos) lately(bad []string) string {
	var lines []string
	for _, p := range c.phones {
		if slices.ContainsFunc(bad, func(b string) bool { return strings.Contains(b, p.Name) }) {
			p.mu.Lock()
			lines = append(append(lines, p.Name), p.lately...)
			p.mu.Unlock()
		}
	}
	return strings.Join(lines, "\n")
}

func yes(ops []DeviceOp) (n int) {
	for _, o := range ops {
		if o.Result == Yes {
			n++
		}
	}
	return n
}

// look reads what may still change.
func (c *chaos) look() (f Final, err error) {
	limited, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	f.Sessions = map[string][]server.Session{}
	for _, n := range c.nodes {
		s, err := n.settings(limited)
		if err != nil {
			return f, err
		}
		f.Settings = append(f.Settings, s)
	}
	for u := range chaosUsers {
		user := fmt.Sprintf("user-%d", u)
		if f.Sessions[user], err = c.anyNode().sessions(limited, user); err != nil {
			return f, err
		}
	}
	return f, nil
}

// lookClosely reads what must not have changed.
func (c *chaos) lookClosely(t *testing.T, f *Final) {
	limited, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	f.Accounts, f.Banned = map[string]bool{}, map[string]bool{}
	users := map[string]bool{}
	for u := range chaosUsers {
		users[fmt.Sprintf("user-%d", u)] = true
	}
	for _, o := range c.h.Admin {
		if o.Kind == Import {
			users[o.User] = true
		}
	}
	for user := range users {
		var out struct {
			ResultItem []struct{ AccountStatus string }
		}
		in := map[string]any{"CheckItem": []any{map[string]string{"UserID": user}}}
		require.NoError(t, c.anyNode().rest(limited, "im_open_login_svc/account_check", in, &out))
		f.Accounts[user] = out.ResultItem[0].AccountStatus == "Imported"
	}
	var dau struct{ Days []struct{ DAU int } }
	require.NoError(t, c.anyNode().rest(limited, "tim_admin/get_dau", struct{}{}, &dau))
	f.DAU = dau.Days[0].DAU
	for u := range chaosUsers {
		user := fmt.Sprintf("user-%d", u)
		if !f.Accounts[user] {
			continue
		}
		// On a platform that has no policy and no room to hurt anybody: a login that only asks.
		_, err := c.anyNode().attempt(limited, Device{"probe", user, codes.PlatformWeb}, true)
		f.Banned[user] = errors.Is(err, codes.AccountBanned)
	}
}
