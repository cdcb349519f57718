//go:build linux

package baddays

import (
	"slices"
	"testing"
	"time"
)

// A day is one row of docs/bad-days.md.
type day struct {
	name string
	what string // happens
	live func(s *stage)
}

var days = slices.Concat(daysWithoutNetwork, daysOnSlowNetworks, daysOfNames, daysOfTLS, daysOfThingsBetween, daysOfServers, daysAsleep)

// stagger is between the beginnings of two days: each starts a few processes, and a machine that is behind measures badly.
const stagger = 100 * time.Millisecond

// Every day, nearly all at once, because they mostly wait. One of them: go test ./baddays -run 'TestDays/black_hole$'
func TestDays(t *testing.T) {
	began := time.Now()
	table := make([]string, len(days))
	t.Run("", func(t *testing.T) {
		for i, d := range days {
			t.Run(d.name, func(t *testing.T) {
				t.Parallel()
				time.Sleep(time.Duration(i) * stagger)
				s := &stage{T: t, began: time.Now()}
				d.live(s)
				table[i] = s.row(d)
				t.Log(table[i])
			})
		}
	})
	behind := machine.behind(began)
	t.Logf("the machine was at most %s behind", seconds(behind))
	if *full && !t.Failed() {
		write(t, table, behind)
	}
}

// slowLogin is a login that succeeds all the same.
func (s *stage) slowLogin(w weather, most time.Duration) {
	s.withLink()
	s.breaks(func() { s.set(w); s.logIn() })
	s.isBack(most, "^login alice OK")
}

// failsThenWorks is a login that fails because of a code, and another one that shows that nothing was left behind.
func (s *stage) failsThenWorks(code string, mend func()) {
	s.failsThenWorksAnd(code, mend, "")
}

// failsThenWorksAstray is the same where the login that was given up may still be on its way, and push the other one out when
// it arrives. The engine sees that it has done that itself, and comes back.
func (s *stage) failsThenWorksAstray(code string, mend func()) {
	s.failsThenWorksAnd(code, mend, "(?:, disconnected Disconnected, "+comesBack+")?")
}

func (s *stage) failsThenWorksAnd(code string, mend func(), more string) {
	s.knows(loginTime, "^login alice "+code)
	mend()
	s.mends(s.logIn)
	s.isBack(loginTime, "^login alice OK")
	if more != "" {
		s.phone.settles(2 * time.Second)
	}
	s.heard(doesNotLogIn(code) + ", " + logsIn(code) + more)
}

// backOrNeverAway is for what a connection may or may not live through.
func (s *stage) backOrNeverAway(code string) {
	time.Sleep(silence())
	if lines := s.phone.since(s.broke); len(lines) > 0 {
		s.knows(silence(), "^disconnected Disconnected")
		s.isBack(longestWait+tryTime, "^connected resumed")
		s.heard("disconnected Disconnected, " + tries(code) + comesBack)
		return
	}
	s.isOnline()
}
