package conformance

import (
	"fmt"
	"strings"
)

// A transcript is what should have happened beside what did.
type transcript struct{ rows [][2]string }

func (t *transcript) same(text string)        { t.differ(text, text) }
func (t *transcript) differ(want, got string) { t.rows = append(t.rows, [2]string{want, got}) }
func (t *transcript) rest(lines []string) {
	for _, line := range lines {
		t.differ("", line)
	}
}

// String prints both columns and marks where they part.
func (t *transcript) String() string {
	width := len("expected")
	for _, row := range t.rows {
		width = max(width, min(len(row[0]), 70))
	}
	var out strings.Builder
	fmt.Fprintf(&out, "   %-*s | %s\n", width, "expected", "happened")
	for _, row := range t.rows {
		mark := "  "
		if row[0] != row[1] {
			mark = "->"
		}
		fmt.Fprintf(&out, "%s %-*s | %s\n", mark, width, row[0], row[1])
	}
	return out.String()
}
