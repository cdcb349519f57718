package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const root = "../.."

// A pkg is a folder of Go files, those for other systems included: build tags hide nothing here.
type pkg struct {
	path        string
	imports     map[string]string // what is imported, and a file that does; without tests
	testImports map[string]string
	files       map[string]*ast.File // without tests
}

func (p *pkg) allImports() map[string]string {
	all := maps.Clone(p.imports)
	maps.Copy(all, p.testImports)
	return all
}

var positions = token.NewFileSet()

var load = sync.OnceValues(func() ([]*pkg, error) {
	byPath := map[string]*pkg{}
	var list []*pkg
	err := walk(func(path string) error {
		if filepath.Ext(path) != ".go" {
			return nil
		}
		file, err := parser.ParseFile(positions, filepath.Join(root, path), nil, parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.ToSlash(filepath.Dir(path))
		p := byPath[dir]
		if p == nil {
			p = &pkg{path: dir, imports: map[string]string{}, testImports: map[string]string{}, files: map[string]*ast.File{}}
			byPath[dir] = p
			list = append(list, p)
		}
		into := p.imports
		if strings.HasSuffix(path, "_test.go") {
			into = p.testImports
		} else {
			p.files[path] = file
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			into[imported] = path
		}
		return nil
	})
	return list, err
})

// packages returns every package of this module.
func packages(t *testing.T) []*pkg {
	t.Helper()
	list, err := load()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 3 {
		t.Fatalf("found only %d packages below %s", len(list), root)
	}
	return list
}

// walk calls visit with the path, below root, of every file that is ours: nothing built, installed, or of another module.
func walk(visit func(path string) error) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if !entry.IsDir() {
			if entry.Type().IsRegular() { // capi/tim.h is a link to include/tim.h
				return visit(filepath.ToSlash(below))
			}
			return nil
		}
		switch name := entry.Name(); {
		case below == ".":
			return nil
		case name == ".git", name == "node_modules", name == "testdata", below == "build":
			return filepath.SkipDir
		}
		if _, err := os.Stat(filepath.Join(path, "go.mod")); err == nil {
			return filepath.SkipDir
		}
		return nil
	})
}
