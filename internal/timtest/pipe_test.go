package timtest

import (
	"io"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBothEndsMayWriteAtOnce(t *testing.T) {
	a, b := pipe()
	for _, end := range []net.Conn{a, b} {
		_, err := end.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	got := make([]byte, 1<<20)
	_, err := io.ReadFull(a, got)
	require.NoError(t, err)
}

func TestWhatWasWrittenBeforeACloseIsRead(t *testing.T) {
	a, b := pipe()
	_, err := a.Write([]byte("goodbye"))
	require.NoError(t, err)
	require.NoError(t, a.Close())
	got, err := io.ReadAll(b)
	require.NoError(t, err)
	require.Equal(t, "goodbye", string(got))
	_, err = b.Write([]byte("?"))
	require.ErrorIs(t, err, io.ErrClosedPipe)
	_, err = a.Read(got)
	require.ErrorIs(t, err, net.ErrClosed)
}

func TestAReadEndsAtItsDeadlineOrAtClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, _ := pipe()
		started := time.Now()
		require.NoError(t, a.SetDeadline(started.Add(time.Hour)))
		_, err := a.Read(make([]byte, 1))
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Hour, time.Since(started))

		require.NoError(t, a.SetReadDeadline(time.Time{}))
		time.AfterFunc(time.Second, func() { _ = a.Close() })
		_, err = a.Read(make([]byte, 1))
		require.ErrorIs(t, err, net.ErrClosed)
	})
}
