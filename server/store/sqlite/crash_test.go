package sqlite

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/store"
)

// crashChild is set in a child process of this test: the path of its store.
const crashChild = "TIM_CRASH_CHILD"

const (
	crashApp     = 1400000001
	crashDay     = server.Day(20_000)
	crashCallers = 64
)

// A child logs new users in, as fast as it can, and says on a pipe what it was answered, until it is killed at some instant.
// What it said must be in the store that it left behind. Two callers log in every user, at the same time, and both answers
// count: the second must not be given before the first one's commit. Days are marked once.
// TIM_CRASH_KILLS says how often; the default is 3.
func TestNothingThatWasAnsweredIsLostInACrash(t *testing.T) {
	kills := 3
	if text := os.Getenv("TIM_CRASH_KILLS"); text != "" {
		var err error
		kills, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	path := newPath(t)
	answered, users := 0, 0
	for kill := range kills {
		answers := killALogin(t, path, time.Duration(rand.IntN(3000))*time.Millisecond)
		for user, a := range answers {
			answered += len(a)
			require.LessOrEqual(t, count(a, "new"), 1, "%s is new once", user)
			require.LessOrEqual(t, count(a, "first"), 1, "%s is first once", user)
			if len(a) == 2 {
				require.Equal(t, 1, count(a, "new"), "one of the two logins of %s made the account", user)
				require.Equal(t, 1, count(a, "first"), "one of the two logins of %s marked the day", user)
			}
		}
		users += len(answers)
		examine(t, path, answers, users)
		t.Logf("kill %d: %d answers for %d users so far, 0 lost", kill+1, answered, users)
	}
}

// killALogin lets a child log users in for a while after its first answer, kills it, and returns what it was answered, by user.
func killALogin(t *testing.T, path string, after time.Duration) map[string][]string {
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), crashChild+"="+path)
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

	answers := map[string][]string{}
	whole := bytes.LastIndexByte(out.text.Bytes(), '\n') + 1 // the last line may be half
	for line := range bytes.Lines(out.text.Bytes()[:whole]) {
		var user, answer string
		_, err := fmt.Sscan(string(line), &user, &answer)
		require.NoError(t, err, "%q", line)
		answers[user] = append(answers[user], answer)
	}
	require.NotEmpty(t, answers)
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

func count(answers []string, what string) (n int) {
	for _, a := range answers {
		if strings.Contains(a, what) {
			n++
		}
	}
	return n
}

// examine opens the store that a killed child left and looks for everybody it was told of. All users so far are at least
// users; there may be more, whose answers did not come out in time.
func examine(t *testing.T, path string, answers map[string][]string, users int) {
	db, err := open(t.Context(), path)
	require.NoError(t, err)
	var check string
	require.NoError(t, db.reports.QueryRow("PRAGMA integrity_check").Scan(&check))
	require.Equal(t, "ok", check)
	var accounts int
	require.NoError(t, db.reports.QueryRow("SELECT count(*) FROM accounts").Scan(&accounts))
	require.GreaterOrEqual(t, accounts, users)

	s := store.New(db, store.Options{})
	defer func() { require.NoError(t, s.Close()) }()
	marked, err := s.Actives(t.Context(), crashApp, crashDay, crashDay)
	require.NoError(t, err)
	require.EqualValues(t, accounts, marked.Users, "every account is marked, once")
	for user := range answers {
		a, err := s.Arrive(t.Context(), server.UserKey{App: crashApp, User: user}, crashDay)
		require.NoError(t, err)
		require.False(t, a.New, "%s is lost", user)
		require.False(t, a.FirstToday, "the mark of %s is lost", user)
	}
}

// loginUntilKilled is the child.
func loginUntilKilled(path string) {
	s, err := Open(context.Background(), path, store.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var logins atomic.Int64
	for range crashCallers {
		go func() {
			for {
				user := fmt.Sprintf("%d-%d", os.Getpid(), logins.Add(1)/2)
				a, err := s.Arrive(context.Background(), server.UserKey{App: crashApp, User: user}, crashDay)
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				line := user + " known"
				if a.New {
					line += ",new"
				}
				if a.FirstToday {
					line += ",first"
				}
				if _, err := os.Stdout.WriteString(line + "\n"); err != nil { // one write for a line: it is said whole or not at all
					os.Exit(1)
				}
			}
		}()
	}
	select {}
}
