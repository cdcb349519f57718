package archtest

import (
	"bytes"
	"go/parser"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	longFile    = 400 // lines: listed, for the next one who has time
	tooLongFile = 800 // lines: fails
)

var (
	sourceTypes = []string{".go", ".c", ".h", ".cpp", ".hpp", ".mm", ".ts", ".tsx", ".js", ".mjs", ".sh", ".kt", ".java"}
	leftover    = regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME)\b`)
)

func generated(path string) bool {
	return strings.HasSuffix(path, "_gen.go") || strings.Contains(filepath.Base(path), ".gen.")
}

// Run with -v to see the list of long files.
func TestFilesAreAboutOneNounAndFinished(t *testing.T) {
	seen := 0
	err := walk(func(path string) error {
		source := slices.Contains(sourceTypes, filepath.Ext(path))
		if generated(path) || !source && filepath.Ext(path) != ".md" {
			return nil
		}
		seen++
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		if mark := leftover.Find(data); mark != nil {
			t.Errorf("%s has a %s: do it, or file it", path, mark)
		}
		switch lines := bytes.Count(data, []byte("\n")); {
		case !source:
		case lines > tooLongFile:
			t.Errorf("%s has %d lines: split it", path, lines)
		case lines > longFile:
			t.Logf("long: %s has %d lines", path, lines)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 20 {
		t.Fatalf("looked at %d files only", seen)
	}
}

func TestNoisesAreHeard(t *testing.T) {
	file, err := parser.ParseFile(positions, "loud.go", `package loud
import ("fmt"; "os")
func init() { fmt.Println("hello"); println("there"); fmt.Fprintln(os.Stderr) }
func quiet() string { return fmt.Sprint("ssh") }`, 0)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Join(noises(file), "\n")
	for _, want := range []string{"init runs", "fmt.Println writes to stdout", "println writes to stderr", "os.Stderr writes to stderr"} {
		if !strings.Contains(got, want) {
			t.Errorf("not heard: %s; got:\n%s", want, got)
		}
	}
	if strings.Contains(got, "Sprint") {
		t.Errorf("quiet code is called loud:\n%s", got)
	}
	for text, want := range map[string]bool{"// TO" + "DO: later": true, "FIX" + "ME": true, "todos": false, "mastodon TOAST": false} {
		if leftover.MatchString(text) != want {
			t.Errorf("leftover(%q) = %v", text, !want)
		}
	}
}
