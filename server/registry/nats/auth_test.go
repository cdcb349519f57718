package nats_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"
	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/server"
	"github.com/opentim/tim/server/registry/nats"
)

// works reports whether a node can join with o within that time, and keep something there.
func works(t *testing.T, within time.Duration, o nats.Options) error {
	t.Helper()
	r := open(t, o)
	if err := join(r, within); err != nil {
		return err
	}
	r.BePatient(5 * time.Second)
	return r.Update(ctx, key("alice"), func([]server.Session) ([]server.Session, error) { return []server.Session{aSession}, nil })
}

func serve(t *testing.T, o *natsserver.Options) *natsserver.Server {
	t.Helper()
	o.Host, o.Port, o.JetStream, o.StoreDir, o.NoSigs, o.NoLog = "127.0.0.1", natsserver.RANDOM_PORT, true, t.TempDir(), true, true
	s, err := natsserver.NewServer(o)
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { stopServer(s) })
	require.True(t, s.ReadyForConnections(time.Minute))
	return s
}

func TestAPasswordOrATokenInTheURL(t *testing.T) {
	t.Parallel()
	s := serve(t, &natsserver.Options{Username: "tim", Password: "hush"})
	addr := s.Addr().String()
	require.NoError(t, works(t, time.Minute, nats.Options{URL: "nats://tim:hush@" + addr, Cluster: newCluster()}))
	err := works(t, 3*time.Second, nats.Options{URL: "nats://tim:wrong@" + addr, Cluster: newCluster()})
	require.ErrorContains(t, err, "Authorization")
	require.NotContains(t, err.Error(), "wrong")

	s = serve(t, &natsserver.Options{Authorization: "a-token"})
	require.NoError(t, works(t, time.Minute, nats.Options{URL: "nats://a-token@" + s.Addr().String(), Cluster: newCluster()}))
}

func TestTLSWithAnAuthorityAndACertificateOfOurs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ca := newAuthority(t, dir)
	serverCert, serverKey := ca.issue(t, "server")
	clientCert, clientKey := ca.issue(t, "client")
	config, err := natsserver.GenTLSConfig(&natsserver.TLSConfigOpts{
		CertFile: serverCert, KeyFile: serverKey, CaFile: ca.file, Verify: true,
	})
	require.NoError(t, err)
	config.MinVersion = tls.VersionTLS12
	s := serve(t, &natsserver.Options{TLSConfig: config, TLSVerify: true})
	url := "tls://" + s.Addr().String()
	require.NoError(t, works(t, time.Minute, nats.Options{URL: url, Cluster: newCluster(), CAFile: ca.file, CertFile: clientCert, KeyFile: clientKey}))
	require.Error(t, works(t, 3*time.Second, nats.Options{URL: url, Cluster: newCluster(), CAFile: ca.file}), "without a certificate")
	err = works(t, 3*time.Second, nats.Options{URL: url, Cluster: newCluster(), CertFile: clientCert, KeyFile: clientKey})
	require.ErrorContains(t, err, "certificate signed by unknown authority")
}

// A credentials file as nsc makes it: a user's JWT, signed by an account that an operator signed, and the user's key.
func TestACredentialsFile(t *testing.T) {
	t.Parallel()
	operator, err := nkeys.CreateOperator()
	require.NoError(t, err)
	account, err := nkeys.CreateAccount()
	require.NoError(t, err)
	system, err := nkeys.CreateAccount()
	require.NoError(t, err)
	public := func(k nkeys.KeyPair) string {
		p, err := k.PublicKey()
		require.NoError(t, err)
		return p
	}
	operatorClaims := jwt.NewOperatorClaims(public(operator))
	resolver := &natsserver.MemAccResolver{}
	for _, k := range []nkeys.KeyPair{account, system} {
		c := jwt.NewAccountClaims(public(k))
		if k == account {
			c.Limits.JetStreamLimits = jwt.JetStreamLimits{MemoryStorage: -1, DiskStorage: -1, Streams: -1, Consumer: -1}
		}
		token, err := c.Encode(operator)
		require.NoError(t, err)
		require.NoError(t, resolver.Store(public(k), token))
	}
	s := serve(t, &natsserver.Options{
		TrustedOperators: []*jwt.OperatorClaims{operatorClaims}, AccountResolver: resolver, SystemAccount: public(system),
	})
	user, err := nkeys.CreateUser()
	require.NoError(t, err)
	token, err := jwt.NewUserClaims(public(user)).Encode(account)
	require.NoError(t, err)
	seed, err := user.Seed()
	require.NoError(t, err)
	creds, err := jwt.FormatUserConfig(token, seed)
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "tim.creds")
	require.NoError(t, os.WriteFile(file, creds, 0o600))

	url := "nats://" + s.Addr().String()
	require.NoError(t, works(t, time.Minute, nats.Options{URL: url, Cluster: newCluster(), CredentialsFile: file}))
	require.ErrorContains(t, works(t, 3*time.Second, nats.Options{URL: url, Cluster: newCluster()}), "Authorization")
}

// An authority signs certificates for 127.0.0.1.
type authority struct {
	dir, file string
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, dir string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	a := &authority{dir: dir, file: filepath.Join(dir, "ca.pem"), key: key, cert: &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	a.sign(t, a.cert, key, a.file)
	return a
}

func (a *authority) issue(t *testing.T, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(a.dir, name+".pem"), filepath.Join(a.dir, name+".key")
	a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(2), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key, certFile)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	return certFile, keyFile
}

func (a *authority) sign(t *testing.T, c *x509.Certificate, key *ecdsa.PrivateKey, file string) {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
}
