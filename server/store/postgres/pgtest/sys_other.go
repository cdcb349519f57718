//go:build unix && !linux

package pgtest

import "os/exec"

func unprivileged(*exec.Cmd) error { return nil }
func give(string) error            { return nil }
func children(int) []int           { return nil }
