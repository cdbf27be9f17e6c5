package main

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// weirBinary is the built program the end-to-end tests drive.
var weirBinary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "weir-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	weirBinary = filepath.Join(dir, "weir")
	if out, err := exec.Command("go", "build", "-o", weirBinary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build weir: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// TestScripts runs testdata/script/*.txtar: each drives the binary as a user does. `go test -run TestScripts -update` rewrites what
// they expect.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: len(os.Args) > 1 && os.Args[len(os.Args)-1] == "-update",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(weirBinary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			ln, err := net.Listen("tcp", "127.0.0.1:0") // a port that is taken while the script runs
			if err != nil {
				return err
			}
			env.Defer(func() { ln.Close() })
			env.Setenv("TAKEN", ln.Addr().String())
			return nil
		},
	})
}
