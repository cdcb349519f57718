package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// A server is a program that timload starts, as often as it likes, always on the same address.
type server struct {
	name    string
	addr    string
	dialer  *dialer
	request []byte // the upgrade
	command func() *exec.Cmd
	family  *family
	child   *child // nil until started
}

func (r *rig) newServer(name, path, subprotocol string, config *tls.Config, command func(addr string) *exec.Cmd) (*server, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	d, err := newDialer(addr, config)
	if err != nil {
		return nil, err
	}
	return &server{
		name:    name,
		addr:    addr,
		dialer:  d,
		request: upgradeRequest(addr, path, subprotocol),
		command: func() *exec.Cmd { return command(addr) },
		family:  r.family,
	}, nil
}

// start starts the program and returns when it serves.
func (s *server) start(ctx context.Context) error {
	c, err := s.family.start(s.name, s.command())
	if err != nil {
		return err
	}
	s.child = c
	return s.child.awaitAnswer(ctx, s.dialer)
}

// kill ends the program with SIGKILL. It may be started again.
func (s *server) kill() { s.child.kill() }

// bareServer is this program in its role as a baseline; see bareCommand.
func (r *rig) bareServer() (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return r.newServer("bare", "/", "", nil, func(addr string) *exec.Cmd {
		return exec.Command(self, "bare", "--listen", addr)
	})
}

// centrifugeServer builds the module in bench/centrifuge.
func (r *rig) centrifugeServer(ctx context.Context) (*server, error) {
	program := filepath.Join(r.dir, "centrifuge")
	r.say("building bench/centrifuge")
	root, err := moduleRoot(ctx)
	if err != nil {
		return nil, err
	}
	if err := goBuild(ctx, filepath.Join(root, "bench", "centrifuge"), program, "."); err != nil {
		return nil, fmt.Errorf("%w\nwithout it: --centrifuge=false", err)
	}
	return r.newServer("centrifuge", "/connection/websocket", "", nil, func(addr string) *exec.Cmd {
		cmd := exec.Command(program, "-listen", addr)
		cmd.Env = append(os.Environ(), "CENTRIFUGE_KEY="+appKey)
		return cmd
	})
}

// moduleRoot returns the directory of tim's sources, which the working directory must be in.
func moduleRoot(ctx context.Context) (string, error) {
	out, err := runTool(ctx, "", "go", "list", "-m", "-f", "{{.Dir}}", "github.com/opentim/tim")
	if err != nil {
		return "", fmt.Errorf("find tim's sources: run timload inside them: %w", err)
	}
	return strings.TrimSpace(out), nil
}

func goBuild(ctx context.Context, dir, program, pkg string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	_, err := runTool(ctx, dir, "go", "build", "-o", program, pkg)
	return err
}
