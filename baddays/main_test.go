//go:build linux

package baddays

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	full   = flag.Bool("full", false, "wait as long as real days take, and write docs/bad-days.md")
	timd   string // the programs under test
	driver string
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "64") // days mostly wait
	dir, err := os.MkdirTemp("", "baddays")
	if err == nil {
		err = build(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "baddays:", err)
		os.Exit(1)
	}
	status := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(status)
}

// build makes timd, and the client as a user of the library would: the driver that tells the stories of conformance.
func build(dir string) error {
	timd, driver = filepath.Join(dir, "timd"), filepath.Join(dir, "driver")
	lib, err := filepath.Abs("../build/lib")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(lib, "libtim.so")); err != nil {
		return fmt.Errorf("build/lib has no libtim: run ./build.sh lib first: %w", err)
	}
	for _, command := range [][]string{
		{"go", "build", "-o", timd, "../cmd/timd"},
		{"cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I../include", "../conformance/drivers/c/driver.c", "-o", driver,
			"-L" + lib, "-ltim", "-Wl,-rpath," + lib, "-pthread"},
	} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
		}
	}
	return nil
}
