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

	mu    sync.Mutex
	lines []told
	open  map[string]int // calls that were not answered, by what begins the answer
}

type told struct {
	at   time.Time
	line string
}

// newPhone starts the driver in a namespace; "" is this one. ca is a file with the authorities it trusts.
func newPhone(t *testing.T, namespace, ca string) *phone {
	t.Helper()
	command := at(namespace, driver)
	p := &phone{t: t, cmd: exec.Command(command[0], command[1:]...), more: make(chan struct{}, 1), open: map[string]int{}}
	p.cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+ca)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.in, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
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
		late := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
		<-heard
		err := p.cmd.Wait()
		late.Stop()
		require.NoError(t, err, "the client's process ended badly")
		p.promises()
	})
	return p
}

func (p *phone) note(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lines = append(p.lines, told{time.Now(), line})
	for call := range p.open {
		if strings.HasPrefix(line, call) {
			p.open[call]--
		}
	}
	select {
	case p.more <- struct{}{}:
	default:
	}
}

// do makes a call. The words of the driver are in conformance/README.md.
func (p *phone) do(words ...string) {
	p.mu.Lock()
	switch words[0] {
	case "login":
		p.open["login "+words[1]+" "]++
	case "logout":
		p.open["logout "]++
	}
	p.mu.Unlock()
	_, _ = fmt.Fprintln(p.in, strings.Join(words, "\t"))
}

// hears waits until the app is told something that matches, from the moment since on, and returns when it was and what.
func (p *phone) hears(since time.Time, patience time.Duration, pattern string) told {
	p.t.Helper()
	wanted, late := regexp.MustCompile(pattern), time.After(patience)
	for {
		p.mu.Lock()
		i := slices.IndexFunc(p.lines, func(l told) bool { return !l.at.Before(since) && wanted.MatchString(l.line) })
		all := slices.Clone(p.lines)
		p.mu.Unlock()
		if i >= 0 {
			return all[i]
		}
		select {
		case <-p.more:
		case <-late:
			p.t.Fatalf("the app was not told %q within %s, but %v", pattern, patience, all)
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

// promises are what holds on the worst of days: no call stays open, connection events alternate, the end is the last word.
func (p *phone) promises() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for call, open := range p.open {
		if open != 0 {
			p.t.Errorf("%d calls of %q were not answered", open, call)
		}
	}
	link, closed := "disconnected", false
	for _, l := range p.lines {
		word, _, _ := strings.Cut(l.line, " ")
		after, events := map[string]string{"connecting": "disconnected", "connected": "connecting", "disconnected": "connect"}[word]
		if events && !strings.HasPrefix(link, after) {
			p.t.Errorf("%q came after %q", l.line, link)
		}
		if events {
			link = word
		}
		if closed && l.line != "close done" {
			p.t.Errorf("%q came after the end", l.line)
		}
		closed = closed || word == "closed"
	}
}

func (p *phone) String() string { return fmt.Sprint(p.lines) }

// sleep and awake stop and continue the process, as a phone does that nobody looks at.
func (p *phone) sleep() { require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGSTOP)) }
func (p *phone) awake() { require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGCONT)) }
