package main

import (
	"os"
	"path/filepath"
	"regexp"
)

// A package.json is written by hand, but for our own version: its own, and what it says of our other packages.
var (
	packages   = []string{"bindings/*/package.json", "examples/*/package.json"}
	ownVersion = regexp.MustCompile(`(?m)^(  "version": ")[^"]*(")`)
	ofAnother  = regexp.MustCompile(`(?m)^(    "@opentim/[^"]+": ")\d[^"]*(")`)
)

// stamp returns every package.json of the repository with the version that it should have.
func stamp(root string, version Version) ([]file, error) {
	var files []file
	for _, pattern := range packages {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			for _, place := range []*regexp.Regexp{ownVersion, ofAnother} {
				data = place.ReplaceAll(data, []byte("${1}"+version.String()+"${2}"))
			}
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return nil, err
			}
			files = append(files, file{filepath.ToSlash(relative), data})
		}
	}
	return files, nil
}
