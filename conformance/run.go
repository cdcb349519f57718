package conformance

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

const (
	patience    = time.Minute // for what must happen
	binaryFrame = websocket.BinaryMessage
)

// A telling is a scenario that is being told to one driver.
type telling struct {
	scenario   scenario
	server     *server
	app        *app
	transcript transcript
	next       *line // heard already, and not told yet
}

// tell runs a scenario and returns what went otherwise, side by side, or nil.
func tell(s scenario, driver []string) error {
	server, err := newServer()
	if err != nil {
		return err
	}
	defer server.close()
	app, err := startApp(driver)
	if err != nil {
		return err
	}
	t := &telling{scenario: s, server: server, app: app}
	err = t.run()
	rest, badEnd := app.end()
	switch {
	case err != nil:
		t.transcript.rest(t.heard(rest))
		return fmt.Errorf("%s.txt: %w\n%s%s", s.name, err, &t.transcript, &app.noise)
	case badEnd != nil:
		return fmt.Errorf("%s.txt: %w\n%s", s.name, badEnd, &t.transcript)
	case len(rest) > 0:
		t.transcript.rest(t.heard(rest))
		return fmt.Errorf("%s.txt: the story is over, but\n%s", s.name, &t.transcript)
	}
	return nil
}

func (t *telling) run() error {
	for _, s := range t.scenario.steps {
		if err := t.step(s); err != nil {
			return fmt.Errorf("line %d: %w", s.line, err)
		}
	}
	if t.closes() {
		return t.stirs(0)
	}
	return t.close()
}

// close ends a client that the story leaves open. It tells what ends, and nothing else.
func (t *telling) close() error {
	if err := t.stirs(0); err != nil {
		return err
	}
	t.transcript.same("app does close # by itself, at the end of the story")
	if err := t.app.do([]string{"close"}); err != nil {
		return err
	}
	for _, end := range []string{"logged_out", "ready false", "disconnected OK", "closed OK", "close done"} {
		heard, _ := t.listen(patience)
		if heard.text != end {
			t.next = &heard
		}
		if heard.text != end && strings.HasPrefix(end, "close") {
			t.transcript.differ("app hears "+end, "app hears "+heard.text)
			return fmt.Errorf("the client was closed, and told something else")
		}
	}
	return t.stirs(0)
}

// closes reports whether the story itself closes the client it opened last.
func (t *telling) closes() bool {
	closed := true
	for _, s := range t.scenario.steps {
		switch {
		case s.verb == "hears" && s.text == "app hears open OK":
			closed = false
		case s.verb == "hears" && strings.HasPrefix(s.text, "app hears closed"):
			closed = true
		}
	}
	return closed
}

func (t *telling) step(s step) error {
	switch s.who + " " + s.verb {
	case "app does":
		t.transcript.same(s.text)
		return t.app.do(t.command(s.args))
	case "app hears":
		return t.hears(s)
	case "app repeats":
		return t.repeats(s)
	case "nobody stirs":
		long, err := time.ParseDuration(strings.Join(s.args, ""))
		if err != nil {
			return err
		}
		t.transcript.same(s.text)
		return t.stirs(long)
	case "server hears":
		want, after, err := notBefore(s.args)
		if err != nil {
			return err
		}
		got, ok := t.server.expect(want, patience)
		if !ok {
			t.transcript.differ(s.text, got)
			return fmt.Errorf("the server did not hear it")
		}
		if early := after - t.server.waited(); after > 0 && early > 0 {
			t.transcript.differ(s.text, fmt.Sprintf("%s, %v too early", got, early))
			return fmt.Errorf("the server heard it too early")
		}
		t.transcript.same(s.text)
		return nil
	}
	t.transcript.same(s.text)
	return t.play(s)
}

// notBefore takes after=700ms out of what is heard: how long after the server's last deed it may come at the earliest. An
// earliest time holds on a busy machine, too.
func notBefore(args []string) (rest []string, after time.Duration, err error) {
	for _, arg := range args {
		if text, ok := strings.CutPrefix(arg, "after="); ok {
			after, err = time.ParseDuration(text)
		} else {
			rest = append(rest, arg)
		}
	}
	return rest, after, err
}

// listen returns the next line that the app hears.
func (t *telling) listen(patience time.Duration) (heard line, ok bool) {
	if t.next != nil {
		heard, t.next = *t.next, nil
		return heard, true
	}
	return t.app.hear(patience)
}

// repeats skips the lines that s names, in turn, as often as they come.
func (t *telling) repeats(s step) error {
	began := time.Now()
	for i := 0; ; i++ {
		heard, ok := t.listen(patience)
		if !ok {
			t.transcript.differ(s.text, "")
			return fmt.Errorf("the app heard nothing more")
		}
		if heard.text != s.args[i%len(s.args)] {
			t.next = &heard
			return nil
		}
		t.transcript.same("app hears " + heard.text)
		if time.Since(began) > patience {
			return fmt.Errorf("the app hears this again and again")
		}
	}
}

// command completes what a story leaves out of open.
func (t *telling) command(words []string) []string {
	if words[0] == "upon" && len(words) > 2 {
		return append(words[:2:2], t.command(words[2:])...)
	}
	if words[0] != "open" {
		return words
	}
	complete := []string{"open"}
	for _, setting := range []string{"url=ws://" + t.server.address + "/tim", "app=1400000001", "platform=android"} {
		key, _, _ := strings.Cut(setting, "=")
		if !strings.Contains(strings.Join(words, "\t"), "\t"+key+"=") {
			complete = append(complete, setting)
		}
	}
	return append(complete, words[1:]...)
}

func (t *telling) hears(s step) error {
	words, after, err := notBefore(s.args)
	if err != nil {
		return err
	}
	heard, ok := t.listen(patience)
	got := "app hears " + readable(heard.text, t.server.clock())
	switch early := after - heard.at.Sub(t.server.said); {
	case !ok:
		t.transcript.differ(s.text, "")
		return fmt.Errorf("the app heard nothing more")
	case strings.Join(strings.Fields(got), " ") != "app hears "+strings.Join(strings.Fields(strings.Join(words, " ")), " "):
		t.transcript.differ(s.text, got)
		return fmt.Errorf("the app heard something else")
	case after > 0 && early > 0:
		t.transcript.differ(s.text, fmt.Sprintf("%s, %v too early", got, early))
		return fmt.Errorf("the app heard it too early")
	}
	t.transcript.same(s.text)
	return nil
}

// stirs reports what happens within d though nothing should, or has happened and was not told.
func (t *telling) stirs(d time.Duration) error {
	heard, ok := t.listen(d)
	untold := t.server.untold()
	if ok {
		untold = append([]string{"app hears " + heard.text}, untold...)
	}
	if len(untold) == 0 {
		return nil
	}
	t.transcript.rest(untold)
	return fmt.Errorf("something happened that the story does not tell")
}

// play does what the server does.
func (t *telling) play(s step) error {
	modes := map[string]mode{"accepts": accepting, "refuses": refusing, "resets": resetting, "ignores": ignoring, "shows": showing}
	if m, ok := modes[s.verb]; ok { // "server refuses connections"
		return t.server.become(m)
	}
	if s.verb == "takes" {
		return t.server.wants(strings.Join(s.args, " "))
	}
	if s.verb == "clock" {
		d, err := time.ParseDuration(strings.Join(s.args, ""))
		t.server.skew += d
		return err
	}
	c := t.server.now
	if c == nil {
		return fmt.Errorf("nobody is connected")
	}
	if s.verb != "freezes" { // which nobody notices
		t.server.said = time.Now()
	}
	switch s.verb {
	case "says":
		return t.server.say(s.args)
	case "pings":
		c.ping(t.server.clock())
	case "drops":
		_ = c.ws.Close()
	case "freezes":
		c.frozen.Store(true)
	case "closes":
		code, err := strconv.Atoi(strings.Join(s.args, ""))
		if err != nil {
			return err
		}
		c.control(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))
	case "sends":
		return t.sends(c, s.args)
	}
	return nil
}

// sends what is no frame of ours: "text WORDS", "hex DIGITS", "zeros COUNT".
func (t *telling) sends(c *conn, args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("the server sends text WORDS, hex DIGITS or zeros COUNT")
	}
	switch args[0] {
	case "text":
		c.send(websocket.TextMessage, []byte(args[1]))
	case "hex":
		data, err := hex.DecodeString(args[1])
		if err != nil {
			return err
		}
		c.send(binaryFrame, data)
	case "zeros":
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		c.send(binaryFrame, make([]byte, n))
	default:
		return fmt.Errorf("the server cannot send %s", args[0])
	}
	return nil
}

// heard is what a driver printed last, in the words of a story.
func (t *telling) heard(lines []string) (all []string) {
	for _, line := range lines {
		all = append(all, "app hears "+readable(line, t.server.clock()))
	}
	return all
}
