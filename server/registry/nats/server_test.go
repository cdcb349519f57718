package nats_test

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/opentim/tim/server/registry/nats"
)

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		runChild()
		return
	}
	flag.Parse()
	if flag.Lookup("test.parallel").Value.String() == fmt.Sprint(runtime.GOMAXPROCS(0)) {
		_ = flag.Set("test.parallel", "6") // stories mostly wait
	}
	goleak.VerifyTestMain(m)
}

// startServer starts a NATS server in this process. Port 0 means any.
func startServer(t testing.TB, port int) *natsserver.Server {
	t.Helper()
	if port == 0 {
		port = natsserver.RANDOM_PORT
	}
	s, err := natsserver.NewServer(&natsserver.Options{
		Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true,
	})
	require.NoError(t, err)
	s.Start()
	require.True(t, s.ReadyForConnections(time.Minute), "the NATS server does not start")
	t.Cleanup(func() { stopServer(s) })
	return s
}

func stopServer(s *natsserver.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

var clusters atomic.Int32

// newCluster returns a name that no other test has.
func newCluster() string { return fmt.Sprintf("test-%d", clusters.Add(1)) }

func open(t testing.TB, o nats.Options) *nats.Registry {
	t.Helper()
	o.Logger = slog.New(slog.NewTextHandler(testLog{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	r, err := nats.Open(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = r.Close() })
	return r
}

type testLog struct{ t testing.TB }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Logf("%s", p)
	return len(p), nil
}
