package conformance

import (
	"bufio"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// An app is a driver's process. What it prints are lines of the transcript.
type app struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan line     // closed at the end of the output
	done  chan struct{} // a token for each command that was done
	up    func()        // another driver may start
	noise strings.Builder
}

// starts is how many drivers start at a time: their stories have seconds between two lines, and forty programs that start at once
// beside them may take those.
var starts = make(chan struct{}, runtime.NumCPU())

// A line is what a driver printed, and when.
type line struct {
	text string
	at   time.Time
}

func startApp(command []string) (_ *app, err error) {
	starts <- struct{}{}
	a := &app{
		cmd: exec.Command(command[0], command[1:]...), lines: make(chan line, 1000), done: make(chan struct{}, 1),
		up: sync.OnceFunc(func() { <-starts }),
	}
	defer func() {
		if err != nil {
			a.up()
		}
	}()
	a.cmd.Stderr = &a.noise
	a.cmd.WaitDelay = time.Second
	out, err := a.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if a.in, err = a.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := a.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(a.done)
		defer close(a.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			if s.Text() == "." {
				a.done <- struct{}{}
			} else {
				a.lines <- line{s.Text(), time.Now()}
			}
		}
	}()
	return a, nil
}

// do sends a command and waits until it was done; its words are separated by tabs.
func (a *app) do(words []string) error {
	defer a.up()
	if _, err := fmt.Fprintln(a.in, strings.Join(words, "\t")); err != nil {
		return fmt.Errorf("the driver reads nothing more: %w", err)
	}
	select {
	case _, ok := <-a.done:
		if !ok {
			return fmt.Errorf("the driver ended at %s", words[0])
		}
		return nil
	case <-time.After(patience):
		return fmt.Errorf("the driver does not come back from %s", words[0])
	}
}

// hear returns the next line, or none if none comes in time.
func (a *app) hear(patience time.Duration) (line, bool) {
	select {
	case l, ok := <-a.lines:
		return l, ok
	case <-time.After(patience):
		return line{}, false
	}
}

// end closes the input and returns what was still printed, and what was wrong with the process's end.
func (a *app) end() (rest []string, err error) {
	a.up()
	_ = a.in.Close()
	late := time.AfterFunc(patience, func() { _ = a.cmd.Process.Kill() })
	defer late.Stop()
	for l := range a.lines {
		rest = append(rest, l.text)
	}
	if err := a.cmd.Wait(); err != nil {
		return rest, fmt.Errorf("the driver ended badly: %w\n%s", err, a.noise.String())
	}
	return rest, nil
}

var moments = regexp.MustCompile(`\bat=(\d+)`)

// readable says how far a time of these days is from the server's clock, in whole minutes: at=now, at=now+1h0m0s. Other
// times stay what they are.
func readable(text string, now time.Time) string {
	return moments.ReplaceAllStringFunc(text, func(text string) string {
		ms, err := strconv.ParseInt(text[len("at="):], 10, 64)
		away := time.UnixMilli(ms).Sub(now).Round(time.Minute)
		switch {
		case err != nil || away.Abs() > 48*time.Hour:
			return text
		case away == 0:
			return "at=now"
		}
		return "at=now" + fmt.Sprintf("%+d", int(away.Minutes())) + "m"
	})
}
