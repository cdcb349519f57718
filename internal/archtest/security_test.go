package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var link = regexp.MustCompile(`\[([^\]]+)\]\(([^)]+)\)`)

// dead returns what is wrong with the links of a page: a file that is not there, or a test that is not in it. A link to a test has its
// name as its text: a function of Go, or what the test calls itself in C and TypeScript.
func dead(page string) (complaints []string) {
	for _, l := range link.FindAllStringSubmatch(page, -1) {
		text, path := l[1], l[2]
		data, err := os.ReadFile(filepath.Join(root, path))
		_, missing := os.Stat(filepath.Join(root, path))
		goTest := regexp.MustCompile(`^(Test|Fuzz)[A-Z]\w*$`).MatchString(text)
		switch {
		case missing != nil:
			complaints = append(complaints, path+" is not there")
		case goTest && !strings.Contains(string(data), "\nfunc "+text+"("):
			complaints = append(complaints, path+" has no "+text)
		case !goTest && strings.Contains(text, " ") && (err != nil || !strings.Contains(string(data), text)):
			complaints = append(complaints, path+" has no test that says: "+text)
		}
	}
	return complaints
}

func TestEveryTestThatSECURITYNamesIsThere(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(root, "SECURITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, complaint := range dead(page) {
		t.Error(complaint)
	}
	rows := 0
	_, table, _ := strings.Cut(page, "## Threats")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| **") {
			continue
		}
		rows++
		if cells := strings.Split(strings.TrimSpace(line), " | "); len(cells) != 4 {
			t.Errorf("a row has %d cells, not 4: %.60s", len(cells), line)
		} else if !link.MatchString(cells[3]) && !strings.Contains(line, "Not defended") {
			t.Errorf("a row names no test and does not say that nothing defends: %.60s", line)
		}
	}
	if rows < 10 || len(link.FindAllString(page, -1)) < 50 {
		t.Errorf("read %d threats and %d links only", rows, len(link.FindAllString(page, -1)))
	}
}

func TestADeadLinkIsSeen(t *testing.T) {
	for page, want := range map[string]int{
		"[TestADeadLinkIsSeen](internal/archtest/security_test.go) [core](core)": 0,
		"[TestNothing](internal/archtest/security_test.go)":                      1,
		"[TestADeadLinkIsSeen](internal/archtest/nothing_test.go)":               1,
		"[what a test does not say](capi/ctest/life.c)":                          1,
	} {
		if got := dead(page); len(got) != want {
			t.Errorf("%s: got %q", page, got)
		}
	}
}
