package main

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

// TestMain lets the test's own program be started as a child: as timload.
func TestMain(m *testing.M) {
	if os.Getenv("TIMLOAD_CHILD") != "" {
		os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Setenv("TIMLOAD_CHILD", "1") // for children only: this process has looked already
	goleak.VerifyTestMain(m)
}

func TestChildrenAreGoneAfterKillAll(t *testing.T) {
	var f family
	var pids []int
	for range 3 {
		c, err := f.start("sleeper", exec.Command("sleep", "60"))
		require.NoError(t, err)
		pids = append(pids, c.pid())
	}
	f.killAll()
	for _, pid := range pids {
		require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH)
	}
	f.killAll() // of nobody
}

func TestAChildThatDiesInsteadOfServingSaysWhy(t *testing.T) {
	var f family
	defer f.killAll()
	addr, err := freeAddr()
	require.NoError(t, err)
	c, err := f.start("broken", exec.Command("sh", "-c", "echo the disk is full >&2; exit 3"))
	require.NoError(t, err)
	d, err := newDialer(addr, nil)
	require.NoError(t, err)
	err = c.awaitAnswer(t.Context(), d)
	require.ErrorContains(t, err, "the disk is full")
	require.ErrorContains(t, err, "exit status 3")
	c.kill() // a dead child
}

func TestAServerKeepsItsAddressOverRestarts(t *testing.T) {
	r := &rig{family: &family{}}
	defer r.family.killAll()
	s, err := r.bareServer()
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, s.start(t.Context()))
		l := newLink()
		require.NoError(t, l.open(t.Context(), s.dialer, s.request))
		l.hangUp()
		s.kill()
	}
}

func TestTheTailIsKept(t *testing.T) {
	var said tail
	for range 1000 {
		said.Write([]byte("0123456789"))
	}
	said.Write([]byte("the end"))
	require.Len(t, said.String(), tailSize)
	require.Regexp(t, "the end$", said.String())
}
