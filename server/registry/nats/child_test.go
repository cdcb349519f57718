package nats_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
)

// childEnv makes this test binary a NATS server, so that one can be killed.
const childEnv = "TIM_TEST_NATS_SERVER"

type childOptions struct {
	Name, StoreDir string
	Route          int   // port; 0 for a server that is alone
	Routes         []int // of all
}

// runChild serves until its standard input ends, as it does when the test dies. To each line it answers what it did so far.
func runChild() {
	var o childOptions
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &o); err != nil {
		panic(err)
	}
	options := &natsserver.Options{
		ServerName: o.Name, Host: "127.0.0.1", Port: natsserver.RANDOM_PORT, JetStream: true, StoreDir: o.StoreDir,
		NoSigs: true, NoLog: true,
	}
	if o.Route != 0 {
		options.Cluster = natsserver.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: o.Route}
		for _, port := range o.Routes {
			options.Routes = append(options.Routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
		}
	}
	s, err := natsserver.NewServer(options)
	if err != nil {
		panic(err)
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		panic("the NATS server does not start")
	}
	fmt.Println(s.ClientURL())
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		v, err := s.Varz(nil)
		if err != nil {
			panic(err)
		}
		_ = json.NewEncoder(os.Stdout).Encode(usage{cpu(), v.InMsgs + v.OutMsgs})
	}
}

// A usage is what a process took so far.
type usage struct {
	CPU      time.Duration
	Messages int64 // that a server received or sent
}

// cpu returns what this process took of the processors.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A child is a NATS server in a process of its own.
type child struct {
	*os.Process
	url string
	in  io.Writer
	out *bufio.Reader
}

func (c child) usage(t testing.TB) (u usage) {
	t.Helper()
	_, err := fmt.Fprintln(c.in)
	require.NoError(t, err)
	line, err := c.out.ReadBytes('\n')
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(line, &u))
	return u
}

// startChildren starts a cluster, or one server that is alone.
func startChildren(t testing.TB, n int) []child {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	var routes []int
	if n > 1 {
		routes = freePorts(t, n)
	}
	var started []func() child
	for i := range n {
		o := childOptions{Name: fmt.Sprintf("nats-%d", i), StoreDir: t.TempDir(), Routes: routes}
		if n > 1 {
			o.Route = routes[i]
		}
		env, err := json.Marshal(o)
		require.NoError(t, err)
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), childEnv+"="+string(env))
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		require.NoError(t, err)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		t.Cleanup(func() {
			_ = in.Close()
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		started = append(started, func() child {
			said := bufio.NewReader(out)
			line, err := said.ReadString('\n')
			require.NoError(t, err, "the NATS server of %s", env)
			return child{cmd.Process, strings.TrimSpace(line), in, said}
		})
	}
	var all []child
	for _, wait := range started {
		all = append(all, wait())
	}
	return all
}

func urls(all []child) string {
	var list []string
	for _, c := range all {
		list = append(list, c.url)
	}
	return strings.Join(list, ",")
}

// freePorts returns ports that nobody listens on now. The kernel gives them to nobody who asks for any, and no other test asks for
// them: they are free, too, while a server restarts.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	const first, all = 14_000, 3_000
	var ports []int
	for range all {
		if len(ports) == n {
			return ports
		}
		port := first + int(lastPort.Add(1)%all)
		if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			require.NoError(t, l.Close())
			ports = append(ports, port)
		}
	}
	require.Len(t, ports, n, "free ports from %d on", first)
	return ports
}

var lastPort atomic.Uint32

func init() { lastPort.Store(rand.Uint32()) } // another run beside this one begins elsewhere
