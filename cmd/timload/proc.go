package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// clockTick is the unit of CPU time in /proc/stat. Linux shows it to programs as 100 per second on every architecture.
const clockTick = 10 * time.Millisecond

// busyTime returns the CPU time that all processes and the kernel have used since the machine started.
func busyTime() (time.Duration, error) {
	data, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(string(data))
}

// parseBusy adds up the first line of /proc/stat without the time in which a CPU was idle or waited for a disk, and without
// that of guests, which is in the others already.
func parseBusy(stat string) (time.Duration, error) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	const idle, waiting, guests = 4, 5, 9
	if len(fields) <= guests || fields[0] != "cpu" {
		return 0, fmt.Errorf("no CPU times in stat %q", line)
	}
	var ticks uint64
	for i, f := range fields[:guests] {
		if i == 0 || i == idle || i == waiting {
			continue
		}
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("CPU time in stat: %w", err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// A memory is what a process occupies, in bytes.
type memory struct {
	now  int64 // VmRSS
	peak int64 // VmHWM, since the process started
}

func memoryOf(pid int) (memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	return parseMemory(string(data))
}

func parseMemory(status string) (memory, error) {
	now, err := statusKiB(status, "VmRSS")
	if err != nil {
		return memory{}, err
	}
	peak, err := statusKiB(status, "VmHWM")
	return memory{now: now, peak: peak}, err
}

func statusKiB(status, name string) (int64, error) {
	for line := range strings.Lines(status) {
		rest, found := strings.CutPrefix(line, name+":")
		if !found {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("%s in status: %w", name, err)
		}
		return n << 10, nil
	}
	return 0, fmt.Errorf("no %s in status", name)
}
