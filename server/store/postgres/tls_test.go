//go:build unix

package postgres

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server/store"
	"github.com/opentim/tim/server/store/postgres/pgtest"
)

// certify writes a certificate for localhost, signed by itself, and its key.
func certify(t *testing.T, certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "a test"}, NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	}
}

func TestAURLWithTLSChecksTheServer(t *testing.T) {
	settings := map[string]string{}
	s := pgtest.Start(t, pgtest.Options{Settings: settings})
	cert, key := filepath.Join(s.Dir(), "server.crt"), filepath.Join(s.Dir(), "server.key")
	certify(t, cert, key)
	of, err := os.Stat(s.Dir())
	require.NoError(t, err)
	owner := of.Sys().(*syscall.Stat_t)
	for _, file := range []string{cert, key} {
		require.NoError(t, os.Chown(file, int(owner.Uid), int(owner.Gid)))
	}
	settings["ssl"], settings["ssl_cert_file"], settings["ssl_key_file"] = "on", cert, key
	require.NoError(t, s.Stop())
	require.NoError(t, s.Run())

	other := filepath.Join(t.TempDir(), "other.crt")
	certify(t, other, other+".key")
	at := func(host, query string) string {
		return "postgres://tim@" + net.JoinHostPort(host, strconv.Itoa(s.Port())) + "/postgres?" + query
	}
	_, err = Open(t.Context(), at("localhost", "sslmode=verify-full&sslrootcert="+other), store.Options{})
	require.ErrorContains(t, err, "certificate")
	_, err = Open(t.Context(), at("127.0.0.1", "sslmode=verify-full&sslrootcert="+cert), store.Options{})
	require.ErrorContains(t, err, "certificate", "it is for another name")

	tim := openStore(t, at("localhost", "sslmode=verify-full&sslrootcert="+cert))
	_, err = tim.Arrive(t.Context(), alice, today, nil)
	require.NoError(t, err)
	conn := connection(t, s.URL())
	defer conn.Close(t.Context())
	var encrypted, plain int
	require.NoError(t, conn.QueryRow(t.Context(), `SELECT count(*) FILTER (WHERE ssl), count(*) FILTER (WHERE NOT ssl)
		FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'tim'`).Scan(&encrypted, &plain))
	require.Positive(t, encrypted)
	require.Zero(t, plain)
}
