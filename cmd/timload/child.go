package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os/exec"
	"sync"
	"sync/atomic"
	"time"
)

// A family is the servers that a run started. Whatever ends the run ends them: killAll is deferred by main, and should even
// that not run, the kernel kills them (see childAttributes).
type family struct {
	mu      sync.Mutex
	members map[*child]struct{}
}

// A child is a server that runs as a process of its own.
type child struct {
	name   string
	cmd    *exec.Cmd
	family *family
	said   *tail
	ended  chan struct{} // closed when the process is gone and waited for
}

// start runs a program. What it prints is kept (the last few KiB) and shown only if it fails.
func (f *family) start(name string, cmd *exec.Cmd) (*child, error) {
	c := &child{name: name, cmd: cmd, family: f, said: &tail{}, ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = c.said, c.said
	cmd.SysProcAttr = childAttributes()
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	f.mu.Lock()
	if f.members == nil {
		f.members = map[*child]struct{}{}
	}
	f.members[c] = struct{}{}
	f.mu.Unlock()
	go func() {
		cmd.Wait() // how it ended is in cmd.ProcessState
		close(c.ended)
	}()
	return c, nil
}

func (c *child) pid() int { return c.cmd.Process.Pid }

// kill ends the process with SIGKILL and returns when it is gone. Killing a dead child is fine.
func (c *child) kill() {
	c.cmd.Process.Kill() // fails only if it is gone already
	<-c.ended
	c.family.mu.Lock()
	delete(c.family.members, c)
	c.family.mu.Unlock()
}

// killAll kills what is left of the family.
func (f *family) killAll() {
	f.mu.Lock()
	left := make([]*child, 0, len(f.members))
	for c := range f.members {
		left = append(left, c)
	}
	f.mu.Unlock()
	for _, c := range left {
		c.kill()
	}
}

// awaitAnswer returns when the child answers HTTP requests, whatever it answers, or an error if it ends or a minute passes. That
// somebody accepts connections says less: a server may listen before it can serve.
func (c *child) awaitAnswer(ctx context.Context, d *dialer) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := knock(ctx, d)
		if err == nil {
			return nil
		}
		select {
		case <-c.ended:
			return fmt.Errorf("%s ended (%v) instead of serving; it said:\n%s", c.name, c.cmd.ProcessState, c.said)
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve: %w; it said:\n%s", c.name, err, c.said)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// knock makes one request and waits for the first bytes of an answer.
func knock(ctx context.Context, d *dialer) error {
	conn, err := d.dial(ctx)
	if err != nil {
		return err
	}
	defer hangUp(conn)
	defer context.AfterFunc(ctx, func() { hangUp(conn) })()
	if _, err := io.WriteString(conn, "GET /readyz HTTP/1.1\r\nHost: timload\r\n\r\n"); err != nil {
		return err
	}
	_, err = io.ReadFull(conn, make([]byte, len("HTTP/1.1 200")))
	return err
}

// freeAddr returns a loopback address that nobody listens on, another one each time. Its port lies below those that the kernel gives to
// clients, so it stays free while a server restarts.
func freeAddr() (string, error) {
	const first, all = 20_000, 12_000
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", first+lastPort.Add(1)%all)
		l, err := net.Listen("tcp4", addr)
		if err != nil {
			continue
		}
		l.Close()
		return addr, nil
	}
	return "", fmt.Errorf("no free port between %d and %d", first, first+all-1)
}

var lastPort atomic.Uint32

func init() { lastPort.Store(rand.Uint32()) } // a run beside this one begins elsewhere

// runTool runs a program to its end, such as a compiler, and shows what it said if it fails.
func runTool(ctx context.Context, dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, said.String())
	}
	return out.String(), nil
}

// A tail keeps the last few KiB written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

var _ io.Writer = (*tail)(nil)

const tailSize = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if over := len(t.text) - tailSize; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.text)
}
