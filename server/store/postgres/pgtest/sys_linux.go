package pgtest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

// who is an unprivileged user, for root, whom PostgreSQL refuses.
func who() (uid, gid int, err error) {
	for _, name := range []string{"postgres", "nobody"} {
		u, found := user.Lookup(name)
		if found != nil {
			err = found
			continue
		}
		uid, _ = strconv.Atoi(u.Uid) // numbers on Linux
		gid, _ = strconv.Atoi(u.Gid)
		return uid, gid, nil
	}
	return 0, 0, err
}

// unprivileged makes a command run as such a user, and die with this process.
func unprivileged(c *exec.Cmd) error {
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Setpgid: true}
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := who()
	c.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return err
}

// give lets that user have a directory.
func give(dir string) error {
	if os.Getuid() != 0 {
		return nil
	}
	uid, gid, err := who()
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, gid)
}

// children returns the processes that a process has started.
func children(pid int) []int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if err != nil {
		return nil
	}
	var all []int
	for _, word := range strings.Fields(string(text)) {
		if child, err := strconv.Atoi(word); err == nil {
			all = append(all, child)
		}
	}
	return all
}
