package webhook

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const childPath = "WEBHOOK_TEST_CHILD" // the queue that a child is to fill

// child puts changes into a queue whose receiver is away, says how many are on disk, and goes on until it is killed.
func child() {
	w, err := Open(context.Background(), Options{
		Path: os.Getenv(childPath), Receivers: map[uint64]Receiver{app: {URL: "http://127.0.0.1:1"}}, RetryMin: time.Hour, RetryMax: time.Hour,
	})
	if err != nil {
		panic(err)
	}
	for i := uint64(1); ; i++ {
		for w.Stats().Waiting < int(i-1) { // the one before is durable
			time.Sleep(time.Millisecond)
		}
		fmt.Println(i - 1)
		w.Changed(login("alice", i))
	}
}

func TestWhatWasOnDiskIsDeliveredAfterTheProcessWasKilled(t *testing.T) {
	path := file(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childPath+"="+path)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	said := bufio.NewScanner(out)
	durable := 0
	for durable < 50 && said.Scan() {
		_, err := fmt.Sscan(said.Text(), &durable)
		require.NoError(t, err)
	}
	require.NoError(t, cmd.Process.Kill())
	for said.Scan() {
		_, _ = fmt.Sscan(said.Text(), &durable)
	}
	_ = cmd.Wait()
	require.GreaterOrEqual(t, durable, 50)

	b := newBackend(t, nil)
	w, _ := open(t, path, b.URL)
	drained(t, w)
	got := b.revisions("alice")
	require.GreaterOrEqual(t, len(got), durable)
	require.True(t, slices.IsSorted(got), "%v", got)
	require.Len(t, slices.Compact(got), len(got))
	require.Equal(t, uint64(1), got[0])
	require.Equal(t, uint64(len(got)), got[len(got)-1])
}
