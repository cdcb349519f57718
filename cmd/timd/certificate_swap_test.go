//go:build unix

package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// The files are replaced at the worst moment: the old ones have been read, and nobody has looked yet at how old they are.
func TestACertificateThatIsReplacedWhileTheOldOneIsReadIsNoticed(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile, old := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "old.pem")
	writeCertificate(t, certFile, old, 1)
	key, err := os.ReadFile(old)
	require.NoError(t, err)
	require.NoError(t, syscall.Mkfifo(keyFile, 0o600)) // who reads it waits until somebody writes
	type loaded struct {
		config *tls.Config
		err    error
	}
	done := make(chan loaded, 1)
	go func() {
		config, err := tlsConfig(certFile, keyFile, slog.New(slog.DiscardHandler))
		done <- loaded{config, err}
	}()
	pipe, err := os.OpenFile(keyFile, os.O_WRONLY, 0) // returns when the certificate was read, and the key is asked for
	require.NoError(t, err)
	require.NoError(t, os.Remove(keyFile))
	writeCertificate(t, certFile, keyFile, 2)
	_, err = pipe.Write(key)
	require.NoError(t, err)
	require.NoError(t, pipe.Close())

	got := <-done
	require.NoError(t, got.err)
	cert, err := got.config.GetCertificate(&tls.ClientHelloInfo{})
	require.NoError(t, err)
	require.EqualValues(t, 2, cert.Leaf.SerialNumber.Int64())
}
