//go:build linux

package proof

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// A process is a program that can be killed and started again. It dies with the test.
type process struct {
	name    string
	log     string // a file that every start adds to
	command func() *exec.Cmd
	ready   func() error // whether it serves

	mu   sync.Mutex
	cmd  *exec.Cmd     // nil while it is dead
	gone chan struct{} // closed when it ended
}

// start runs the program and waits until it serves.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := p.command()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", p.name, err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its log says why
		close(gone)
	}()
	p.cmd, p.gone = cmd, gone
	for end := time.Now().Add(40 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if err = p.ready(); err == nil {
			return nil
		}
		select {
		case <-gone:
			return fmt.Errorf("%s ended; it said:\n%s", p.name, p.said())
		default:
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s does not serve: %w; it said:\n%s", p.name, err, p.said())
		}
	}
}

// kill ends it with SIGKILL, if it runs.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		<-p.gone
		p.cmd = nil
	}
}

func (p *process) said() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

// newProcess returns a program that is not started yet.
func newProcess(t testing.TB, dir, name string, command func() *exec.Cmd, ready func() error) *process {
	p := &process{name: name, log: filepath.Join(dir, name+".log"), command: command, ready: ready}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s said last:\n%s", name, p.said())
		}
	})
	return p
}

// accepts reports whether somebody listens.
func accepts(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	return conn.Close()
}

// ports counts those that were looked at, so that tests side by side get others.
var ports atomic.Int64

// freeAddrs returns loopback addresses that nobody listens on now. They lie below the ports that the kernel gives to clients,
// so that they stay free while a process is dead.
func freeAddrs(t testing.TB, n int) []string {
	t.Helper()
	var list []string
	for len(list) < n {
		addr := fmt.Sprintf("127.0.0.1:%d", 20000+(int64(os.Getpid())+ports.Add(1))%12000)
		l, err := net.Listen("tcp", addr)
		if err != nil {
			continue
		}
		defer l.Close()
		list = append(list, addr)
	}
	return list
}
