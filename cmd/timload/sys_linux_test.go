package main

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestCPUTimeIsThatOfTheProcess(t *testing.T) {
	var before, after unix.Timespec
	require.NoError(t, unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &before))
	cpu, err := cpuOf(os.Getpid())
	require.NoError(t, err)
	require.NoError(t, unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &after))
	require.GreaterOrEqual(t, cpu, time.Duration(before.Nano()))
	require.LessOrEqual(t, cpu, time.Duration(after.Nano()))
	_, err = cpuOf(1 << 28)
	require.Error(t, err, "no such process")
}
