package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestJarVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, want string }{
		{"kafka_2.13-4.1.1.jar", "4.1.1"},
		{"kafka_2.13-4.2.0-rc1.jar", "4.2.0-rc1"},
		{"kafka-clients-4.1.1.jar", ""},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, c.file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := jarVersion(dir); got != c.want {
			t.Errorf("%s: version %q, want %q", c.file, got, c.want)
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

// TestWithoutJava: a machine that cannot have Kafka is told apart from a Kafka that fails.
func TestWithoutJava(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := fetchJars(context.Background(), "pom.xml", t.TempDir())
	var missing *unavailableError
	if !errors.As(err, &missing) {
		t.Fatalf("%v, want an unavailableError", err)
	}
}
