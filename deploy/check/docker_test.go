package check

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/linter"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/require"
)

// stages parses the Dockerfile as docker build does, with its linter's warnings.
func stages(t *testing.T) []instructions.Stage {
	t.Helper()
	f, err := os.Open("../Dockerfile")
	require.NoError(t, err)
	defer f.Close()
	tree, err := parser.Parse(f)
	require.NoError(t, err)
	require.Empty(t, tree.Warnings)
	lint := linter.New(&linter.Config{Warn: func(rule, _, _, message string, _ []parser.Range) { t.Errorf("%s: %s", rule, message) }})
	list, _, err := instructions.Parse(tree.AST, lint)
	require.NoError(t, err)
	return list
}

// build runs the Dockerfile's own build command here, and returns where the programs are.
func build(t *testing.T) string {
	t.Helper()
	for _, c := range stages(t)[0].Commands {
		run, ok := c.(*instructions.RunCommand)
		if !ok || !strings.Contains(run.CmdLine[0], "go build") {
			continue
		}
		dir := t.TempDir()
		cmd := exec.Command("sh", "-c", strings.ReplaceAll(run.CmdLine[0], "/out/", dir+"/"))
		cmd.Dir = "../.."
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "%s", out)
		return dir
	}
	t.Fatal("the Dockerfile builds nothing")
	return ""
}

func TestTheImageIsAStaticBinaryOnNothing(t *testing.T) {
	all := stages(t)
	require.Equal(t, "scratch", all[len(all)-1].BaseName)
	user := slices.IndexFunc(all[len(all)-1].Commands, func(c instructions.Command) bool { return c.Name() == "USER" })
	require.GreaterOrEqual(t, user, 0, "it runs as root")

	dir := build(t)
	for _, program := range []string{"timd", "tim"} {
		f, err := elf.Open(filepath.Join(dir, program))
		require.NoError(t, err)
		for _, p := range f.Progs {
			require.NotEqual(t, elf.PT_INTERP, p.Type, "%s wants a loader", program)
		}
		libraries, err := f.ImportedLibraries()
		require.NoError(t, err)
		require.Empty(t, libraries)
		require.NoError(t, f.Close())
	}
	timd := exec.Command(filepath.Join(dir, "timd"), "version")
	timd.Env = []string{}
	out, err := timd.CombinedOutput()
	require.NoError(t, err, "%s", out)

	// The configuration of the manifests is one that this timd takes.
	file := filepath.Join(dir, "timd.yaml")
	require.NoError(t, os.WriteFile(file, configOf(t), 0o600))
	out, err = exec.Command(filepath.Join(dir, "timd"), "config", "--config", file).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "nats://nats-0.nats:4222")
}

func TestComposeUnderstandsItsFile(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../compose.yaml"}, cli.WithConsistency(true), cli.WithResolvedPaths(true))
	require.NoError(t, err)
	project, err := options.LoadProject(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, []string{"timd-1", "timd-2", "timd-3", "nats-1", "nats-2", "nats-3", "postgres", "prometheus"}, project.ServiceNames())
	settings := settingNames(t)
	for _, s := range project.Services {
		for name := range s.Environment {
			if strings.HasPrefix(name, "TIMD_") && name != "TIMD_CONFIG" {
				require.Contains(t, settings, name, "timd has no such setting")
			}
		}
		for _, v := range s.Volumes {
			if v.Type == "bind" && !strings.HasSuffix(v.Source, "config") {
				require.FileExists(t, v.Source)
			}
		}
	}
}

// settingNames returns the variables that timd reads.
func settingNames(t *testing.T) (names []string) {
	t.Helper()
	cmd := exec.Command("go", "run", "./cmd/timd", "config")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	require.NoError(t, err)
	for line := range strings.Lines(string(out)) {
		name := strings.Fields(line)[0]
		names = append(names, "TIMD_"+strings.ToUpper(strings.ReplaceAll(name, ".", "_")))
	}
	return names
}
