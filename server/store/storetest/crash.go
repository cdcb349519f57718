package storetest

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
)

// crashChild is set in a child process of RunCrash: where its store is.
const crashChild = "TIM_CRASH_CHILD"

const (
	crashApp     = 1400000001
	crashDay     = server.Day(20_000)
	crashCallers = 64
)

// A Crash lets a child process log new users in, as fast as it can, and say on a pipe what it was answered, until it is killed
// at some instant. What it said must be in the store that it left behind. Two callers log in every user, at the same time, and
// both answers count: the second must not be given before the first one's commit. Days are marked once.
type Crash struct {
	Where string // the store, as the child's open gets it
	Kills int
	// Open opens the store that a killed child left, and Accounts counts its accounts.
	Open     func(t testing.TB) server.Store
	Accounts func(t testing.TB) int
}

// CrashChild must be called first in the TestMain of a package that uses a Crash. In the child it does not return.
func CrashChild(open func(where string) (server.Store, error)) {
	where := os.Getenv(crashChild)
	if where == "" {
		return
	}
	s, err := open(where)
	if err == nil {
		err = Load(context.Background(), []server.Store{s}, fmt.Sprint(os.Getpid()), func(user string, a server.Arrival) {
			if _, err := os.Stdout.WriteString(say(user, a)); err != nil { // one write for a line: it is said whole or not at all
				os.Exit(1)
			}
		})
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Load logs new users in, each twice at the same time, on different stores if there are several, until a login fails or ctx
// ends. It tells, from any goroutine, what was answered, and returns the first failure, or nil if ctx ended.
func Load(ctx context.Context, stores []server.Store, prefix string, tell func(user string, a server.Arrival)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var logins atomic.Int64
	var wg sync.WaitGroup
	for range crashCallers {
		wg.Go(func() {
			for ctx.Err() == nil {
				n := int(logins.Add(1))
				user := fmt.Sprintf("%s-%d", prefix, n/2)
				a, err := stores[n%len(stores)].Arrive(context.WithoutCancel(ctx), server.UserKey{App: crashApp, User: user}, crashDay, nil)
				if err != nil {
					cancel(err)
					return
				}
				tell(user, a)
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != context.Canceled {
		return err
	}
	return nil
}

func say(user string, a server.Arrival) string {
	line := user + " known"
	if a.New {
		line += ",new"
	}
	if a.FirstToday {
		line += ",first"
	}
	return line + "\n"
}

// RunCrash fails the test if anything that was answered is lost, or was told twice.
func RunCrash(t *testing.T, c Crash) {
	users := 0
	for kill := range c.Kills {
		answers := c.killALogin(t, time.Duration(rand.IntN(1500))*time.Millisecond)
		users += len(answers.said)
		s := c.Open(t)
		answers.Check(t, s, c.Accounts(t), users)
		require.NoError(t, s.Close())
		t.Logf("kill %d: %d answers for %d users, 0 lost", kill+1, answers.Count(), len(answers.said))
	}
}

// killALogin lets a child log users in for a while after its first answer, kills it, and returns what it was answered.
func (c Crash) killALogin(t *testing.T, after time.Duration) *Answers {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashChild+"="+c.Where)
	var complaints bytes.Buffer
	out := &listener{heard: make(chan struct{})}
	child.Stdout, child.Stderr = out, &complaints
	require.NoError(t, child.Start())
	select {
	case <-out.heard:
		time.Sleep(after) // the instant of the kill: nothing is waited for
	case <-time.After(time.Minute):
	}
	require.NoError(t, child.Process.Kill())
	_ = child.Wait() // killed
	require.Empty(t, complaints.String())

	answers := &Answers{}
	whole := bytes.LastIndexByte(out.text.Bytes(), '\n') + 1 // the last line may be half
	for line := range bytes.Lines(out.text.Bytes()[:whole]) {
		var user, answer string
		_, err := fmt.Sscan(string(line), &user, &answer)
		require.NoError(t, err, "%q", line)
		answers.Add(user, server.Arrival{New: strings.Contains(answer, "new"), FirstToday: strings.Contains(answer, "first")})
	}
	require.NotEmpty(t, answers.said)
	return answers
}

// A listener keeps what it is told and closes heard at the first word.
type listener struct {
	text  bytes.Buffer
	once  sync.Once
	heard chan struct{}
}

func (l *listener) Write(p []byte) (int, error) {
	l.once.Do(func() { close(l.heard) })
	return l.text.Write(p)
}

// Answers are what the logins of Load were told, by user. The zero value has none; Add may be called from any goroutine.
type Answers struct {
	mu   sync.Mutex
	said map[string][]server.Arrival
}

// Add notes an answer.
func (a *Answers) Add(user string, answer server.Arrival) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.said == nil {
		a.said = map[string][]server.Arrival{}
	}
	a.said[user] = append(a.said[user], answer)
}

// Count is how many answers there are.
func (a *Answers) Count() (n int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, all := range a.said {
		n += len(all)
	}
	return n
}

// Users is how many users were answered.
func (a *Answers) Users() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.said)
}

// Check looks for everybody in the store that is left. It has so many accounts; there must be at least so many, and may be
// more, whose answers did not come out in time.
func (a *Answers) Check(t testing.TB, s server.Store, accounts, atLeast int) {
	require.GreaterOrEqual(t, accounts, atLeast)
	marked, err := s.Actives(t.Context(), crashApp, crashDay, crashDay)
	require.NoError(t, err)
	require.EqualValues(t, accounts, marked.Users, "every account is marked, once")
	for user, told := range a.said {
		made, first := 0, 0
		for _, answer := range told {
			if answer.New {
				made++
			}
			if answer.FirstToday {
				first++
			}
		}
		require.LessOrEqual(t, made, 1, "%s is new once", user)
		require.LessOrEqual(t, first, 1, "%s is first once", user)
		if len(told) == 2 {
			require.Equal(t, 1, made, "one of the two logins of %s made the account", user)
			require.Equal(t, 1, first, "one of the two logins of %s marked the day", user)
		}
		again, err := s.Arrive(t.Context(), server.UserKey{App: crashApp, User: user}, crashDay, nil)
		require.NoError(t, err)
		require.False(t, again.New, "%s is lost", user)
		require.False(t, again.FirstToday, "the mark of %s is lost", user)
	}
}
