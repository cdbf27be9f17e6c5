//go:build clients

package clients

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The clients of other languages. scripts/clients.sh fetches them below build/clients and names the folder in WEIR_CLIENTS; one that is
// not there skips its test, which says so.

// runScript lets a client's script talk to an empty store.
func runScript(t *testing.T, dir, program string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("the client cannot be had: %v (scripts/clients.sh fetches it)", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		t.Errorf("%s %v: %v\n%s", program, args, err, out)
	}
}

func script(t *testing.T, name string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestJavaScript(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(os.Getenv("WEIR_CLIENTS"), "js")
	for pkg, file := range map[string]string{"es8": "es.mjs", "es9": "es.mjs", "os3": "opensearch.mjs"} {
		t.Run(pkg, func(t *testing.T) {
			t.Parallel()
			if _, err := os.Stat(filepath.Join(dir, "node_modules", pkg)); os.Getenv("WEIR_CLIENTS") == "" || err != nil {
				t.Skipf("the client %s cannot be had: scripts/clients.sh fetches it, and sets WEIR_CLIENTS", pkg)
			}
			runScript(t, dir, "node", script(t, file), newServer(t).URL, pkg)
		})
	}
}

func TestPython(t *testing.T) {
	t.Parallel()
	for env, file := range map[string]string{"py8": "es.py", "py9": "es.py", "pyos": "opensearch.py"} {
		t.Run(env, func(t *testing.T) {
			t.Parallel()
			if os.Getenv("WEIR_CLIENTS") == "" {
				t.Skip("the client cannot be had: scripts/clients.sh fetches it, and sets WEIR_CLIENTS")
			}
			dir := filepath.Join(os.Getenv("WEIR_CLIENTS"), env)
			runScript(t, "", filepath.Join(dir, "bin", "python"), script(t, file), newServer(t).URL)
		})
	}
}
