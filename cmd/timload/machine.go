package main

import (
	"os"
	"runtime"
	"strings"
	"time"
)

// A machine is where figures were taken. Without it they mean nothing.
type machine struct {
	Event       string `json:"event"` // "machine"
	Time        string `json:"time"`
	Command     string `json:"command"`
	Cores       int    `json:"cores"`
	CPU         string `json:"cpu"`
	MemoryMB    int64  `json:"memory_mb"`
	Kernel      string `json:"kernel"`
	Go          string `json:"go"`
	Load        string `json:"load_average"` // over 1, 5 and 15 minutes, when the run began
	Descriptors uint64 `json:"descriptors"`  // open files that one process may have
}

func thisMachine(command string) machine {
	memory, _ := statusKiB(readText("/proc/meminfo"), "MemTotal") // 0 where there is no such file
	return machine{
		Event:       "machine",
		Time:        time.Now().UTC().Format(time.RFC3339),
		Command:     command,
		Cores:       runtime.NumCPU(),
		CPU:         cpuModel(readText("/proc/cpuinfo")),
		MemoryMB:    memory >> 20,
		Kernel:      strings.TrimSpace(readText("/proc/sys/kernel/osrelease")),
		Go:          runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
		Load:        loadAverage(),
		Descriptors: descriptorLimit(),
	}
}

// loadAverage says how busy the machine was, ours and everybody else's processes together.
func loadAverage() string {
	fields := strings.Fields(readText("/proc/loadavg"))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

func cpuModel(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func readText(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}
