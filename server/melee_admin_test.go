package server_test

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/server"
)

// A ruler is an administrator without patience.
type ruler struct {
	*melee
	*rand.Rand
}

func (r *ruler) rule(until chan struct{}) {
	for {
		select {
		case <-until:
			return
		case <-time.After(time.Duration(r.IntN(20)) * time.Millisecond):
		}
		if err := r.act(r.nodes[r.IntN(len(r.nodes))].sessions, key(r.users[r.IntN(len(r.users))])); err != nil {
			r.t.Errorf("an administrator: %v", err)
		}
	}
}

func (r *ruler) act(s *server.Sessions, user server.UserKey) (err error) {
	switch r.IntN(9) {
	case 0:
		_, err = s.KickUser(ctx, user)
	case 1, 2:
		var list []server.Session
		if list, err = s.SessionsOf(ctx, user); err == nil && len(list) > 0 {
			_, err = s.KickSession(ctx, user, list[r.IntN(len(list))].ID)
		}
	case 3:
		_, err = s.Ban(ctx, user, time.Now().Add(time.Duration(r.IntN(30))*time.Millisecond))
	case 4:
		err = s.Unban(ctx, user)
	case 5:
		if r.IntN(4) == 0 {
			_, err = s.DeleteAccount(ctx, user)
		}
	case 6, 7:
		err = r.settings(s)
	default:
		s.OnlineBy()
		_, err = s.Simulate(ctx, appID, server.DefaultSettings())
	}
	if errors.Is(err, codes.AccountNotFound) || errors.Is(err, server.ErrUnavailable) { // a busy machine is late to answer
		return nil
	}
	return err
}

func (r *ruler) settings(s *server.Sessions) error {
	now, err := s.Settings(appID)
	if err != nil {
		return err
	}
	to := server.Settings{
		Policy: codes.Policies()[r.IntN(len(codes.Policies()))], Version: now.Version, ChangedBy: "a ruler",
		Limits: map[codes.Platform]int{ios: 1 + r.IntN(3), web: 1 + r.IntN(5)},
	}
	if _, err = s.SetSettings(ctx, appID, to); errors.Is(err, codes.InvalidOperation) {
		return nil // another one was faster
	}
	return err
}

// ears hear what all nodes tell of each user.
type ears struct {
	mu    sync.Mutex
	heard map[server.UserKey][]server.Change
}

func newEars() *ears { return &ears{heard: map[server.UserKey][]server.Change{}} }

func (e *ears) Changed(c server.Change) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard[c.Key] = append(e.heard[c.Key], c)
}

// stories returns what was told of each user, in the order of the revisions.
func (e *ears) stories() map[server.UserKey][]server.Change {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := map[server.UserKey][]server.Change{}
	for user, heard := range e.heard {
		all[user] = slices.SortedFunc(slices.Values(heard), func(a, b server.Change) int { return cmp.Compare(a.Revision, b.Revision) })
	}
	return all
}

// believe returns who still has sessions, by what was told last.
func (e *ears) believe() string {
	for user, told := range e.stories() {
		if last := told[len(told)-1]; len(last.Sessions) > 0 {
			return fmt.Sprintf("%s has %d", user.User, len(last.Sessions))
		}
	}
	return ""
}

// check requires that each session begins before it ends, and ends once.
func (e *ears) check(t *testing.T) {
	t.Helper()
	for user, told := range e.stories() {
		there := map[string]bool{} // false: away
		last := uint64(0)
		for i, c := range told {
			story := func() string { return user.User + ":\n" + tell(told[max(i-12, 0):i+1]) }
			require.Greater(t, c.Revision, last, "two revisions: %s", story())
			last = c.Revision
			id := c.Session.ID
			_, known := there[id]
			stays := find(c.Sessions, id)
			switch c.Action {
			case server.LoggedIn:
				require.True(t, stays, "who logs in is there: %s", story())
				there[id] = true
			case server.LinkClosed:
				require.True(t, there[id], "whose connection is lost was connected: %s", story())
				there[id] = false
			default:
				require.True(t, known, "who leaves was there: %s", story())
				if there[id] = false; !stays {
					delete(there, id)
				}
			}
			if c.Action == server.LoggedIn { // whom it pushed out, or replaced, is told with it
				for other := range there {
					if !find(c.Sessions, other) {
						delete(there, other)
					}
				}
			}
			for _, s := range c.Sessions {
				_, known := there[s.ID]
				require.True(t, known, "nobody is there of whom nobody told: %s", story())
			}
		}
		require.Empty(t, there, "who is gone: %s", tell(told[max(len(told)-12, 0):]))
	}
}

func find(list []server.Session, id string) bool {
	return slices.ContainsFunc(list, func(s server.Session) bool { return s.ID == id })
}

func tell(told []server.Change) (story string) {
	words := []string{"", "login", "logout", "link", "timeout"}
	for _, c := range told {
		story += fmt.Sprintf("%d %s %s (%d resumes, node %s) ->", c.Revision, words[c.Action], c.Session.ID, c.Session.Resumes, c.Session.Node)
		for _, s := range c.Sessions {
			story += " " + s.ID
		}
		story += "\n"
	}
	return story
}
