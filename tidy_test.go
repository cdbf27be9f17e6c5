package weir

import (
	"bufio"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tests of this file read the tree in their own process: a child "go list" would be served stale from the test cache.

const module = "github.com/weirlog/weir/"

// layers lists the parts from the bottom up. A part imports only parts of lower layers, but for the edges in sameLayer.
var layers = [][]string{
	{"vfs", "event", "lines", "metrics", "ledger", "dissect", "lumberjack", "syslog", "listen"},
	{"journal", "queue", "bulk"},
	{"agent", "broker", "pipeline", "store", "web"},
	{"config"},
	{"cmd"},
	{"bench"},
}

// sameLayer are the edges within a layer that are wanted.
var sameLayer = map[[2]string]bool{{"bulk", "queue"}: true}

// syncHomes are the only packages that may call Sync on a file.
var syncHomes = []string{"journal", "store/segment", "vfs"}

// longFunctions is the ratchet: the number of functions over 70 lines may only fall. The one that is left is the loop of the grok
// machine, whose cases share registers.
const (
	longLines     = 70
	longFunctions = 1
)

// source is one parsed file that is not a test.
type source struct {
	path string // slash-separated, from the root
	file *ast.File
	fset *token.FileSet
}

func sources(t *testing.T) []source {
	t.Helper()
	var list []source
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() && path != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "build" || name == "data" || name == "testdata" || name == "examples") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		list = append(list, source{filepath.ToSlash(path), f, fset})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestLayers(t *testing.T) {
	t.Parallel()
	level := map[string]int{}
	for i, l := range layers {
		for _, p := range l {
			level[p] = i
		}
	}
	for _, s := range sources(t) {
		from, _, nested := strings.Cut(s.path, "/")
		if !nested {
			continue // the root holds tests only
		}
		if _, ok := level[from]; !ok {
			t.Errorf("%s: part %q is in no layer", s.path, from)
		}
		for _, imp := range s.file.Imports {
			path, ours := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), module)
			to, _, _ := strings.Cut(path, "/")
			if ours && to != from && level[to] >= level[from] && !sameLayer[[2]string{from, to}] {
				t.Errorf("%s imports %s: %s must not know %s", s.path, path, from, to)
			}
		}
	}
}

// TestAbsences: no part reads YAML, and web knows the store only through its REST API.
func TestAbsences(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		for _, imp := range s.file.Imports {
			path := strings.Trim(imp.Path.Value, `"`)
			if strings.Contains(path, "yaml") && !strings.HasPrefix(s.path, "config/") {
				t.Errorf("%s reads YAML; only config may", s.path)
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	t.Parallel()
	comment, seen := map[string]int{}, map[string]bool{}
	for _, s := range sources(t) {
		dir := filepath.Dir(s.path)
		seen[dir] = true
		if s.file.Doc != nil {
			comment[dir]++
		}
	}
	for dir := range seen {
		if comment[dir] != 1 {
			t.Errorf("package %s has %d package comments, want one", dir, comment[dir])
		}
	}
}

func TestSyncHomes(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if slices.ContainsFunc(syncHomes, func(h string) bool { return strings.HasPrefix(s.path, h+"/") }) {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) != 0 {
				return true // Journal.Sync takes a mark: it is the way to sync
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Sync" || sel.Sel.Name == "Fdatasync") {
				t.Errorf("%s: file synced outside %v", s.fset.Position(call.Pos()), syncHomes)
			}
			return true
		})
	}
}

func TestFunctionLengths(t *testing.T) {
	t.Parallel()
	var long []string
	for _, s := range sources(t) {
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			from, to := s.fset.Position(f.Pos()), s.fset.Position(f.End())
			if to.Line-from.Line+1 > longLines {
				long = append(long, from.String()+" "+f.Name.Name)
			}
		}
	}
	if len(long) > longFunctions {
		t.Errorf("%d functions over %d lines, at most %d are allowed:\n%s", len(long), longLines, longFunctions, strings.Join(long, "\n"))
	}
	if len(long) < longFunctions {
		t.Errorf("only %d functions over %d lines are left: set longFunctions to that", len(long), longLines)
	}
}

// TestDependencies keeps the direct dependencies equal to the table in ARCHITECTURE.md, so that a new one comes with its reason.
func TestDependencies(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.Open("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	defer mod.Close()
	for sc := bufio.NewScanner(mod); sc.Scan(); {
		f := strings.Fields(sc.Text())
		if len(f) > 0 && f[0] == "require" {
			f = f[1:]
		}
		if len(f) < 2 || !strings.Contains(f[0], ".") || !strings.Contains(f[0], "/") || strings.Contains(sc.Text(), "// indirect") {
			continue
		}
		if f[0] != strings.TrimSuffix(module, "/") && !strings.Contains(string(doc), "`"+f[0]+"`") {
			t.Errorf("ARCHITECTURE.md does not say why %s is used", f[0])
		}
	}
}
