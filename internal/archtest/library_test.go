package archtest

import (
	"encoding/json"
	"errors"
	"go/ast"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// library is what runs inside somebody else's app.
var library = []string{"codes", "internal/wire", "internal/ws", "core", "capi"}

// coreLinks is everything core may link that is not the standard library.
var coreLinks = []string{
	module + "/codes",
	module + "/core",
	module + "/internal/wire",
	module + "/internal/ws",
	"github.com/gorilla/websocket",
	"github.com/vmihailenco/msgpack/v5",
	"github.com/vmihailenco/msgpack/v5/msgpcode",
	"github.com/vmihailenco/tagparser/v2",
	"github.com/vmihailenco/tagparser/v2/internal",
	"github.com/vmihailenco/tagparser/v2/internal/parser",
}

// What core links differs by system, so each is asked for.
func TestCoreLinksOnlyWhatIsOnItsList(t *testing.T) {
	if !slices.ContainsFunc(packages(t), func(p *pkg) bool { return p.path == "core" }) {
		t.Skip("there is no core yet")
	}
	for _, system := range []string{"linux/amd64", "android/arm64", "ios/arm64", "darwin/arm64", "windows/amd64"} {
		t.Run(system, func(t *testing.T) {
			deps := goListDeps(t, system, "./core")
			if len(deps) < 20 {
				t.Fatalf("go list named only %d packages", len(deps))
			}
			for _, dep := range deps {
				if !dep.Standard && !slices.Contains(coreLinks, dep.ImportPath) {
					t.Errorf("core links %s: take it out, or add it to coreLinks with a reason in the commit", dep.ImportPath)
				}
				if dep.ImportPath == "os/signal" {
					t.Error("core links os/signal: a host's signals stay the host's")
				}
			}
		})
	}
}

type dependency struct {
	ImportPath string
	Standard   bool
}

func goListDeps(t *testing.T, system, pattern string) (deps []dependency) {
	t.Helper()
	goos, goarch, _ := strings.Cut(system, "/")
	cmd := exec.Command("go", "list", "-e", "-deps", "-json=ImportPath,Standard", pattern)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+goos, "GOARCH="+goarch, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", cmd, err)
	}
	decoder := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var dep dependency
		if err := decoder.Decode(&dep); errors.Is(err, io.EOF) {
			return deps
		} else if err != nil {
			t.Fatal(err)
		}
		deps = append(deps, dep)
	}
}

// librarySilence is what a guest in an app does not do, as package and name.
var librarySilence = map[string]string{
	"fmt.Print": "writes to stdout", "fmt.Printf": "writes to stdout", "fmt.Println": "writes to stdout",
	"os.Stdout": "writes to stdout", "os.Stderr": "writes to stderr",
	"os.Exit": "ends the app", "os.Setenv": "changes the app", "os.Chdir": "changes the app",
}

func TestTheLibraryIsAQuietGuest(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(library, p.path) {
			continue
		}
		for _, path := range []string{"os/signal", "log"} {
			if file, ok := p.imports[path]; ok {
				t.Errorf("%s imports %s: signals and log lines are the app's", file, path)
			}
		}
		for _, file := range p.files {
			for _, complaint := range noises(file) {
				t.Error(complaint)
			}
		}
	}
}

// noises returns what a file does that a guest does not do.
func noises(file *ast.File) (complaints []string) {
	say := func(n ast.Node, what string) {
		complaints = append(complaints, positions.Position(n.Pos()).String()+": "+what)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok {
				name := x.Name + "." + n.Sel.Name
				if why, bad := librarySilence[name]; bad {
					say(n, name+" "+why)
				}
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && (f.Name == "print" || f.Name == "println") {
				say(n, f.Name+" writes to stderr")
			}
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" {
				say(n, "init runs before the app asked for anything")
			}
		}
		return true
	})
	return complaints
}
