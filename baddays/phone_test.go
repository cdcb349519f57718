//go:build linux

package baddays

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A phone is a process with libtim in it. What it was told is kept with the time.
type phone struct {
	t    *testing.T
	cmd  *exec.Cmd
	in   io.WriteCloser
	more chan struct{} // a token: a line was added

	// fails ends the test; a day sees first whether that would be the machine's fault.
	fails func(format string, values ...any)

	mu    sync.Mutex
	lines []told
	*hearing
	calls map[string][]time.Time // that were not answered, by what begins the answer: when they were made
	slept time.Time              // until then it was stopped
	proof chan string            // of proves, while it waits
}

type told struct {
	at   time.Time
	line string
}

// newPhone starts the driver in a place. ca is a file with the authorities it trusts.
func newPhone(t *testing.T, at *place, ca string) *phone {
	t.Helper()
	p := &phone{t: t, cmd: at.command(driver), more: make(chan struct{}, 1), calls: map[string][]time.Time{}, hearing: newHearing(), fails: t.Fatalf}
	p.cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+ca)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, at.start(p.cmd))
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		for s := bufio.NewScanner(out); s.Scan(); {
			if s.Text() != "." {
				p.note(s.Text())
			}
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Signal(syscall.SIGCONT)
		p.do("close")
		_ = p.in.Close()
		late := time.AfterFunc(time.Minute, func() { _ = p.cmd.Process.Kill() })
		<-heard
		err := p.cmd.Wait()
		late.Stop()
		require.NoError(t, err, "the client's process ended badly")
		p.promises()
	})
	return p
}

// open makes a client of the phone's, in the place of one that was closed.
func (p *phone) open(url string, more ...string) {
	p.t.Helper()
	asked := time.Now()
	p.do(append([]string{"open", "url=" + url, fmt.Sprintf("app=%d", app), "platform=android"}, more...)...)
	p.hears(asked, time.Minute, "^open OK")
}

// note takes what the app is told, and holds it against what may come.
func (p *phone) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if p.proof != nil && strings.HasPrefix(line, "renew ") {
		p.answers(line, now)
		p.proof <- line
		return
	}
	p.lines = append(p.lines, told{now, line})
	if what := p.wrong(line); what != "" {
		p.t.Errorf("%s; %s", what, sequence(p.lines))
	}
	p.answers(line, now)
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// allowed is how long the design lets a call wait, by what begins its answer.
var allowed = map[string]time.Duration{"login": loginTime, "renew": loginTime, "logout": logoutTime}

// answers takes the answer of a call: there is one, and it comes in the time that the design allows. A process that was
// stopped knows it when it goes on.
func (p *phone) answers(line string, now time.Time) {
	call, _, _ := strings.Cut(line, " ")
	most := allowed[call]
	if most == 0 {
		return
	}
	asked := p.calls[call]
	if len(asked) == 0 {
		p.t.Errorf("%q answers nothing", line)
		return
	}
	due := asked[0].Add(most)
	if p.calls[call] = asked[1:]; p.slept.After(due) {
		due = p.slept
	}
	if late := now.Sub(due); late > machine.grace(asked[0]) {
		p.t.Errorf("%q came %s later than it may", line, late)
	}
}

// do makes a call. The words of the driver are in conformance/README.md.
func (p *phone) do(words ...string) {
	p.mu.Lock()
	if _, answered := allowed[words[0]]; answered {
		p.calls[words[0]] = append(p.calls[words[0]], time.Now())
	}
	p.mu.Unlock()
	_, _ = fmt.Fprintln(p.in, strings.Join(words, "\t"))
}

// hears waits until the app is told something that matches, from the moment since on, and returns when it was and what.
func (p *phone) hears(since time.Time, patience time.Duration, pattern string) told {
	p.t.Helper()
	wanted, late := regexp.MustCompile(pattern), time.After(patience)
	for {
		lines := p.since(since)
		if i := slices.IndexFunc(lines, func(l told) bool { return wanted.MatchString(l.line) }); i >= 0 {
			return lines[i]
		}
		select {
		case <-p.more:
		case <-late:
			p.fails("the app was not told %q within %s, but: %s", pattern, patience, sequence(p.since(time.Time{})))
		}
	}
}

// since returns what the app was told from a moment on.
func (p *phone) since(from time.Time) (found []told) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.lines {
		if !l.at.Before(from) {
			found = append(found, l)
		}
	}
	return found
}

// proves asks the server something, and requires its answer: that the app believes to be online may be a mistake. What the
// app is told of it is no part of the day.
func (p *phone) proves() {
	p.t.Helper()
	answer := make(chan string, 1)
	p.mu.Lock()
	p.proof = answer
	p.mu.Unlock()
	p.do("renew", ticketOf(p.t, "alice", 24*time.Hour))
	select {
	case line := <-answer:
		if line != "renew OK" {
			p.fails("the server answers %q; %s", line, sequence(p.since(time.Time{})))
		}
	case <-time.After(patience):
		p.fails("the server does not answer; %s", sequence(p.since(time.Time{})))
	}
	p.mu.Lock()
	p.proof = nil
	p.mu.Unlock()
}

// settles waits until the connection is there and nothing is told for so long.
func (p *phone) settles(quiet time.Duration) {
	p.t.Helper()
	late := time.Now().Add(patience)
	for {
		p.mu.Lock()
		rest := time.Until(p.lines[len(p.lines)-1].at.Add(quiet))
		settled := p.link == "connected" && rest <= 0
		p.mu.Unlock()
		if settled {
			return
		}
		if time.Now().After(late) {
			p.fails("the app does not settle: %s", sequence(p.since(time.Time{})))
		}
		time.Sleep(max(rest, 10*time.Millisecond))
	}
}

// promises are what must be true at the end: the client is closed, and no call stays open.
func (p *phone) promises() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for call, open := range p.calls {
		if len(open) > 0 {
			p.t.Errorf("%d calls of %s were never answered", len(open), call)
		}
	}
	if p.hearing.open {
		p.t.Errorf("the end was never told; %s", sequence(p.lines))
	}
}

// sleep and awake stop and continue the process, as a phone does that nobody looks at.
func (p *phone) sleep() { require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGSTOP)) }
func (p *phone) awake() {
	p.mu.Lock()
	p.slept = time.Now()
	p.mu.Unlock()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGCONT))
}
