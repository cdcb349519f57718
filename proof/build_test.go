//go:build linux

package proof

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

var (
	seedFlag = flag.Uint64("proof.seed", 0, "the seed of the faults; 0 takes a new one")
	forFlag  = flag.Duration("proof.for", 0, "how long to break things; 0 is the quick set")
	binFlag  = flag.String("proof.bin", "", "a directory to build the programs in, and to find them again; empty is one that goes away")
)

// bin is where timd and nats-server are.
var bin string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	bin = *binFlag
	if bin == "" {
		dir, err := os.MkdirTemp("", "proof-bin-")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		bin = dir
	}
	if err := build(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	// The proxies leave some of their own behind.
	if err := goleak.Find(goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// build makes nats-server as its module has it, and timd with a clock that can be wrong. Otherwise that is the timd of
// everybody.
func build() error {
	overlay, err := wrongClock()
	if err != nil {
		return err
	}
	for program, args := range map[string][]string{
		"nats-server": {"github.com/nats-io/nats-server/v2"},
		"timd":        {"-overlay", overlay, "github.com/opentim/tim/cmd/timd"},
	} {
		args = append([]string{"build", "-o", filepath.Join(bin, program)}, args...)
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", program, err, out)
		}
	}
	return nil
}

// skewEnv is by how many seconds the clock of a timd is wrong.
const skewEnv = "TIM_PROOF_SKEW"

const skewSource = `package time

import "syscall"

// skew is added to the wall clock.
var skew = func() (seconds int64) {
	text, _ := syscall.Getenv("` + skewEnv + `")
	sign := int64(1)
	for i := range len(text) {
		if text[i] == '-' {
			sign = -1
		} else {
			seconds = 10*seconds + int64(text[i]-'0')
		}
	}
	return sign * seconds
}()
`

// wrongClock writes an overlay of the standard library whose time.Now is off. A Go program asks the kernel for the time
// without a library in between, so that none can be slipped in.
func wrongClock() (string, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", err
	}
	std := filepath.Join(strings.TrimSpace(string(root)), "src", "time")
	source, err := os.ReadFile(filepath.Join(std, "time.go"))
	if err != nil {
		return "", err
	}
	const line = "\tsec, nsec, mono := runtimeNow()\n"
	if n := strings.Count(string(source), line); n != 1 {
		return "", fmt.Errorf("time.Now of this Go has the line %q %d times, not once: it must be thought over how to make its clock wrong", line, n)
	}
	files := map[string]string{"time.go": strings.Replace(string(source), line, line+"\tsec += skew\n", 1), "skew.go": skewSource}
	overlay := map[string]string{}
	for name, text := range files {
		path := filepath.Join(bin, name+".overlay")
		overlay[filepath.Join(std, name)] = path
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": overlay})
	if err != nil {
		return "", err
	}
	path := filepath.Join(bin, "overlay.json")
	return path, os.WriteFile(path, data, 0o600)
}

// newSeed returns the seed of a test, and says it.
func newSeed(t *testing.T) uint64 {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed: -proof.seed=%d", seed)
	return seed
}
