package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBusyTimeIsAllButWaiting(t *testing.T) {
	busy, err := parseBusy("cpu  100 20 30 9999 8888 4 5 6 70 7\ncpu0 1 2 3\n")
	require.NoError(t, err)
	require.Equal(t, (100+20+30+4+5+6)*clockTick, busy)
	for _, broken := range []string{"", "cpu 1 2 3\n", "cpu0 1 2 3 4 5 6 7 8 9 10\n", "cpu 1 2 x 4 5 6 7 8 9 10\n"} {
		_, err := parseBusy(broken)
		require.Error(t, err, broken)
	}
}

func TestMemoryIsReadFromStatus(t *testing.T) {
	m, err := parseMemory("Name:\ttimd\nVmHWM:\t   23456 kB\nVmRSS:\t   12345 kB\nVmData:\t1 kB\n")
	require.NoError(t, err)
	require.Equal(t, memory{now: 12345 << 10, peak: 23456 << 10}, m)
	_, err = parseMemory("Name:\tkthreadd\n")
	require.ErrorContains(t, err, "VmRSS", "a zombie has no memory")
	_, err = parseMemory("VmHWM:\tmuch kB\nVmRSS:\t1 kB\n")
	require.ErrorContains(t, err, "VmHWM")
}

func TestThisProcessHasTimeAndMemory(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("no /proc here")
	}
	before, err := cpuOf(os.Getpid())
	require.NoError(t, err)
	after := before
	for began := time.Now(); after == before && time.Since(began) < time.Minute; { // a busy machine may give us no turn for long
		after, err = cpuOf(os.Getpid())
		require.NoError(t, err)
	}
	require.Greater(t, after, before)

	m, err := memoryOf(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, m.now, int64(1<<20))
	require.GreaterOrEqual(t, m.peak, m.now)
}

func TestCPUModelIsTheFirstOne(t *testing.T) {
	require.Equal(t, "Z80 at 4 MHz", cpuModel("processor\t: 0\nmodel name\t: Z80 at 4 MHz\nmodel name\t: other\n"))
	require.Equal(t, "unknown", cpuModel("Processor : ARM\n"))
}
