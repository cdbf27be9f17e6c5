package jvm

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestJarVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, pattern, want string }{
		{"kafka_2.13-4.1.1.jar", "kafka_*.jar", "4.1.1"},
		{"kafka_2.13-4.2.0-rc1.jar", "kafka_*.jar", "4.2.0-rc1"},
		{"kafka-clients-4.1.1.jar", "kafka_*.jar", ""},
		{"opensearch-2.19.1.jar", "opensearch-[0-9]*.jar", "2.19.1"},
		{"opensearch-cli-2.19.1.jar", "opensearch-[0-9]*.jar", ""},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, c.file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := jarVersion(dir, c.pattern); got != c.want || err != nil {
			t.Errorf("%s: version %q, %v, want %q", c.file, got, err, c.want)
		}
	}
}

func TestFirstError(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ out, want string }{
		{"[INFO] scanning\n[ERROR] cannot resolve a\n[ERROR] see help\n", "cannot resolve a"},
		{"killed\n", "killed"},
	} {
		if got := firstError(c.out); got != c.want {
			t.Errorf("%q: %q, want %q", c.out, got, c.want)
		}
	}
}

// TestWithoutJava: a machine that cannot have the server is told apart from a server that fails.
func TestWithoutJava(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, tools := range [][]string{nil, {"java"}} {
		_, err := Fetch(context.Background(), "pom.xml", t.TempDir(), "kafka_*.jar", tools...)
		var missing *UnavailableError
		if !errors.As(err, &missing) {
			t.Errorf("tools %v: %v, want an UnavailableError", tools, err)
		}
	}
}
