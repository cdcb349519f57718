package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A process is a program of the story. What it prints is told, line by line.
type process struct {
	who    string
	cmd    *exec.Cmd
	lines  chan string // closed when it has ended
	status error       // how, after that
}

func start(ctx context.Context, who, path string, args ...string) (*process, error) {
	p := &process{who: who, cmd: exec.CommandContext(ctx, path, args...), lines: make(chan string, 64)}
	p.cmd.Stderr = os.Stderr
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	go p.read(out)
	return p, nil
}

func (p *process) read(out io.Reader) {
	for s := bufio.NewScanner(out); s.Scan(); {
		p.lines <- s.Text()
	}
	p.status = p.cmd.Wait()
	close(p.lines)
}

// next returns the next line, or io.EOF after the last.
func (p *process) next() (string, error) {
	select {
	case line, ok := <-p.lines:
		if !ok {
			return "", io.EOF
		}
		return line, nil
	case <-time.After(patience):
		return "", fmt.Errorf("%s said nothing for %s", p.who, patience)
	}
}

// says tells lines until one holds words.
func (p *process) says(words string) error {
	for {
		line, err := p.next()
		if err != nil {
			return fmt.Errorf("%s did not say %q: %w", p.who, words, err)
		}
		say(p.who, line)
		if strings.Contains(line, words) {
			return nil
		}
	}
}

// ended tells what is left to say and returns when the process has ended by itself.
func (p *process) ended() error {
	for {
		line, err := p.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		say(p.who, line)
	}
}

// end asks the process to end and returns an error if it did not end well.
func (p *process) end(ask os.Signal) error {
	p.cmd.Process.Signal(ask)
	if err := p.ended(); err != nil {
		p.kill()
		return err
	}
	if p.status != nil {
		return fmt.Errorf("%s ended badly: %w", p.who, p.status)
	}
	return nil
}

func (p *process) kill() { p.cmd.Process.Kill() }

// A dev is what timd dev says of itself.
type dev struct {
	Endpoint string `json:"endpoint"`
	App      uint64 `json:"app"`
	KeyFile  string `json:"key_file"`
	key      string
}

func startServer(ctx context.Context, path, dir string) (*process, dev, error) {
	timd, err := start(ctx, "timd", path, "dev", "--json", "--data", dir, "--listen", "127.0.0.1:0")
	if err != nil {
		return nil, dev{}, err
	}
	d, err := timd.introduction()
	if err != nil {
		timd.kill()
		return nil, dev{}, fmt.Errorf("start %s: %w", path, err)
	}
	return timd, d, nil
}

func (p *process) introduction() (d dev, err error) {
	line, err := p.next()
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal([]byte(line), &d); err != nil {
		return d, err
	}
	key, err := os.ReadFile(d.KeyFile)
	d.key = strings.TrimSpace(string(key))
	return d, err
}
