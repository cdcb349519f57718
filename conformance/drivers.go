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
	{"Node", buildNode},
	{"React Native", findReactNative},
}

// errNoTool says that this machine cannot build or start a driver; its stories are skipped then.
var errNoTool = errors.New("there is no such driver here")

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

// buildNode builds the package from its sources: what ./build.sh node leaves in build/ may be older.
func buildNode(folder string) ([]string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return nil, errNoTool
	}
	lib, err := filepath.Abs("../build/lib")
	if err != nil {
		return nil, err
	}
	const modules = "../node_modules"
	if _, err := os.Stat(filepath.Join(modules, "node-api-headers")); err != nil {
		return nil, errors.New("node_modules is missing or old: run ./build.sh setup first")
	}
	addon, dist := filepath.Join(folder, "tim.node"), filepath.Join(folder, "dist")
	sources, err := filepath.Glob("../bindings/node/src/*.c")
	if err != nil {
		return nil, err
	}
	compile := []string{
		"cc", "-std=c11", "-D_GNU_SOURCE", "-DNAPI_VERSION=8", "-fPIC", "-shared", "-fvisibility=hidden",
		"-isystem", modules + "/node-api-headers/include", "-I../include",
		"-o", addon, "-L" + lib, "-Wl,-rpath," + lib, "-Wl,-z,nodelete",
	}
	if err := run(append(append(compile, sources...), "-ltim", "-lpthread", "-ldl")...); err != nil {
		return nil, err
	}
	if err := run(modules+"/.bin/tsc", "-p", "../bindings/node/tsconfig.build.json", "--outDir", dist); err != nil {
		return nil, err
	}
	return []string{"env", "TIM_NATIVE_PATH=" + addon, "node", "drivers/node/main.mjs", filepath.Join(dist, "node/src/index.js")}, nil
}

// findReactNative finds what bindings/react-native/test.sh has built, which tells the stories to it: the host and the driver's bundle.
func findReactNative(string) ([]string, error) {
	built := os.Getenv("TIM_REACT_NATIVE")
	if built == "" {
		return nil, fmt.Errorf("%w: ./build.sh test rn builds React Native's driver and tells it the stories", errNoTool)
	}
	return []string{filepath.Join(built, "host"), filepath.Join(built, "driver.bundle.js")}, nil
}

func run(command ...string) error {
	out, err := exec.Command(command[0], command[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, out)
	}
	return nil
}
