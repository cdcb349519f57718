//go:build linux

package baddays

import (
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// A place is where processes run: here, or in a network of its own. That has no name, and ends with the thread that is in it;
// and the processes end with the thread that has started them. So a run leaves nothing behind, however it ends.
type place struct {
	t     *testing.T
	names string // a file that processes there find as /etc/resolv.conf; "" is the machine's
	tasks chan func()
}

// here is the network of the machine.
var here = func() *place {
	p := &place{tasks: make(chan func())}
	go p.live()
	return p
}()

// newPlace makes a network with nothing in it.
func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, tasks: make(chan func())}
	go p.live()
	t.Cleanup(func() { close(p.tasks) })
	p.inside(func() error { return unix.Unshare(unix.CLONE_NEWNET) })
	return p
}

// live is the place's one thread. It is never unlocked, so it ends with the goroutine and takes with it what is its own.
func (p *place) live() {
	runtime.LockOSThread()
	for task := range p.tasks {
		task()
	}
}

// do runs f in the place's thread. What f opens or starts stays there.
func (p *place) do(f func() error) error {
	done := make(chan error)
	p.tasks <- func() { done <- f() }
	return <-done
}

func (p *place) inside(f func() error) {
	p.t.Helper()
	require.NoError(p.t, p.do(f))
}

// run runs a program to its end.
func (p *place) run(command ...string) {
	p.t.Helper()
	p.inside(func() error {
		out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
		if err != nil {
			p.t.Logf("%s: %s", strings.Join(command, " "), out)
		}
		return err
	})
}

// start starts a program, which is killed when the place ends.
func (p *place) start(cmd *exec.Cmd) error {
	return p.do(func() error {
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		return cmd.Start()
	})
}

// command is a program as it has to be started to find the place's names.
func (p *place) command(program string, args ...string) *exec.Cmd {
	if p.names == "" {
		return exec.Command(program, args...)
	}
	const look = `mount --bind "$0" /etc/resolv.conf && exec "$@"`
	return exec.Command("unshare", append([]string{"--mount", "sh", "-c", look, p.names, program}, args...)...)
}
