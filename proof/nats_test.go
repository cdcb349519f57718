//go:build linux

package proof

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// startNATS starts a cluster of nats-servers, or one that is alone, and returns where they listen.
func startNATS(t testing.TB, dir string, n int) (servers []*process, addrs []string) {
	t.Helper()
	all := freeAddrs(t, 2*n)
	addrs, routes := all[:n], all[n:]
	for i := range n {
		config := fmt.Sprintf("server_name: nats-%d\nlisten: %q\njetstream {store_dir: %q}\n", i, addrs[i], filepath.Join(dir, fmt.Sprint("jetstream-", i)))
		if n > 1 {
			// Nodes reach a server through their own wires only: it must not tell them where the others are.
			config += fmt.Sprintf("cluster {name: proof, listen: %q, no_advertise: true, routes: [nats://%s]}\n", routes[i], strings.Join(routes, ", nats://"))
		}
		file := filepath.Join(dir, fmt.Sprintf("nats-%d.conf", i))
		require.NoError(t, os.WriteFile(file, []byte(config), 0o600))
		p := newProcess(t, dir, fmt.Sprint("nats-", i),
			func() *exec.Cmd { return exec.Command(filepath.Join(bin, "nats-server"), "-c", file) },
			func() error { return accepts(addrs[i]) })
		require.NoError(t, p.start())
		servers = append(servers, p)
	}
	return servers, addrs
}
