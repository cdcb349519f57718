package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestEveryTestRunsAndLeavesNothing runs each subcommand against a real timd, as briefly as it goes.
func TestEveryTestRunsAndLeavesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("builds timd and runs it")
	}
	t.Setenv("TMPDIR", t.TempDir())
	root, err := moduleRoot(t.Context())
	require.NoError(t, err)
	timd := filepath.Join(t.TempDir(), "timd")
	require.NoError(t, goBuild(t.Context(), root, timd, "./cmd/timd"))

	for _, c := range []struct {
		line    string
		figures []string
	}{
		{"rate --duration=200ms --users=50 --workers=4 --frames --centrifuge=false", []string{
			"rate_tim", "rate_bare", "rate_vs_bare", "cpu_vs_bare", "cpu_vs_tim_frames", "frames_cpu_vs_bare",
		}},
		{"sizes --duration=200ms --accounts=50,1000 --workers=4", []string{
			"rate_50", "rate_1k", "rate_1k_vs_50", "cpu_1k_vs_50", "quiet_1k_vs_50", "rss_1k",
		}},
		{"hold --connections=20 --hold=100ms", []string{"bytes_tim", "bytes_tim_tls", "bytes_bare"}},
		{"storm --connections=20", []string{"back_p99_windows", "login_p99", "peak_vs_steady"}},
		{"kick --pairs=5 --workers=2 --users=10", []string{"p99_idle", "p99_busy"}},
		{"crash --accounts=50 --callers=4", []string{"kills", "acknowledged", "lost"}},
	} {
		t.Run(strings.Fields(c.line)[0], func(t *testing.T) {
			var out, log bytes.Buffer
			code := run(append(strings.Fields(c.line), "--rounds=2", "--timd="+timd), &out, &log)
			require.Zero(t, code, log.String())

			lines := bytes.Split(bytes.TrimSpace(out.Bytes()), []byte("\n"))
			require.Len(t, lines, 4, "the machine, two rounds, the summary:\n%s", out.String())
			var s summary
			require.NoError(t, json.Unmarshal(lines[3], &s))
			for _, name := range c.figures {
				require.True(t, taken(s, name), "%s in %s", name, lines[3])
			}
			require.Empty(t, children(t), "processes are left")
			left, err := os.ReadDir(os.TempDir())
			require.NoError(t, err)
			require.Empty(t, left, "files are left")
		})
	}
}

func taken(s summary, name string) bool {
	for _, f := range s.Figures {
		if f.Name == name {
			return f.Rounds > 0
		}
	}
	return false
}

func TestAnInterruptEndsTheServers(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a second")
	}
	deaf := filepath.Join(t.TempDir(), "timd")
	require.NoError(t, os.WriteFile(deaf, []byte("#!/bin/sh\nexec sleep 60\n"), 0o700))
	var log bytes.Buffer
	done := make(chan int)
	go func() { done <- run([]string{"kick", "--users=1", "--timd=" + deaf}, &bytes.Buffer{}, &log) }()
	require.Eventually(t, func() bool { return len(children(t)) > 0 }, time.Minute, time.Millisecond)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGINT))
	require.Equal(t, 1, <-done, log.String())
	require.Empty(t, children(t))
}

func TestMistakesAreToldBeforeAnythingStarts(t *testing.T) {
	for line, want := range map[string]string{
		"rate --rounds 0 --users=0":       "--rounds 0: it takes 1 to 100\n--users 0: it takes 1 to 100000",
		"sizes --accounts 0":              "--accounts 0: it takes 1 to 100000000",
		"storm --connections=200000":      "--connections 200000",
		"hold --hold=1h":                  "--hold 1h0m0s: it takes 100ms to 5m0s",
		"kick --goal=speed=9":             "p99_idle, p99_busy",
		"crash --callers=-1":              "--callers -1",
		"rate 127.0.0.1:80":               "unknown command",
		"bare --listen=198.51.100.1:8000": "not a loopback address",
	} {
		var out, log bytes.Buffer
		require.Equal(t, 1, run(strings.Fields(line), &out, &log), line)
		require.Contains(t, log.String(), want, line)
		require.Empty(t, out.String(), line)
	}
}

func TestHelpTeaches(t *testing.T) {
	for _, name := range []string{"rate", "sizes", "hold", "storm", "kick", "crash"} {
		var out bytes.Buffer
		require.Zero(t, run([]string{name, "--help"}, &out, &out))
		for _, part := range []string{"Examples:", "Goals, for the median", "--rounds", "--check"} {
			require.Contains(t, out.String(), part, name)
		}
	}
}

// children returns the processes that this one started and that are not gone.
func children(t *testing.T) (pids []string) {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	for _, path := range stats {
		text := readText(path) // empty if it has ended meanwhile
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		if len(fields) > 1 && fields[1] == fmt.Sprint(os.Getpid()) {
			pids = append(pids, text)
		}
	}
	return pids
}
