//go:build unix

package main

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

// refused runs a timd that must not start, and returns what it said.
func refused(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, timd, args...).CombinedOutput()
	require.Error(t, err)
	require.NoError(t, ctx.Err(), "it started: %s", out)
	return string(out)
}

func TestServeRefusesWhatItCannotServe(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), mode))
		return path
	}
	open, good, nothing := file("open.key", "key", 0o644), file("good.key", "key", 0o600), file("empty.key", "", 0o600)
	short := file("short.key", "# newest first\nlong enough for a key\nshort\n", 0o600)
	cert, key, other := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "other.pem")
	writeCertificate(t, cert, key, 1)
	writeKey(t, other)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = taken.Close() })
	app := []string{"--app", "5=" + good}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no app":             {nil, "timd dev"},
		"a key for all":      {[]string{"--app", "5=" + open}, "flag --app: apps: others can read the secret in " + open + " (mode 0644): chmod 600 " + open},
		"no key":             {[]string{"--app", "5=" + dir + "/nothing"}, "no such file"},
		"a folder of keys":   {[]string{"--app", "5=" + dir}, dir + " is a directory"},
		"an empty key":       {[]string{"--app", "5=" + nothing}, "there is no key in " + nothing},
		"no certificate":     {append(app, "--tls-cert-file", "/c", "--tls-key-file", "/k"), "flag --tls-cert-file: tls.cert_file: TLS certificate: open /c: no such file"},
		"another's key":      {append(app, "--tls-cert-file", cert, "--tls-key-file", other), "private key does not match public key"},
		"the files switched": {append(app, "--tls-cert-file", key, "--tls-key-file", cert), "inputs may have been switched"},
		"a taken port":       {append(app, "--listen", taken.Addr().String()), "flag --listen: listen: listen tcp " + taken.Addr().String() + ": bind: address already in use"},
		"a taken port for metrics": {
			append(app, "--metrics-listen", taken.Addr().String()), "flag --metrics-listen: metrics_listen: listen tcp " + taken.Addr().String() + ": bind",
		},
		"a file for data":  {append(app, "--data-dir", good), "flag --data-dir: data_dir: mkdir " + good + ": not a directory"},
		"the open network": {append(app, "--listen", ":0"), "refusing to serve in the clear"},
		"no database":      {append(app, "--store", "postgres://tim:hush@127.0.0.1:1/tim"), "flag --store: store: open store postgres://tim:xxxxx@127.0.0.1:1/tim"},
		"no resume key":    {append(app, "--registry", "nats://127.0.0.1:1", "--cluster-resume-key-file", "/nowhere"), "flag --cluster-resume-key-file: cluster.resume_key_file: stat /nowhere: no such file or directory; make it with: (umask"},
		"a short resume key": {
			append(app, "--registry", "nats://127.0.0.1:1", "--cluster-resume-key-file", short), "key 2 in " + short + " has 5 bytes, fewer than 16; make it with",
		},
		"NATS's key for all":        {append(app, "--registry", "nats://127.0.0.1:1", "--cluster-resume-key-file", key, "--cluster-credentials-file", open), "cluster.credentials_file: others can read"},
		"an authority that is none": {append(app, "--registry", "nats://127.0.0.1:1", "--cluster-resume-key-file", key, "--cluster-ca-file", good), "flag --registry: registry: registry on NATS: nats: failed to parse root certificate"},
		"a flag that is none":       {[]string{"--tls-cert", "c"}, "unknown flag: --tls-cert; did you mean --tls-cert-file? See timd serve --help"},
		"a flag like no other":      {[]string{"--frobnicate"}, "unknown flag: --frobnicate; see timd serve --help"},
		"a number in words":         {[]string{"--evict-rate", "few"}, "see timd serve --help"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"serve", "--data-dir", filepath.Join(t.TempDir(), "data"), "--listen", "127.0.0.1:0"}, c.args...)
			out := refused(t, args...)
			require.Contains(t, out, c.want)
			require.NotContains(t, out, "hush")
		})
	}
}

// Whoever looks at the usual port would find somebody else's server.
func TestDevSaysThatItHasAnotherPort(t *testing.T) {
	other, err := net.Listen("tcp", devListen)
	if err != nil {
		t.Skip("a program beside this test has the port, and may give it back at any moment: ", err)
	}
	t.Cleanup(func() { _ = other.Close() })
	var stderr lockedBuffer
	cmd := exec.Command(timd, "dev", "--json", "--data", t.TempDir())
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(stdout).ReadBytes('\n')
	require.NoError(t, err)
	var dev devServer
	require.NoError(t, json.Unmarshal(line, &dev))
	require.NotContains(t, dev.Endpoint, devListen)
	require.Eventually(t, func() bool { return strings.Contains(stderr.String(), devListen+" is taken") }, patience, time.Millisecond)
}

func writeKey(t *testing.T, file string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
}

// A node that cannot join does not wait in silence.
func TestANodeSaysThatItWaitsForNATSAndWhy(t *testing.T) {
	dir := prepareCluster(t)
	plain, err := natsserver.NewServer(&natsserver.Options{Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true})
	require.NoError(t, err)
	plain.Start()
	t.Cleanup(func() { plain.Shutdown(); plain.WaitForShutdown() })
	require.True(t, plain.ReadyForConnections(patience))
	for url, why := range map[string]string{
		"nats://tim:hush@127.0.0.1:1":     "connection refused",
		"nats://" + plain.Addr().String(): "is JetStream on? (nats-server -js)",
		startNATS(t):                      "that many replicas need as many nats-servers in one cluster",
	} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(timd, "serve", "--config", filepath.Join(dir, "timd.yaml"), "--listen", "127.0.0.1:0", "--data-dir", t.TempDir(),
				"--log-format", "json", "--registry", url, "--cluster-replicas", "3", "--cluster-resume-key-file", filepath.Join(dir, "resume.key"))
			stderr, err := cmd.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
			var line struct{ Msg, URL, Error string }
			for lines := bufio.NewScanner(stderr); line.Msg != "registry: waiting for NATS"; {
				require.True(t, lines.Scan())
				require.NoError(t, json.Unmarshal(lines.Bytes(), &line))
			}
			require.Contains(t, line.Error, why)
			require.NotContains(t, line.URL, "hush")
		})
	}
}
