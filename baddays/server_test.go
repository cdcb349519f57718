//go:build linux

package baddays

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opentim/tim/usersig"
)

const (
	app      = 1400000001
	appKey   = "the key of an app that exists on bad days only"
	hostName = "tim.test"
)

// A server is a timd. It can be ended and started again, with the same accounts and keys.
type server struct {
	t        *testing.T
	dir      string
	at       *place
	listen   string
	args     []string
	cmd      *exec.Cmd
	endpoint string // as it says itself
}

// newServer starts a timd; with TLS if the files of a certificate are given.
func newServer(t *testing.T, at *place, listen string, cert *certificate) *server {
	t.Helper()
	dir, err := os.MkdirTemp("", "timd") // t.TempDir has the day's name in it, and that may have a comma
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s := &server{t: t, dir: dir, at: at, listen: listen}
	key := filepath.Join(s.dir, "app.key")
	require.NoError(t, os.WriteFile(key, []byte(appKey), 0o600))
	s.args = []string{"--app", fmt.Sprintf("%d=%s", app, key), "--data-dir", s.dir, "--log-format", "json", "--ping-interval", pings().String()}
	if cert != nil {
		s.args = append(s.args, "--tls-cert-file", cert.file, "--tls-key-file", cert.keyFile)
	}
	s.start()
	t.Cleanup(s.kill)
	return s
}

func (s *server) start() {
	s.t.Helper()
	s.cmd = exec.Command(timd, append([]string{"serve", "--listen", s.listen}, s.args...)...)
	stderr, err := s.cmd.StderrPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, s.at.start(s.cmd))
	lines := bufio.NewScanner(stderr)
	said := ""
	for s.endpoint = ""; s.endpoint == "" && lines.Scan(); said += lines.Text() + "\n" {
		var line struct{ Endpoint string }
		_ = json.Unmarshal(lines.Bytes(), &line)
		s.endpoint = line.Endpoint
	}
	require.NotEmpty(s.t, s.endpoint, "timd does not serve: %s", said)
	go func() {
		for lines.Scan() { // so that its pipe never fills
		}
	}()
}

func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// address is where it listens.
func (s *server) address() string {
	_, host, _ := strings.Cut(strings.TrimSuffix(s.endpoint, "/tim"), "://")
	return host
}

// ended waits until a server that was told to stop has done so.
func (s *server) ended() {
	late := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	defer late.Stop()
	require.NoError(s.t, s.cmd.Wait())
}

// restart is a kill, and a start at once.
func (s *server) restart() {
	s.kill()
	s.start()
}

func (s *server) signal(signal syscall.Signal) { require.NoError(s.t, s.cmd.Process.Signal(signal)) }

func ticketOf(t *testing.T, user string, lasts time.Duration) string {
	t.Helper()
	ticket, err := usersig.Sign(app, appKey, user, lasts)
	require.NoError(t, err)
	return ticket
}

// A certificate is one of the test's own authority, in files.
type certificate struct {
	t                 *testing.T
	ca                *x509.Certificate
	caKey             *ecdsa.PrivateKey
	caFile            string // what a client trusts
	file, keyFile     string
	number            int64 // of the one that was issued last
	names             []string
	notBefore, expiry time.Time
}

func newCertificate(t *testing.T) *certificate {
	t.Helper()
	dir := t.TempDir()
	c := &certificate{
		t: t, caFile: filepath.Join(dir, "ca.pem"), file: filepath.Join(dir, "cert.pem"), keyFile: filepath.Join(dir, "key.pem"),
		names: []string{hostName}, notBefore: time.Now().Add(-48 * time.Hour), expiry: time.Now().Add(24 * time.Hour),
	}
	var err error
	c.caKey, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	c.ca = &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "bad days"}, NotBefore: c.notBefore,
		NotAfter: time.Now().Add(48 * time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	c.write(c.caFile, "CERTIFICATE", c.sign(c.ca, &c.caKey.PublicKey))
	c.issue()
	return c
}

func (c *certificate) sign(template *x509.Certificate, key *ecdsa.PublicKey) []byte {
	der, err := x509.CreateCertificate(rand.Reader, template, c.ca, key, c.caKey)
	require.NoError(c.t, err)
	return der
}

func (c *certificate) write(file, kind string, der []byte) {
	require.NoError(c.t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// issue makes the server's certificate, as its fields say now. A server reads it within a second.
func (c *certificate) issue() {
	c.number++
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(c.t, err)
	der := c.sign(&x509.Certificate{
		SerialNumber: big.NewInt(c.number), Subject: pkix.Name{CommonName: c.names[0]}, DNSNames: c.names,
		IPAddresses: []net.IP{net.ParseIP(serverIP), net.ParseIP("127.0.0.1")}, NotBefore: c.notBefore, NotAfter: c.expiry,
	}, &key.PublicKey)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(c.t, err)
	c.write(c.keyFile, "PRIVATE KEY", secret)
	c.write(c.file, "CERTIFICATE", der)
}

// shown waits until the server at address shows what was issued last. It is asked from its own place.
func (c *certificate) shown(at *place, address string) {
	c.t.Helper()
	require.Eventually(c.t, func() (same bool) {
		return at.do(func() error {
			conn, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true})
			if err != nil {
				return err
			}
			defer conn.Close()
			if n := conn.ConnectionState().PeerCertificates[0].SerialNumber; n.Int64() != c.number {
				return fmt.Errorf("it shows number %d", n)
			}
			return nil
		}) == nil
	}, time.Minute, 50*time.Millisecond)
}
