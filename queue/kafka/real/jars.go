package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// unavailableError says what of Kafka this machine cannot have.
type unavailableError struct{ why string }

func (e *unavailableError) Error() string { return e.why }

// fetchJars fills dir with the jars of pom unless they are there, and returns the version of Kafka among them.
func fetchJars(ctx context.Context, pom, dir string) (version string, err error) {
	if _, err := exec.LookPath("java"); err != nil {
		return "", &unavailableError{"no java in the PATH, want 17 or later"}
	}
	if version = jarVersion(dir); version != "" {
		return version, nil
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return "", &unavailableError{"no mvn in the PATH, and no jars in " + dir}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	// Copied beside dir and renamed, so that a copy that was cut short is never taken for all of it.
	part := abs + ".part"
	if err := os.RemoveAll(part); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+part).CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", &unavailableError{"mvn: " + err.Error() + ": " + firstError(string(out))}
	}
	if version = jarVersion(part); version == "" {
		return "", fmt.Errorf("%s names no Kafka broker", pom)
	}
	return version, os.Rename(part, abs) // refuses when dir holds anything else
}

// jarVersion reads the version off the name of the broker's jar, kafka_<scala>-<version>.jar; empty when there is none.
func jarVersion(dir string) string {
	found, err := filepath.Glob(filepath.Join(dir, "kafka_*-*.jar"))
	if err != nil || len(found) == 0 {
		return ""
	}
	_, version, _ := strings.Cut(strings.TrimSuffix(filepath.Base(found[0]), ".jar"), "-")
	return version
}

// firstError is the first line in which Maven names an error.
func firstError(out string) string {
	for line := range strings.Lines(out) {
		if _, msg, ok := strings.Cut(line, "[ERROR] "); ok {
			return strings.TrimSpace(msg)
		}
	}
	return strings.TrimSpace(out)
}
