package conformance

import (
	"errors"
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	_ "github.com/opentim/tim/core" // see noteSources
)

var update = flag.Bool("update", false, "write docs/conformance.md")

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "24") // stories mostly wait
	m.Run()
}

// Every story, told to every driver. One story to one driver: go test ./conformance -run 'Stories/C/kicked-by-an-admin'
func TestStories(t *testing.T) {
	all, err := load(scenarios)
	require.NoError(t, err)
	require.GreaterOrEqual(t, len(all), 40)
	noteSources(t)
	for _, d := range drivers {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			command, err := d.build(t.TempDir())
			if errors.Is(err, errNoTool) {
				t.Skip(err)
			}
			require.NoError(t, err)
			for _, s := range all {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					if why, not := s.not[d.name]; not {
						t.Skip(why)
					}
					if err := tell(s, command); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}

// noteSources looks at what the drivers are built from, so that no cached result outlives a change of it.
func noteSources(t *testing.T) {
	for _, folder := range []string{"drivers", "../include", "../bindings/js/src", "../bindings/node/src"} {
		require.NoError(t, filepath.WalkDir(folder, func(_ string, _ fs.DirEntry, err error) error { return err }))
	}
}

// Mistakes in a story are named with their line, and what was done instead is shown.
func TestAStoryWithMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"app does open":                        "it starts with a comment",
		"# Nothing.":                           "nothing happens",
		"# A word.\napp sings":                 "x.txt:2: a line starts with one of:\n\tapp does\n",
		"# A quote.\n\napp does login \"alice": "x.txt:3: a quote has no end",
	} {
		_, err := parse("x", text)
		require.ErrorContains(t, err, want)
	}
	s, err := parse("x", "# Two\n# lines.\napp hears  \"two words\" \"\" # and a comment")
	require.NoError(t, err)
	require.Equal(t, "Two lines.", s.title)
	require.Equal(t, []string{"two words", ""}, s.steps[0].args)
}

func TestWhatTheServerSaysIsChecked(t *testing.T) {
	for _, words := range [][]string{
		{}, {"hello"}, {"accepted", "colour=red"}, {"accepted", "ping=soon"}, {"kicked", "reason=dislike"}, {"refused", "code=Nope"}, {"bye", "stop"},
	} {
		_, err := frame(words, time.Now(), 1, 1)
		require.Error(t, err, "%v", words)
	}
	require.True(t, matches([]string{"login", "user=alice", "reconnect="}, []string{"login", "user=alice", "ticket=x"}))
	require.False(t, matches([]string{"login", "user=alice", "reconnect="}, []string{"login", "user=alice", "reconnect=true"}))
	require.False(t, matches([]string{"login", "user=bob"}, []string{"login", "user=alice"}))
	require.False(t, matches([]string{"resume"}, []string{"login"}))
}

// A story that is told wrongly fails, whatever is wrong with it.
func TestAStoryThatIsNotTrueFails(t *testing.T) {
	command, err := buildCore(t.TempDir())
	require.NoError(t, err)
	for why, text := range map[string]string{
		"the app heard something else":                     "# x\napp does open\napp hears open InvalidURL",
		"something happened that the story does not tell":  "# x\napp does open\nnobody stirs 50ms",
		"the client was closed, and told something else":   "# x\napp does open\napp hears open OK\napp does upon \"closed OK\" status",
		"the driver ended at sing":                         "# x\napp does sing",
		"-> app hears open InvalidURL | app hears open OK": "# x\napp does open\napp hears open InvalidURL",
	} {
		s, err := parse("x", text)
		require.NoError(t, err)
		require.ErrorContains(t, tell(s, command), why)
	}
}

func TestTheTableInDocsIsFresh(t *testing.T) {
	all, err := load(scenarios)
	require.NoError(t, err)
	const path = "../docs/conformance.md"
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(table(all, drivers)), 0o644))
	}
	got, err := os.ReadFile(path)
	require.NoError(t, err, "run go test ./conformance -run Table -update")
	require.Equal(t, table(all, drivers), string(got), "run go test ./conformance -run Table -update")
}
