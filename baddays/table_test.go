//go:build linux

package baddays

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// row is what came out of a day.
func (s *stage) row(d day) string {
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", d.name, d.what, story(s.phone.since(s.broke), s.broke), seconds(s.knew), seconds(s.back))
}

func seconds(d time.Duration) string {
	switch {
	case d == 0:
		return "–"
	case d < time.Millisecond:
		return "at once"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

var moments = regexp.MustCompile(` at=\d+`)

// story says what the app was told and when. Tries that failed alike are counted.
func story(lines []told, from time.Time) string {
	var parts []string
	var tries int
	var try string // how the last tries ended
	flush := func() {
		if tries > 1 {
			parts = append(parts, fmt.Sprintf("%s: %s", more(tries-1), try))
		}
		tries, try = 0, ""
	}
	for i := 0; i < len(lines); i++ {
		line, _, _ := strings.Cut(lines[i].line, " session=")
		line = moments.ReplaceAllString(line, "")
		if strings.HasPrefix(line, "status ") {
			continue
		}
		if line == "connecting" && i+1 < len(lines) && strings.HasPrefix(lines[i+1].line, "disconnected ") {
			if end := lines[i+1].line; end == try {
				tries++
				i++
				continue
			}
			flush()
			try, tries = lines[i+1].line, 1
			parts = append(parts, "connecting", fmt.Sprintf("%s (%s)", try, seconds(lines[i+1].at.Sub(from))))
			i++
			continue
		}
		flush()
		parts = append(parts, fmt.Sprintf("%s (%s)", line, seconds(lines[i].at.Sub(from))))
	}
	flush()
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

func more(tries int) string {
	if tries == 1 {
		return "one more try"
	}
	return fmt.Sprintf("%d more tries", tries)
}

const page = `<!-- Measured by "./build.sh bad-days". DO NOT EDIT. -->
# Bad days

What an app is told, and when, while things between it and the server go wrong: libtim in a process of its own against a
real timd, with a link of network namespaces between them (over TLS) or a fault proxy (without). Pings come every 25 s, a
login may take 15 s, timd wants its clients back within 2 s; every other setting is the default. A wait between tries is a matter of chance.

Each day's whole order of events is written down in the test, and each time is held to what the design allows: "at once", 2 s
after a wake, a ping's interval and 10 s of silence, 10 s for a try, 20 s between tries, 15 s for a login, 5 s for a logout. No call stayed open, none
was answered twice, events of the connection alternated, and state came before results. Measured with all days at once on %d processors,
which were at most %s behind.

**Knew after**: from the fault to the word that something is wrong. **Back after**: from the end of the fault (or from
the fault, where it does not end) to the word that all is well, which was then checked. Times in brackets count from the fault.

| day | what happens | what the app was told | knew after | back after |
|---|---|---|---|---|
%s
## Resets at every byte

A connection is reset after 0 bytes, after 1, and so on up to all that passes, both ways together, and each time the story has to end well, in
the right order.

| reset in | what happens | bytes | connections cut | half were over within | the last within |
|---|---|---|---|---|---|
%s`

func write(t *testing.T, lived []string, behind time.Duration) {
	for i, row := range lived {
		if row == "" {
			t.Skipf("docs/bad-days.md stays as it was: the machine was too far behind for %q", days[i].name)
		}
	}
	text := fmt.Sprintf(page, runtime.NumCPU(), seconds(behind), strings.Join(lived, ""), strings.Join(resets, ""))
	require.NoError(t, os.WriteFile("../docs/bad-days.md", []byte(text), 0o644))
}
