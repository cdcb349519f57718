package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// writeCertificate makes a self-signed certificate with a serial number.
func writeCertificate(t *testing.T, certFile, keyFile string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600))
	at := time.Unix(1e9+serial, 0) // files written within one tick of the file system differ
	require.NoError(t, os.Chtimes(certFile, at, at))
}

func TestANewCertificateIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
		writeCertificate(t, certFile, keyFile, 1)
		var log bytes.Buffer
		config, err := tlsConfig(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)))
		require.NoError(t, err)
		serial := func() int64 {
			cert, err := config.GetCertificate(&tls.ClientHelloInfo{})
			require.NoError(t, err)
			return cert.Leaf.SerialNumber.Int64()
		}
		require.Equal(t, int64(1), serial())

		writeCertificate(t, certFile, keyFile, 2)
		require.Equal(t, int64(1), serial(), "not looked at every time")
		time.Sleep(recheck + time.Second)
		require.Equal(t, int64(2), serial())

		require.NoError(t, os.WriteFile(certFile, []byte("half"), 0o600))
		time.Sleep(recheck + time.Second)
		require.Equal(t, int64(2), serial(), "the old one stays")
		require.Contains(t, log.String(), "the old one stays")

		log.Reset()
		writeCertificate(t, certFile, keyFile, 3)
		require.NoError(t, os.Chmod(keyFile, 0o644))
		time.Sleep(recheck + time.Second)
		require.Equal(t, int64(2), serial(), "others can read the new key")
		require.Contains(t, log.String(), "chmod 600")
	})
}

func TestATLSKeyThatOthersCanReadIsRefused(t *testing.T) {
	certFile, keyFile := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	writeCertificate(t, certFile, keyFile, 1)
	require.NoError(t, os.Chmod(keyFile, 0o640))
	_, err := tlsConfig(certFile, keyFile, slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "others can read the secret in "+keyFile)
}

func TestACertificateThatIsNoneIsRefusedAtTheStart(t *testing.T) {
	_, err := tlsConfig("/nowhere/cert.pem", "/nowhere/key.pem", slog.New(slog.DiscardHandler))
	require.ErrorContains(t, err, "TLS certificate")
}
