package archtest

import (
	"slices"
	"strings"
	"testing"
)

const module = "github.com/opentim/tim"

// A floor is a row of the import table: what its packages may import in files that are not tests. The standard library
// is free for all but os/signal and what librarySilence forbids.
type floor struct {
	packages string   // path below the module; "/..." at the end takes everything below along
	ours     []string // our packages, written the same way
	others   []string // packages of others, by prefix
	cgo      bool
}

var (
	anyOfOurs   = []string{"..."}
	anyOfOthers = []string{""}
)

// The first row that names a package is its floor. A package without a row fails the test: decide where it belongs.
var floors = []floor{
	{packages: "codes"},
	{packages: "usersig", ours: []string{"codes"}, others: []string{"github.com/klauspost/compress/"}},

	{packages: "internal/wire", ours: []string{"codes"}, others: []string{"github.com/vmihailenco/msgpack/v5"}},
	{packages: "internal/ws", ours: []string{"codes", "internal/wire"}, others: []string{"github.com/gorilla/websocket"}},
	{packages: "core", ours: []string{"codes", "internal/wire", "internal/ws"}}, // never usersig: a client does not read tickets
	{packages: "capi", ours: []string{"codes", "core"}, cgo: true},
	{packages: "capi/ctest/...", ours: []string{"codes", "internal/wire", "internal/ws"}, others: []string{"github.com/gorilla/websocket"}},
	{packages: "internal/timtest", ours: []string{"codes", "internal/wire"}, others: []string{"github.com/gorilla/websocket"}},

	{packages: "server", ours: []string{"codes", "usersig", "internal/wire"}, others: anyOfOthers},
	{packages: "server/gateway/...", ours: []string{"codes", "usersig", "internal/wire", "internal/ws", "server"}, others: anyOfOthers},
	{packages: "server/admin/...", ours: []string{"codes", "usersig", "server", "server/admin/..."}, others: anyOfOthers},
	{packages: "server/console/...", ours: []string{"codes", "server"}, others: anyOfOthers},
	{packages: "server/registry/...", ours: []string{"codes", "server", "server/registry/..."}, others: anyOfOthers},
	{packages: "server/webhook/...", ours: []string{"codes", "server"}, others: anyOfOthers},
	{packages: "server/store/...", ours: []string{"codes", "server", "server/store/..."}, others: anyOfOthers},

	{packages: "cmd/...", ours: anyOfOurs, others: anyOfOthers},
	{packages: "conformance/...", ours: anyOfOurs, others: anyOfOthers},
	{packages: "proof/...", ours: anyOfOurs, others: anyOfOthers},
	{packages: "baddays"},
	{packages: "bench/...", ours: anyOfOurs, others: anyOfOthers},
	{packages: "examples/...", ours: []string{"codes", "usersig", "core", "server/...", "examples/..."}, others: anyOfOthers},
	{packages: "internal/gen"},
	{packages: "internal/archtest"},
	{packages: "internal/secrets"},
}

// roofs are imported by nobody, each from its own folder apart: cmd/tim may have packages of its own.
var roofs = []string{"cmd/...", "conformance/...", "proof/...", "baddays/...", "bench/...", "examples/...", "capi/...", "internal/gen", "internal/archtest"}

// kit reports whether a package exists for tests only, such as server/registry/registrytest.
func kit(pkg string) bool {
	return strings.HasSuffix(pkg, "test")
}

// allowed says whether a package on this floor may import path.
func (f floor) allowed(path string) bool {
	below, ours := strings.CutPrefix(path, module+"/")
	switch {
	case path == "C":
		return f.cgo
	case ours:
		return slices.ContainsFunc(f.ours, func(pattern string) bool { return matches(pattern, below) })
	case standard(path):
		return true
	default:
		return slices.ContainsFunc(f.others, func(prefix string) bool { return strings.HasPrefix(path, prefix) })
	}
}

// matches reports whether the pattern names the package: itself, or with /... itself and everything below.
func matches(pattern, pkg string) bool {
	parent, open := strings.CutSuffix(pattern, "...")
	if !open {
		return pattern == pkg
	}
	return strings.HasPrefix(pkg+"/", parent)
}

// standard reports whether path belongs to the standard library: its first part has no dot.
func standard(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

// floorOf returns the row of a package.
func floorOf(pkg string) (floor, bool) {
	i := slices.IndexFunc(floors, func(f floor) bool { return matches(f.packages, pkg) })
	if i < 0 {
		return floor{}, false
	}
	return floors[i], true
}

// household returns the folder that may import a package below a roof, such as cmd/tim, and whether there is a roof.
func household(pkg string) (string, bool) {
	if !slices.ContainsFunc(roofs, func(pattern string) bool { return matches(pattern, pkg) }) {
		return "", false
	}
	parts := strings.SplitN(pkg, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/"), true
}

func TestPackagesImportOnlyWhatTheirFloorMay(t *testing.T) {
	for _, p := range packages(t) {
		f, ok := floorOf(p.path)
		if !ok {
			t.Errorf("%s is in no row of the table: decide what it may import and add it to internal/archtest/floors_test.go", p.path)
			continue
		}
		for path, file := range p.imports {
			if !f.allowed(path) {
				t.Errorf("%s imports %s: floor %s may not", file, path, f.packages)
			}
		}
	}
}

func TestNobodyImportsARoof(t *testing.T) {
	for _, p := range packages(t) {
		for path, file := range p.allImports() {
			below, _ := strings.CutPrefix(path, module+"/")
			home, roof := household(below)
			if roof && !matches(home+"/...", p.path) {
				t.Errorf("%s imports %s: nobody may", file, path)
			}
		}
	}
}

func TestOnlyTestsUseTestKits(t *testing.T) {
	for _, p := range packages(t) {
		for path, file := range p.imports {
			if below, ours := strings.CutPrefix(path, module+"/"); ours && kit(below) && !kit(p.path) {
				t.Errorf("%s imports %s: that is for tests", file, path)
			}
		}
	}
}

// The table itself is checked, so that a slip in a pattern does not switch a rule off.
func TestTheTableSaysNo(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     bool
	}{
		{"codes", "strings", true},
		{"codes", module + "/usersig", false},
		{"usersig", module + "/codes", true},
		{"usersig", module + "/core", false},
		{"internal/wire", module + "/internal/ws", false},
		{"internal/wire", "github.com/gorilla/websocket", false},
		{"core", module + "/internal/ws", true},
		{"core", module + "/usersig", false},
		{"core", module + "/server", false},
		{"core", "C", false},
		{"core", "github.com/gorilla/websocket", false},
		{"capi", "C", true},
		{"capi", module + "/internal/wire", false},
		{"server", module + "/core", false},
		{"server", module + "/server/store/sqlite", false},
		{"server/gateway", module + "/internal/ws", true},
		{"server/gateway", module + "/server/store/sqlite", false},
		{"server/store/sqlite", "modernc.org/sqlite", true},
		{"server/store/sqlite", module + "/internal/ws", false},
		{"server/store/sqlite", module + "/server/registry/memory", false},
		{"server/registry/memory", module + "/server", true},
		{"cmd/timd", module + "/server/registry/memory", true},
		{"examples/go", module + "/internal/wire", false},
	} {
		f, ok := floorOf(tt.from)
		if !ok {
			t.Errorf("%s has no floor", tt.from)
		}
		if got := f.allowed(tt.to); got != tt.want {
			t.Errorf("%s may import %s: got %v, want %v", tt.from, tt.to, got, tt.want)
		}
	}
	if !kit("server/registry/registrytest") || kit("server/registry") || kit("codes") {
		t.Error("kit takes one thing for another")
	}
	if _, ok := floorOf("internal/utils"); ok {
		t.Error("a package that nobody thought of has a floor")
	}
	if home, ok := household("cmd/tim/term"); !ok || home != "cmd/tim" {
		t.Errorf("household of cmd/tim/term = %q, %v", home, ok)
	}
}
