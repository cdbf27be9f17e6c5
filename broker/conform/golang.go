package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// moduleDir is where the go command keeps a module that this project uses.
func moduleDir(ctx context.Context, e *env, module string) (string, error) {
	out, err := e.command(ctx, "go-list", ".", nil, "go", "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return "", absent("module %s: %v", module, err)
	}
	return strings.TrimSpace(out), nil
}

// copied gives a writable copy of a module under build/conform.
func copied(ctx context.Context, e *env, module, name string) (string, error) {
	from, err := moduleDir(ctx, e, module)
	if err != nil {
		return "", err
	}
	to := filepath.Join(e.dir, name+"-"+filepath.Base(from))
	if _, err := os.Stat(to); err == nil {
		return to, nil
	}
	return to, copyTree(from, to)
}

var goResult = regexp.MustCompile(`(?m)^\s*--- (PASS|FAIL|SKIP): (\S+)`)

// goTest runs a module's own tests and counts.
func (e *env) goTest(ctx context.Context, log, dir string, vars []string, args ...string) error {
	out, err := e.command(ctx, log, dir, append(vars, "GOFLAGS=-mod=mod"), "go", append([]string{"test", "-v", "-count=1"}, args...)...)
	n := map[string]int{}
	var failed []string
	for _, m := range goResult.FindAllStringSubmatch(out, -1) {
		n[m[1]]++
		if m[1] == "FAIL" {
			failed = append(failed, m[2])
		}
	}
	e.note = fmt.Sprintf("%d passed, %d skipped", n["PASS"], n["SKIP"])
	if len(failed) > 0 {
		return fmt.Errorf("%d passed, %d skipped, failed: %s", n["PASS"], n["SKIP"], strings.Join(failed, " "))
	}
	return err
}

// runKgo runs the integration tests of franz-go's client.
func runKgo(ctx context.Context, e *env) error {
	dir, err := copied(ctx, e, "github.com/twmb/franz-go", "franz-go")
	if err != nil {
		return err
	}
	vars := []string{"KGO_SEEDS=" + e.addr, "KGO_TEST_RF=1", "KGO_TEST_RECORDS=50000"}
	return e.goTest(ctx, "kgo", filepath.Join(dir, "pkg", "kgo"), vars, "-timeout", "600s", ".")
}
