package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	"github.com/stretchr/testify/require"
)

// Whatever stands in a configuration file, reading it ends with a configuration or with one error that names the file.
func FuzzConfigurationFile(f *testing.F) {
	for _, seed := range []string{
		"", "listen: :7700\ntls:\n  cert_file: /c\n  key_file: /k\napps:\n  - id: 5\n    key_file: /k\n    admins: [root]\n    zone: Asia/Shanghai\n",
		"limits: {connections: 5, logins_per_second: 1e400}", "grace: 1h1h\nping_interval: -5s", "a: &a [*a]", "apps: [{id: 1, id: 2}]",
		"listen: [1, {2: 3}]", "---\n---\n", "? [a]\n: b", "listen: !!binary aGVsbG8=", "apps: 7", "<<: {listen: x}", "\xff\xfe", "listen: |\n  a\n  b",
	} {
		f.Add(seed)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(dir, "timd.yaml")
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		flags := pflag.NewFlagSet("timd", pflag.ContinueOnError)
		flags.String("config", path, "")
		l, err := load(flags, nil)
		if err != nil {
			require.NotContains(t, err.Error(), "panic")
			require.NotEmpty(t, strings.TrimSpace(err.Error()))
			return
		}
		require.NotNil(t, l)
	})
}
