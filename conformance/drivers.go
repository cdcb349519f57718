package conformance

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A driver lets one binding play the app.
type driver struct {
	name  string                                // the column in docs/conformance.md
	build func(folder string) ([]string, error) // makes the program and returns the command that starts it
}

var drivers = []driver{
	{"core", buildCore},
	{"C", buildC},
}

func buildCore(folder string) ([]string, error) {
	program := filepath.Join(folder, "core")
	return []string{program}, run("go", "build", "-o", program, "./drivers/core")
}

// buildC compiles the driver as a user of the library would.
func buildC(folder string) ([]string, error) {
	lib, err := filepath.Abs("../build/lib")
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(lib, "libtim.so")); err != nil {
		return nil, errors.New("build/lib has no libtim: run ./build.sh lib first")
	}
	program := filepath.Join(folder, "c")
	return []string{program}, run("cc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-I../include", "drivers/c/driver.c",
		"-o", program, "-L"+lib, "-ltim", "-Wl,-rpath,"+lib, "-pthread")
}

func run(command ...string) error {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
	}
	return nil
}
