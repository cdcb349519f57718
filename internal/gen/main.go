// Command gen writes the files that carry one fact to several languages: error codes, states, events, platforms and
// the version, from spec/codes.json, spec/events.json and VERSION to Go, C, TypeScript, every package.json and a table for
// people.
//
//	go run ./internal/gen            writes the files
//	go run ./internal/gen -check     writes nothing; fails if a file on disk is stale or the spec is wrong
//	go run ./internal/gen -release   writes the files, and adds every name and number to spec/codes.lock
//
// It works from any folder of the repository.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail if a file on disk is stale")
	release := flag.Bool("release", false, "promise every name and number of today in spec/codes.lock")
	flag.Parse()
	root, err := findRoot()
	if err == nil {
		err = run(root, *check, *release)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run does what the flags ask in the repository at root. Its error has one line for each thing that is wrong.
func run(root string, check, release bool) error {
	spec, err := readSpec(root)
	if err != nil {
		return err
	}
	lock, err := readLock(root)
	if err != nil {
		return err
	}
	if problems := append(validate(spec), lock.broken(spec)...); len(problems) > 0 {
		return errors.New("spec: " + strings.Join(problems, "\nspec: "))
	}
	files, err := render(spec)
	if err != nil {
		return err
	}
	stamped, err := stamp(root, spec.Version)
	if err != nil {
		return err
	}
	files = append(files, stamped...)
	if release {
		files = append(files, file{lockPath, lock.with(spec)})
	}
	if check {
		return compare(root, files)
	}
	for _, f := range files {
		path := filepath.Join(root, f.path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, f.data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// compare names every file whose content on disk is not what would be written.
func compare(root string, files []file) error {
	var stale []error
	for _, f := range files {
		onDisk, err := os.ReadFile(filepath.Join(root, f.path))
		if err != nil || !bytes.Equal(onDisk, f.data) {
			stale = append(stale, fmt.Errorf("gen: %s is stale or edited by hand: run ./build.sh gen", f.path))
		}
	}
	return errors.Join(stale...)
}

// findRoot returns the folder of go.mod, at or above the working directory.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("gen: no go.mod here or above")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}
