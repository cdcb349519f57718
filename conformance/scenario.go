package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Where the stories are, seen from this folder.
const scenarios = "../spec/scenarios"

// A scenario is one story.
type scenario struct {
	name  string            // of its file, without .txt
	title string            // the comment it starts with, as one line
	not   map[string]string // by the name of a driver, why it is not told to it
	steps []step
}

// A step is one line: who does what.
type step struct {
	line int
	who  string   // app, server, or nobody
	verb string   // does, hears, says, ...
	args []string // the words after it, without their quotes
	text string   // the line as it stands there, but for spaces and comments
}

// verbs is all that anybody can do.
var verbs = map[string][]string{
	"app":    {"does", "hears", "repeats"},
	"server": {"hears", "says", "pings", "clock", "drops", "closes", "freezes", "sends", "accepts", "refuses", "resets", "ignores", "shows", "takes"},
	"nobody": {"stirs"},
}

// load reads all scenarios, in the order of their names.
func load(folder string) ([]scenario, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil {
		return nil, err
	}
	var all []scenario
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		s, err := parse(strings.TrimSuffix(filepath.Base(file), ".txt"), string(text))
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func parse(name, text string) (scenario, error) {
	s := scenario{name: name, not: map[string]string{}}
	for i, line := range strings.Split(text, "\n") {
		if comment, ok := strings.CutPrefix(line, "#"); ok && s.steps == nil {
			s.comment(strings.TrimSpace(comment))
		}
		words, err := split(line)
		if err != nil {
			return s, fmt.Errorf("%s.txt:%d: %w", name, i+1, err)
		}
		if len(words) == 0 {
			continue
		}
		if len(words) < 2 || !slices.Contains(verbs[words[0]], words[1]) {
			return s, fmt.Errorf("%s.txt:%d: a line starts with one of:%s", name, i+1, sentences())
		}
		s.steps = append(s.steps, step{i + 1, words[0], words[1], words[2:], strings.Join(words, " ")})
	}
	switch {
	case s.title == "":
		return s, fmt.Errorf("%s.txt: it starts with a comment that says what happens", name)
	case len(s.steps) == 0:
		return s, fmt.Errorf("%s.txt: nothing happens", name)
	}
	return s, nil
}

// comment takes a line before the first step: a part of the title, or "not for Node: REASON".
func (s *scenario) comment(text string) {
	if exception, ok := strings.CutPrefix(text, "not for "); ok {
		driver, why, _ := strings.Cut(exception, ": ")
		s.not[driver] = why
		return
	}
	s.title = strings.TrimSpace(s.title + " " + text)
}

func sentences() string {
	var all []string
	for who, can := range verbs {
		for _, verb := range can {
			all = append(all, "\n\t"+who+" "+verb)
		}
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// split cuts a line into words at spaces that are not between quotes, up to a comment.
func split(line string) (words []string, err error) {
	var word strings.Builder
	inside, quoted := false, false
	end := func() {
		if inside {
			words = append(words, word.String())
		}
		word.Reset()
		inside = false
	}
	for _, r := range line {
		switch {
		case r == '"':
			quoted, inside = !quoted, true
		case quoted:
			word.WriteRune(r)
		case r == '#' && !inside:
			return words, nil
		case r == ' ' || r == '\t':
			end()
		default:
			inside = true
			word.WriteRune(r)
		}
	}
	if quoted {
		return nil, fmt.Errorf("a quote has no end")
	}
	end()
	return words, nil
}
