//go:build !linux

package main

import (
	"errors"
	"syscall"
	"time"
)

// Elsewhere timload builds but cannot measure: it reads /proc, and says so when it does not find it.

func descriptorLimit() uint64 { return 0 }

func freeSpace(string) (uint64, error) { return 0, errors.New("free space is read on Linux only") }

func lateBinding(_, _ string, _ syscall.RawConn) error { return nil }

func childAttributes() *syscall.SysProcAttr { return nil }

func cpuOf(int) (time.Duration, error) { return 0, errors.New("CPU times are read on Linux only") }
