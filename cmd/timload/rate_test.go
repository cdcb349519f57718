package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestARoundThatIsTooShortForALoginWaitsForOne(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(400 * time.Millisecond) // longer than the round
		echo(w, r)
	}))
	defer s.Close()
	addr := s.Listener.Addr().String()
	d, err := newDialer(addr, nil)
	require.NoError(t, err)
	self, err := os.FindProcess(os.Getpid())
	require.NoError(t, err)
	frames, err := manyLogins(1)
	require.NoError(t, err)
	slow := &target{
		server:   &server{name: "slow", dialer: d, request: upgradeRequest(addr, "/", ""), child: &child{cmd: &exec.Cmd{Process: self}}},
		messages: asMessages(frames),
		check:    checkEcho,
	}
	got, err := slow.measure(t.Context(), rateOptions{workers: 1, duration: time.Millisecond})
	require.NoError(t, err)
	require.Positive(t, got.Rate)
	require.Positive(t, got.ServerCPU)
}
